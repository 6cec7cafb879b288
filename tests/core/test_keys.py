"""Secret keys: lost, damaged or wrong ones stop the start with one line each."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from core.db import keys
from core.models import KeyCanary
from core.ops import environment
from tests import factories, services

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
CHECK = ("manage.py", "check")
SERVE = ("manage.py", "serve", "--no-demo")
WEB = ("-c", "import config.wsgi")
WORKER = ("-W", "ignore", "-m", "celery", "-A", "config", "worker", "--pool", "threads")
PROBLEM = "ENCRYPTION_KEYS does not open this database"


def starts(*commands: tuple[str, ...], **variables: str) -> list[tuple[int, str, str]]:
    """Start these processes at once with these variables. Return exit code, output and errors."""
    inherited = {"PATH": os.environ["PATH"], "PORT": str(services.free_port())}
    processes = [
        subprocess.Popen(
            [sys.executable, *command],
            cwd=configured.BASE_DIR,
            env=inherited | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    try:
        outputs = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(p.returncode, *output) for p, output in zip(processes, outputs, strict=True)]


# --- the files that hold them -----------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the data folder of an earlier start, with its keys and a database."""
    for name, text in (("secret_key", "s" * 86), ("encryption_key", OLD)):
        (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / "parley.sqlite3").write_bytes(b"SQLite format 3\x00")
    return tmp_path


def kept(path: Path, *, is_first_start: bool = False) -> str | list[str]:
    """Return the secret that the settings read from this file."""
    if path.name == "secret_key":
        make, parse = environment.new_secret_key, environment.secret_key
        return environment.kept_secret(path, make, parse, is_first_start=is_first_start)
    return environment.kept_secret(
        path,
        environment.new_encryption_key,
        environment.encryption_keys,
        is_first_start=is_first_start,
    )


@pytest.mark.parametrize("is_first_start", [True, False])
@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("encryption_key", b"", "is empty"),
        ("encryption_key", b" \n", "is empty"),
        ("encryption_key", b"pass-word", "holds a key that is not base64"),
        ("encryption_key", "pässword".encode(), "holds a key that is not base64"),
        ("encryption_key", b"cGFzcy13b3Jk", "holds a key that is not 32 bytes long"),
        ("encryption_key", b"\xff\xfe\x00pass", "is not text"),
        ("secret_key", b"", "is empty"),
        ("secret_key", b"pass-word", "must hold one line"),
        ("secret_key", b"pass word " * 9, "must hold one line"),
        ("secret_key", b"\x00" * 86, "must hold one line"),
    ],
)
def test_a_damaged_file_is_refused_and_not_repeated(
    data: Path, name: str, content: bytes, problem: str, is_first_start: bool
) -> None:
    (data / name).write_bytes(content)
    with pytest.raises(SystemExit) as refused:
        kept(data / name, is_first_start=is_first_start)
    line = str(refused.value)
    assert line.startswith(f"parley: {name} in DATA_DIR {problem}")
    assert line.endswith(
        ": restore it from the backup, or put a new one there ('Lost keys' in docs/deploy.md)"
    )
    assert not [word for word in ("pass", str(data)) if word in line]
    assert (data / name).read_bytes() == content


@pytest.mark.parametrize("name", ["secret_key", "encryption_key"])
def test_a_file_that_cannot_be_read_is_refused(data: Path, name: str) -> None:
    (data / name).unlink()
    (data / name).mkdir()
    with pytest.raises(SystemExit, match=rf"^parley: {name} in DATA_DIR cannot be read or made: "):
        kept(data / name)


@pytest.mark.parametrize("name", ["secret_key", "encryption_key"])
def test_only_the_first_start_makes_a_file(data: Path, name: str) -> None:
    (data / name).unlink()
    with pytest.raises(SystemExit, match="is missing, but there is a database: restore it"):
        kept(data / name)
    made = kept(data / name, is_first_start=True)
    assert kept(data / name, is_first_start=True) == made  # another process was first
    assert kept(data / name) == made
    assert sorted(path.name for path in data.iterdir()) == [
        "encryption_key",
        "parley.sqlite3",
        "secret_key",
    ]


def test_a_list_of_keys_may_stand_in_the_file(data: Path) -> None:
    (data / "encryption_key").write_text(f"{NEW},{OLD}\n")
    assert kept(data / "encryption_key") == [NEW, OLD]


@pytest.mark.look
@pytest.mark.parametrize(
    ("name", "commands"),
    [("secret_key", [CHECK]), ("encryption_key", [CHECK, SERVE, WEB, WORKER])],
)
def test_no_process_starts_without_its_file(
    data: Path, name: str, commands: list[tuple[str, ...]]
) -> None:
    (data / name).unlink()
    line = f"parley: {name} in DATA_DIR is missing, but there is a database: "
    for code, _out, errors in starts(*commands, DATA_DIR=str(data)):
        assert (code, errors.count("\n")) == (1, 1), errors
        assert errors.startswith(line)
    assert not (data / name).exists()


@pytest.mark.look
def test_a_key_of_the_environment_needs_no_file(data: Path) -> None:
    (data / "encryption_key").unlink()
    (data / "secret_key").write_text("")
    variables = {"SECRET_KEY": "s" * 64, "ENCRYPTION_KEYS": NEW, "DATA_DIR": str(data)}
    assert [code for code, *_ in starts(CHECK, **variables)] == [0]


# --- whether they open the database -----------------------------------------------------------


@pytest.fixture
def migrated(db: None, settings: Settings) -> Settings:
    """Prepare a database whose canary is encrypted with the old key."""
    settings.ENCRYPTION_KEYS = [OLD]
    keys.write_canary(replace=True)
    return settings


def test_the_canary_tells_whether_the_keys_open_it(migrated: Settings) -> None:
    for list_of_keys, wrong in (([OLD], False), ([NEW, OLD], False), ([NEW], True)):
        migrated.ENCRYPTION_KEYS = list_of_keys
        assert keys.are_wrong() is wrong


def test_the_check_of_the_database_tells_it(migrated: Settings) -> None:
    call_command("check", databases=["default"])
    migrated.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(SystemCheckError, match=PROBLEM):
        call_command("check", databases=["default"])
    call_command("check")  # asks no database


@pytest.mark.parametrize(
    "command", [("migrate",), ("create_token", "alice@example.com", "--name=x"), ("seed_demo",)]
)
def test_no_command_writes_under_wrong_keys(migrated: Settings, command: tuple[str, ...]) -> None:
    migrated.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(SystemExit, match=PROBLEM):
        call_command(*command, verbosity=0)
    migrated.ENCRYPTION_KEYS = [OLD]
    assert keys.open_canary()


def test_the_first_canary_stays(migrated: Settings) -> None:
    """Two processes migrate at once."""
    migrated.ENCRYPTION_KEYS = [NEW]
    keys.write_canary(replace=False)
    assert keys.are_wrong()


@pytest.mark.parametrize("command", ["migrate", "rotate_keys"])
def test_a_database_older_than_its_canary_gets_one_from_right_keys_alone(
    alice: User, migrated: Settings, command: str
) -> None:
    factories.webhook(alice)
    KeyCanary.objects.all().delete()
    migrated.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(SystemExit, match=PROBLEM):
        call_command(command, verbosity=0)
    assert not KeyCanary.objects.exists()
    migrated.ENCRYPTION_KEYS = [NEW, OLD]
    call_command(command, verbosity=0)
    assert keys.open_canary()


def test_rotation_moves_the_canary_to_the_first_key(migrated: Settings) -> None:
    migrated.ENCRYPTION_KEYS = [NEW, OLD]
    call_command("rotate_keys", verbosity=0)
    migrated.ENCRYPTION_KEYS = [NEW]
    assert keys.open_canary()


def test_lost_keys_are_given_up_by_a_word_of_its_own(alice: User, migrated: Settings) -> None:
    webhook = factories.webhook(alice)
    migrated.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(SystemExit, match=PROBLEM):
        call_command("rotate_keys")
    call_command("rotate_keys", accept_loss=True)
    assert keys.open_canary()
    migrated.ENCRYPTION_KEYS = [OLD]
    webhook.refresh_from_db()  # still there for a key that is found again


@pytest.fixture
def database(transactional_db: None) -> Iterator[str]:
    """Yield the URL of the suite's database for other processes."""
    of_tests = connection.settings_dict
    if configured.EMBEDDED_DATABASE:
        yield f"sqlite:///{of_tests['NAME']}"
    else:
        address = os.environ["DATABASE_URL"]
        yield f"{address.rpartition('/')[0]}/{quote(of_tests['NAME'])}"


def test_no_process_starts_with_wrong_keys(database: str, tmp_path: Path) -> None:
    variables = {"DATA_DIR": str(tmp_path), "DATABASE_URL": database, "SECRET_KEY": "s" * 64}
    check = (*CHECK, "--database", "default")
    variables["ENCRYPTION_KEYS"] = NEW
    *refused, checked = starts(SERVE, WEB, WORKER, check, **variables)
    for code, _out, errors in refused:
        assert (code, errors.count("\n")) == (1, 1), errors
        assert errors.startswith(f"parley: {PROBLEM}: restore the key ")
    assert (checked[0], "Traceback" in checked[2]) == (1, False)
    assert f"(config.E001) {PROBLEM}." in checked[2]


@pytest.mark.look
def test_a_process_starts_while_the_database_is_away(tmp_path: Path) -> None:
    """`/readyz` reports the missing database."""
    (tmp_path / "static").mkdir()  # whitenoise looks for it
    [(code, _out, errors)] = starts(
        WEB,
        DATA_DIR=str(tmp_path),
        DATABASE_URL=f"postgres://nobody@127.0.0.1:{services.free_port()}/none",
        REDIS_URL=f"redis://127.0.0.1:{services.free_port()}/0",
        SECRET_KEY="s" * 64,
        ENCRYPTION_KEYS=NEW,
    )
    assert (code, errors) == (0, "")

"""Settings from the environment: values read, errors that stop the start, and hidden secrets."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.ops import environment
from tests.core.starting import refusal

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.look  # at settings of its own: once is enough


def start(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check` with these variables only, without the suite's environment."""
    inherited = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**inherited, "DATA_DIR": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_wrong_value_stops_the_process_with_one_line(tmp_path: Path) -> None:
    started = start(tmp_path, PORT="pass-word")
    assert (started.returncode, started.stderr) == (1, "parley: PORT must be a whole number\n")


def test_the_default_rate_limits(tmp_path: Path) -> None:
    """The suite turns some limits off. An operator who sets nothing has them all."""
    read = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, config.settings as s; print(json.dumps(s.LIMITS))",
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    table = (ROOT / "docs" / "settings.md").read_text()
    named = dict(re.findall(r"^\| `LIMIT_(\w+)` \| `(\d+)` \|", table, re.MULTILINE))
    limits = {name.upper(): str(most) for name, most in json.loads(read.stdout).items()}
    assert limits == named
    within_a_time = {
        "ACCOUNT_MAILS": "3",
        "BOOKINGS_API": "100",
        "BOOKINGS_CLIENT": "200",
        "BOOKINGS_DAY": "40",
        "BOOKINGS_HOUR": "10",
        "BOOKINGS_OPEN": "30",
        "INVITATIONS": "200",
        "INVITATIONS_NEW": "20",
        "PUBLIC_POSTS": "60",
        "RESCHEDULES": "6",
    }
    assert limits | within_a_time == limits


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    started = start(tmp_path)
    assert (started.returncode, started.stderr) == (0, "")
    for name in ("secret_key", "encryption_key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:pass-word@host/name"),
        ("DATABASE_URL", "postgres://user:pass/word@host/name"),
        ("DATABASE_URL", "pass-word"),
        ("DATABASE_CONNECT_SECONDS", "1"),
        ("REDIS_URL", "amqp://user:pass-word@host"),
        ("REDIS_URL", "http://pass-word/"),
        ("EMAIL_URL", "pass-word"),
        ("EMAIL_URL", "pigeon://user:pass-word@host"),
        ("EMAIL_URL", "smtp://user:pass-word@host:port"),
        ("ENCRYPTION_KEYS", "pass-word"),
        ("ENCRYPTION_KEYS", "cGFzcy13b3Jk"),
        ("ANYMAIL", "pass-word"),
        ("ANYMAIL", '["pass-word"]'),
        ("FIREBASE_CREDENTIALS", "pass-word"),
        ("FIREBASE_CREDENTIALS", "/pass-word/account.json"),
        ("FIREBASE_CREDENTIALS", str(ROOT)),
        ("FIREBASE_CREDENTIALS", str(ROOT / "manage.py")),
        ("FIREBASE_CREDENTIALS", '{"private_key": "pass-word"'),
        ("FIREBASE_CREDENTIALS", '{"type": "authorized_user", "client_secret": "pass-word"}'),
        ("API_RATE_LIMITS", "pass-word"),
        ("API_RATE_LIMITS", "10/s"),
        ("API_RATE_LIMITS", "0/min"),
        ("DEFAULT_FROM_EMAIL", "pass-word"),
        ("DEFAULT_FROM_EMAIL", "Parley <pass-word@>"),
        ("DEFAULT_FROM_EMAIL", "a@example.com, pass-word@example.com"),
        ("PUBLIC_URL", "parley.example/pass-word"),
        ("PORT", "pass-word"),
        ("CLIENT_TIMEOUT_SECONDS", "pass-word"),
        ("REQUEST_THREADS", "00"),
        ("DEBUG", "pass-word"),
        ("CALENDAR_ALLOWED_NETWORKS", "10.1.0.0/16,pass-word"),
        ("CALENDAR_PORTS", "443,pass-word"),
        ("TRUSTED_PROXIES", "-1"),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_line_that_does_not_repeat_it(
    tmp_path: Path, name: str, value: str
) -> None:
    line = refusal(DATA_DIR=str(tmp_path), **{name: value})
    assert line.startswith(f"parley: {name} ")
    assert "\n" not in line
    assert "pass" not in line


SERVICE_ACCOUNT = {
    "type": "service_account",
    "project_id": "pass-word",
    "private_key": "pass-word",
    "client_email": "pass-word",
    "token_uri": "pass-word",
}


@pytest.mark.parametrize("field", SERVICE_ACCOUNT)
@pytest.mark.parametrize("wrong", [None, "", ["pass-word"]], ids=["null", "empty", "a list"])
def test_a_service_account_must_be_whole(field: str, wrong: object) -> None:
    with pytest.raises(ValueError, match="must be a service account") as refused:
        environment.service_account(json.dumps({**SERVICE_ACCOUNT, field: wrong}))
    assert field in str(refused.value)
    assert "pass" not in str(refused.value)


def test_a_service_account_is_json_or_a_file_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_text(json.dumps(SERVICE_ACCOUNT))
    assert environment.service_account(str(path)) == SERVICE_ACCOUNT
    assert environment.service_account(path.read_text()) == SERVICE_ACCOUNT


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_with_postgresql_the_keys_must_be_set(tmp_path: Path, name: str) -> None:
    keys = {
        "SECRET_KEY": "x" * 64,
        "ENCRYPTION_KEYS": environment.new_encryption_key(),
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    }
    del keys[name]
    line = refusal(DATA_DIR=str(tmp_path), **keys)
    assert line == f"parley: {name} must be set where DATABASE_URL is not SQLite"


def test_limits_are_requests_per_window_of_so_many_seconds() -> None:
    limits = environment.rate_limits("10/s, 100/min,1000/h,10000/day")
    assert limits == {1: 10, 60: 100, 3_600: 1_000, 86_400: 10_000}


# --- folders ------------------------------------------------------------------------------------


def manage(tmp_path: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run a command on an embedded database. Return its exit code, output and errors."""
    inherited = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**inherited, "DATA_DIR": str(tmp_path / "data"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(("below", "problem"), [("", "File exists"), ("/data", "Not a directory")])
def test_a_data_folder_that_cannot_be_one_is_refused_in_one_line(
    tmp_path: Path, below: str, problem: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    line = f"parley: DATA_DIR must be a folder: {problem}\n"
    assert manage(tmp_path, "check", DATA_DIR=f"{file}{below}") == (1, "", line)


def test_so_is_one_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test mocks the system's answer, since the superuser can write everywhere."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    line = refusal(DATA_DIR=str(tmp_path))
    assert line == "parley: DATA_DIR must be a folder that can be written to"


def test_a_folder_that_is_only_read_serves_where_the_database_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    line = refusal(DATA_DIR=str(tmp_path), DATABASE_URL="postgres://parley@db/parley")
    assert line.startswith("parley: SECRET_KEY must be set")


def test_static_files_need_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    line = "parley: STATIC_ROOT must be a folder\n"
    for command in ("check", "collectstatic", "serve"):
        assert manage(tmp_path, command, STATIC_ROOT=str(file)) == (1, "", line)


def test_they_need_one_that_can_be_written_to_only_to_be_collected(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    below = f"{file}/static"
    assert manage(tmp_path, "check", STATIC_ROOT=below)[0] == 0
    assert manage(tmp_path, "collectstatic", "--no-input", STATIC_ROOT=below) == (
        1,
        "",
        "parley: STATIC_ROOT must be a folder that can be written to: Not a directory\n",
    )


# --- a database that was never migrated -----------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("create_token", "ada@example.com", "--name", "x"),
        ("seed_demo",),
        ("seed_demo", "--tour"),
        ("rotate_keys",),
    ],
    ids=" ".join,
)
def test_a_command_before_migrate_says_so_in_one_line(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    assert manage(tmp_path, *command) == (
        1,
        "",
        "parley: manage.py migrate must run first: the database is not up to date\n",
    )

"""`manage.py backup` and `restore`. tests/journeys/test_deploy_backup.py restores a backup."""

import os
import secrets
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from psycopg.sql import SQL, Identifier, Literal

from accounts.models import User
from tests.migrated import copy_of_postgresql, url_of
from tests.services import (
    free_port,
    pgbouncer,
    pgbouncer_program,
    postgresql,
    postgresql_programs,
)
from tests.tls import socket_in_front_of

of_sqlite = pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="of SQLite alone")


@of_sqlite
@pytest.mark.django_db(transaction=True)
def test_it_is_a_whole_database_for_its_owner_alone(tmp_path: Path) -> None:
    User.objects.create_user("alice@example.com")
    copy = tmp_path / "copy of today's"
    call_command("backup", str(copy))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as session:
        assert session.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert session.execute("SELECT email FROM accounts_user").fetchall() == [
            ("alice@example.com",)
        ]


@of_sqlite
@pytest.mark.django_db(transaction=True)
def test_it_takes_no_files_place(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_text("of yesterday")
    with pytest.raises(CommandError, match="copy: File exists"):
        call_command("backup", str(copy))
    assert copy.read_text() == "of yesterday"


@of_sqlite
@pytest.mark.django_db  # within a transaction, where SQLite makes no copy
def test_it_leaves_no_half_of_one(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command("backup", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []


PASSWORD = "p@ss/:%?#word"
_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Server:
    """PostgreSQL server that asks a role for its password, on a port and at a socket."""

    url: str
    port: int
    folder: Path

    def address(self, kind: str, name: str) -> str:
        """Return a URL of this kind for the database of this name."""
        login, here = f"backup:{quote(PASSWORD, safe='')}", f"127.0.0.1:{self.port}"
        return {
            "plain": f"postgres://{login}@{here}/{name}",
            "options of Django": f"postgres://{login}@{here}/{name}?prepare_threshold=1000000000"
            "&disable_server_side_cursors=true&conn_max_age=0&sslmode=prefer&connect_timeout=5",
            "several hosts": f"postgresql://{login}@127.0.0.1:{free_port()},{here}/{name}"
            "?target_session_attrs=read-write&connect_timeout=2&tcp_user_timeout=3000",
            "a socket": f"postgres://{login}@/{name}?host={self.folder}",
        }[kind]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("socket")
    with postgresql() as running, ExitStack() as stack:
        port = urlsplit(running.url).port
        assert port
        with psycopg.connect(running.url, autocommit=True) as session:
            role = SQL("CREATE ROLE backup SUPERUSER LOGIN PASSWORD {}")
            session.execute(role.format(Literal(PASSWORD)))
            (rules,) = session.execute("SHOW hba_file").fetchone() or ("",)
            lines = "host all parley 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256"
            written = SQL("COPY (SELECT unnest({}::text[])) TO {}")
            session.execute(written.format(Literal(list(lines)), Literal(rules)))
            session.execute("SELECT pg_reload_conf()")
        stack.enter_context(socket_in_front_of(port, folder / _SOCKET))
        copy_of_postgresql(running.url, "origin")
        yield Server(running.url, port, folder)


def manage(
    command: str, file: Path, url: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    path = f"{postgresql_programs()}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "manage.py", command, str(file)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url, "PATH": path} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.postgresql
@pytest.mark.parametrize("kind", ["plain", "options of Django", "several hosts", "a socket"])
def test_postgresql_is_dumped_and_restored_by_each_address(
    server: Server, tmp_path: Path, kind: str
) -> None:
    dump, name = tmp_path / "parley.dump", f"restored_{secrets.token_hex(4)}"
    done = manage("backup", dump, server.address(kind, "origin"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    with psycopg.connect(server.url, autocommit=True) as session:
        session.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    done = manage("restore", dump, server.address(kind, name))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    canary = "SELECT content FROM core_keycanary"
    with (
        psycopg.connect(url_of(server.url, "origin")) as origin,
        psycopg.connect(url_of(server.url, name)) as restored,
    ):
        assert origin.execute(canary).fetchall() == restored.execute(canary).fetchall()


@pytest.mark.postgresql
def test_a_backup_is_restored_into_an_empty_database_alone(server: Server, tmp_path: Path) -> None:
    dump = tmp_path / "parley.dump"
    url = server.address("plain", "origin")
    assert manage("backup", dump, url).returncode == 0
    done = manage("restore", dump, url)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("CommandError: pg_restore: ")
    assert "already exists" in line


@pytest.mark.postgresql
def test_a_dump_that_fails_leaves_no_half_of_one(server: Server, tmp_path: Path) -> None:
    done = manage("backup", tmp_path / "parley.dump", server.address("plain", "nothing"))
    (line,) = done.stderr.splitlines()
    assert (done.returncode, "does not exist" in line) == (1, True)
    assert "p@ss" not in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgresql
def test_a_secret_that_the_arguments_would_show_is_refused(server: Server, tmp_path: Path) -> None:
    url = f"{server.address('plain', 'origin')}?sslpassword=hunter2"
    done = manage("backup", tmp_path / "parley.dump", url)
    assert (done.returncode, done.stderr) == (
        1,
        "CommandError: pg_dump would show sslpassword to everybody on this machine\n",
    )
    assert list(tmp_path.iterdir()) == []


POOLED = (
    "this must not go through a pooler: give the address of PostgreSQL itself, and leave"
    " DATABASE_POOLER empty ('PgBouncer' in docs/ha.md)"
)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("command", "mode", "named"),
    [
        ("backup", "transaction", ""),
        ("backup", "transaction", "transaction"),
        ("restore", "transaction", ""),
        ("restore", "transaction", "transaction"),
        ("restore", "session", "session"),
    ],
)
def test_neither_goes_through_a_pooler(
    server: Server, tmp_path: Path, command: str, mode: str, named: str
) -> None:
    """A dump sets an empty `search_path`, which other clients of the pooler would get."""
    if not pgbouncer_program():
        pytest.skip("no pgbouncer on this machine")
    with pgbouncer(url_of(server.url, "origin"), mode=mode, ignore="options") as pooler:
        done = manage(command, tmp_path / "parley.dump", pooler.url, DATABASE_POOLER=named)
    assert (done.returncode, done.stderr) == (1, f"CommandError: {POOLED}\n")
    assert list(tmp_path.iterdir()) == []


@of_sqlite
@pytest.mark.both
def test_sqlite_is_restored_by_its_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"docs/deploy\.md"):
        call_command("restore", str(tmp_path / "copy"))


@of_sqlite
@pytest.mark.both
def test_it_copies_nothing_where_there_is_nothing(tmp_path: Path) -> None:
    """An operator who forgets DATA_DIR would otherwise back up nothing."""
    done = subprocess.run(
        [sys.executable, "manage.py", "backup", str(tmp_path / "copy")],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        1,
        "CommandError: There is no database in DATA_DIR.\n",
    )
    assert not (tmp_path / "copy").exists()

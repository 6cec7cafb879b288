"""`manage.py move_to_postgresql`: everything or nothing, and equal on both sides."""

import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite
from pytest_django import DjangoDbBlocker, Settings

from core.ops import environment
from tests import wire
from tests.migrated import copy_of_postgresql, copy_of_sqlite, dropped_afterwards, url_of

pytestmark = pytest.mark.postgresql

EVERY_TABLE = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_name <> 'django_migrations'
"""
BY_MIGRATE = {"auth_permission", "core_keycanary", "django_content_type"}


@dataclass(frozen=True)
class Move:
    """SQLite database in a folder, which is the default here, and an empty PostgreSQL database."""

    folder: Path
    target: str

    def environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL")
        }
        return inherited | {"DATA_DIR": str(self.folder), "TARGET_DATABASE_URL": self.target}

    def fill(self, *command: str) -> None:
        """Run a command on the source, in a process of its own."""
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def run(self) -> list[str]:
        """Move, in this process. Return the lines that the command prints."""
        out = StringIO()
        call_command("move_to_postgresql", stdout=out)
        return out.getvalue().splitlines()

    def refusal(self) -> str:
        """Move, which must fail. Return what the command says."""
        with pytest.raises((CommandError, SystemExit)) as refused:
            self.run()
        return str(refused.value)

    def change(self, statement: str) -> None:
        """Run a statement in the source without the checks of SQLite."""
        with closing(sqlite3.connect(self.folder / "parley.sqlite3")) as session, session:
            session.execute("PRAGMA foreign_keys = OFF")
            session.execute(statement)

    def source_rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "parley.sqlite3")) as session:
            return session.execute(query).fetchall()

    def target_rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.target) as session:
            return session.execute(query.encode()).fetchall()

    def counts(self) -> dict[str, int]:
        tables = [name for (name,) in self.target_rows(EVERY_TABLE)]
        return {name: self.target_rows(f'SELECT count(*) FROM "{name}"')[0][0] for name in tables}

    def is_untouched(self) -> bool:
        """Tell whether the target has no rows except those that `migrate` has written."""
        return not any(rows for name, rows in self.counts().items() if name not in BY_MIGRATE)


@pytest.fixture
def move(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Move]:
    copy_of_sqlite(tmp_path / "parley.sqlite3")
    server, name = os.environ["DATABASE_URL"], f"target_{secrets.token_hex(4)}"
    copy_of_postgresql(server, name)
    monkeypatch.setenv("TARGET_DATABASE_URL", url_of(server, name))
    settings.EMBEDDED_DATABASE = True
    source = environment.database(f"sqlite:///{tmp_path}/parley.sqlite3")
    source["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}
    named: dict[str, Any] = connections.settings
    usual = connections["default"]
    with dropped_afterwards(server, name), django_db_blocker.unblock():
        made = connections.configure_settings({**named, "source": source})["source"]
        connections["default"] = SQLite(made, "default")
        try:
            yield Move(tmp_path, url_of(server, name))
        finally:
            connections["default"].close()
            connections["default"] = usual
            if "target" in named:
                connections["target"].close()
                del connections["target"], named["target"]
            ContentType.objects.clear_cache()  # of a database that was migrated here


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite database with the demo."""
    folder: Path = tmp_path_factory.mktemp("demo")
    copy_of_sqlite(folder / "parley.sqlite3")
    Move(folder, target="").fill("seed_demo")
    return folder / "parley.sqlite3"


@pytest.fixture
def filled(move: Move, demo: Path) -> Move:
    """Return a move of the demo."""
    shutil.copy(demo, move.folder)
    return move


@pytest.mark.parametrize("content", ["the demo", "much"])
def test_everything_is_moved_and_compared(move: Move, demo: Path, content: str) -> None:
    if content == "much":
        move.fill("make_load", "--bookings", "300")
    else:
        shutil.copy(demo, move.folder)
    *table, summary = move.run()
    told = {name: int(rows) for name, rows, _digest in map(str.split, table)}
    assert told == move.counts()
    for name, rows in told.items():
        assert move.source_rows(f"SELECT count(*) FROM {name}") == [(rows,)]
    assert summary.startswith(f"{len(told)} tables with {sum(told.values())} rows are equal")

    # What is encrypted is the same ciphertext, under the same key.
    sealed = "SELECT id, content FROM notifications_notification ORDER BY id"
    assert move.source_rows(sealed) == move.target_rows(sealed)
    canary = "SELECT id, content FROM core_keycanary"
    assert move.source_rows(canary) == move.target_rows(canary)
    passwords = "SELECT id, email, password FROM accounts_user ORDER BY id"
    assert move.source_rows(passwords) == move.target_rows(passwords)


def test_a_number_that_was_given_is_not_given_again(filled: Move) -> None:
    ((last,),) = filled.source_rows("SELECT max(id) FROM scheduling_historyentry")
    filled.change("UPDATE sqlite_sequence SET seq = seq + 5 WHERE name = 'scheduling_historyentry'")
    filled.run()
    following = "SELECT nextval(pg_get_serial_sequence('scheduling_historyentry', 'id'))"
    assert filled.target_rows(following) == [(last + 6,)]
    # A table that never had a row begins with 1.
    following = "SELECT nextval(pg_get_serial_sequence('oauth2_provider_grant', 'id'))"
    assert filled.target_rows(following) == [(1,)]


def test_it_migrates_a_database_that_is_empty(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    server, name = os.environ["DATABASE_URL"], f"target_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}".encode())
    with dropped_afterwards(server, name):
        monkeypatch.setenv("TARGET_DATABASE_URL", url_of(server, name))
        assert "rows are equal in both databases" in move.run()[-1]
        connections["target"].close()


# --- refusals -------------------------------------------------------------------------------------


def test_a_target_with_rows_is_refused_and_keeps_them(filled: Move) -> None:
    with psycopg.connect(filled.target) as session:
        session.execute("INSERT INTO auth_group (name) VALUES ('operators')")
    assert filled.refusal() == (
        "Nothing was moved: the PostgreSQL database is not empty: auth_group has rows already."
    )
    assert filled.target_rows("SELECT name FROM auth_group") == [("operators",)]
    assert filled.counts()["accounts_user"] == 0


def test_so_is_one_of_another_version(filled: Move) -> None:
    with psycopg.connect(filled.target) as session:
        session.execute("INSERT INTO django_migrations VALUES (9999, 'core', '0099_later', now())")
    assert (
        "PostgreSQL database has migrations of another version: core.0099_later" in filled.refusal()
    )
    assert filled.is_untouched()


def test_so_is_a_source_of_another_version(filled: Move) -> None:
    filled.change("INSERT INTO django_migrations VALUES (9999, 'core', '0099_later', '2026-11-30')")
    assert "SQLite database has migrations of another version: core.0099" in filled.refusal()
    assert filled.is_untouched()


def test_so_is_a_source_that_is_not_up_to_date(filled: Move) -> None:
    filled.change("DELETE FROM django_migrations WHERE app = 'mfa'")
    assert "SQLite database is not up to date: run manage.py migrate first" in filled.refusal()
    assert filled.is_untouched()


@pytest.mark.parametrize(
    ("statement", "table", "reason"),
    [
        (
            f"UPDATE accounts_user SET first_name = '{'hunter2' * 99}' WHERE id = 2",
            "accounts_user",
            "PostgreSQL does not take the row 2 (StringDataRightTruncation, first_name)",
        ),
        (
            "UPDATE accounts_user SET first_name = 'hunter2' || char(0) WHERE id = 2",
            "accounts_user",
            "does not take",
        ),
        (
            "UPDATE accounts_user SET created_at = 'hunter2' WHERE id = 2",
            "accounts_user",
            "PostgreSQL does not take the row 2 (NotNullViolation, created_at)",
        ),
        (
            "UPDATE scheduling_eventtype SET price = 'hunter2' WHERE id = 1",
            "scheduling_eventtype",
            "the first row cannot be read (TypeError)",
        ),
        (
            "UPDATE scheduling_eventtype SET host_id = 9999 WHERE id = 1",
            "a row points at one that does not exist (scheduling_eventtype",
            "host_id",
        ),
    ],
    ids=["too long", "a zero byte", "no time", "no number", "a reference to nothing"],
)
def test_a_broken_row_is_named_and_nothing_is_moved(
    filled: Move, statement: str, table: str, reason: str
) -> None:
    filled.change(statement)
    line = filled.refusal()
    assert table in line
    assert reason in line
    assert "hunter2" not in line
    assert filled.is_untouched()


def test_a_copy_that_differs_is_given_up(filled: Move) -> None:
    with psycopg.connect(filled.target) as session:
        session.execute(
            """
            CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$;
            CREATE TRIGGER spoil BEFORE INSERT ON scheduling_eventtype
                FOR EACH ROW EXECUTE FUNCTION spoil()
            """
        )
    out = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("move_to_postgresql", stdout=out)
    (line,) = [each for each in out.getvalue().splitlines() if "DIFFERS" in each]
    assert line.startswith("scheduling_eventtype")
    assert str(refused.value) == (
        "Nothing was moved: the copy differs from its source: scheduling_eventtype."
    )
    assert filled.is_untouched()


def test_other_keys_are_refused(filled: Move, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [environment.new_encryption_key()]
    assert filled.refusal().startswith("parley: ENCRYPTION_KEYS does not open this database")
    assert filled.is_untouched()


def test_so_is_a_target_with_other_keys(filled: Move) -> None:
    with psycopg.connect(filled.target) as session:
        session.execute("UPDATE core_keycanary SET content = 'other'")
    assert filled.refusal() == (
        "The target database was migrated with other ENCRYPTION_KEYS: make it anew."
    )


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("", "TARGET_DATABASE_URL must be set: postgres://user:password@host/name"),
        (
            "sqlite:////hunter2",
            "parley: TARGET_DATABASE_URL must be a postgres:// address",
        ),
        (
            "hunter2",
            "parley: TARGET_DATABASE_URL must be a postgres:// or sqlite:// address",
        ),
        (
            "postgres://u:hunter2/@a,b/x",
            "parley: TARGET_DATABASE_URL names a host or a port that cannot be read"
            " (before the @, / is written as %2F)",
        ),
    ],
)
def test_a_target_that_is_none(
    move: Move, monkeypatch: pytest.MonkeyPatch, target: str, line: str
) -> None:
    monkeypatch.setenv("TARGET_DATABASE_URL", target)
    assert move.refusal() == line


def test_a_target_behind_a_pooler_is_refused(move: Move, settings: Settings) -> None:
    settings.DATABASE_POOLER = "transaction"
    assert move.refusal().startswith("Nothing was moved: this must not go through a pooler: ")


def test_it_moves_nothing_where_there_is_nothing(move: Move) -> None:
    """An operator who forgets DATA_DIR would otherwise move nothing."""
    (move.folder / "parley.sqlite3").unlink()
    assert move.refusal() == "There is no database in DATA_DIR."


def test_it_moves_from_sqlite_alone(move: Move, settings: Settings) -> None:
    settings.EMBEDDED_DATABASE = False
    assert move.refusal() == "It moves from SQLite: unset DATABASE_URL."


# --- a connection that breaks ---------------------------------------------------------------------


@pytest.fixture
def ending(move: Move, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bool], None]:
    """Return a function after which the server ends the connection that moves.

    It does so at a statement with this word: when it is done inside of the transaction, or before
    it is made outside.
    """

    def end_at(word: str, is_inside: bool) -> None:
        def watch(run: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
            moving = context["connection"]
            text = sql if isinstance(sql, str) else sql.as_string()
            if word not in text or moving.in_atomic_block is not is_inside:
                return run(sql, parameters, many, context)
            found = run(sql, parameters, many, context) if is_inside else None
            with psycopg.connect(move.target, autocommit=True) as other:
                pid = moving.connection.info.backend_pid
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            return found or run(sql, parameters, many, context)

        def connect(alias: str) -> Any:
            made = create(alias)
            made.execute_wrappers.append(watch)
            return made

        create = connections.create_connection
        monkeypatch.setattr(connections, "create_connection", connect)

    return end_at


def test_a_break_at_the_commit_leaves_it_open_what_was_moved(
    filled: Move, ending: Callable[[str, bool], None]
) -> None:
    ending('FROM "core_keycanary" WHERE', True)
    line = filled.refusal()
    assert line.startswith("The commit failed, so everything was moved or nothing: ")
    assert line.endswith("it says that the target is not empty.")
    assert filled.is_untouched()


def test_a_break_after_the_commit_is_none_of_the_move(
    filled: Move, ending: Callable[[str, bool], None]
) -> None:
    ending("ANALYZE", False)
    assert "rows are equal in both databases" in filled.run()[-1]
    assert filled.counts()["accounts_user"] > 0


def test_a_move_that_is_killed_leaves_nothing_and_nobody_writes_meanwhile(filled: Move) -> None:
    with psycopg.connect(filled.target) as session:
        session.execute(
            """
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
            CREATE TRIGGER wait BEFORE INSERT ON scheduling_eventtype
                FOR EACH ROW EXECUTE FUNCTION wait()
            """
        )
    with subprocess.Popen(
        [sys.executable, "manage.py", "move_to_postgresql"],
        cwd=settings.BASE_DIR,
        env=filled.environment(),
    ) as process:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        wire.until(lambda: filled.target_rows(waiting) == [(1,)], seconds=60, what="a row")
        with (
            closing(sqlite3.connect(filled.folder / "parley.sqlite3", timeout=0.1)) as writer,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            writer.execute("DELETE FROM accounts_user")
        process.send_signal(signal.SIGKILL)
    assert filled.is_untouched()

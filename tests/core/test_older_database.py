"""A database that was made before the migrations were made anew: one line, and no start."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.services import free_port

OLDER = ("accounts", "config", "meetings", "scheduling", "webhooks")
PROBLEM = "was made by a version before 0.2 and cannot be upgraded"


@pytest.mark.both
@pytest.mark.parametrize(
    "command", [("serve", "--no-demo"), ("migrate", "--noinput"), ("migrate", "--check")]
)
def test_it_stops_the_start_with_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Run in the folder of `make run`, whose database is SQLite."""
    with sqlite3.connect(tmp_path / "parley.sqlite3") as database:
        database.execute(
            "CREATE TABLE django_migrations (id integer PRIMARY KEY AUTOINCREMENT,"
            " app varchar(255), name varchar(255), applied datetime)"
        )
        rows = [(app, "0001_initial", "2026-11-01 00:00:00") for app in OLDER]
        insert = "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)"
        database.executemany(insert, rows)
    database.close()
    # The keys of that time are there.
    (tmp_path / "secret_key").write_text("s" * 86 + "\n")
    (tmp_path / "encryption_key").write_text("A" * 43 + "=\n")
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"parley: The database in DATA_DIR {PROBLEM}: move {tmp_path} away")
    with sqlite3.connect(tmp_path / "parley.sqlite3") as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        assert tables.fetchall() == [("django_migrations",)]
    database.close()


@pytest.mark.django_db
def test_so_does_one_on_the_server_of_the_run() -> None:
    """Its rows are the same on PostgreSQL."""
    recorder = MigrationRecorder(connection)
    for app, name in recorder.applied_migrations():
        if app in {"calendars", "core", "notifications"}:
            recorder.record_unapplied(app, name)
    recorder.record_applied("config", "0001_initial")
    with pytest.raises(SystemExit) as stopped:
        call_command("migrate", verbosity=0)
    assert PROBLEM in str(stopped.value)

"""`manage.py backup`. tests/journeys/test_deploy_backup.py restores a backup."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User

of_sqlite = pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="of SQLite alone")
of_postgresql = pytest.mark.skipif(settings.EMBEDDED_DATABASE, reason="of PostgreSQL alone")


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


@of_postgresql
@pytest.mark.both
def test_it_knows_who_backs_up_postgresql(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="pg_dump"):
        call_command("backup", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []


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

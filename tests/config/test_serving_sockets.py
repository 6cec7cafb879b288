"""Connection check of the server: it leaves other files of the process alone."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from config.serving import sockets

WRITE = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0).execute("BEGIN IMMEDIATE")
"""


@pytest.mark.look
def test_a_look_at_connections_keeps_the_locks_of_sqlite(tmp_path: Path) -> None:
    database = str(tmp_path / "database")
    with closing(sqlite3.connect(database, isolation_level=None)) as session:
        session.execute("BEGIN IMMEDIATE")
        for connection in sockets.sockets():
            connection.close()
        other = subprocess.run(
            [sys.executable, "-c", WRITE, database], capture_output=True, text=True, check=False
        )
    assert "database is locked" in other.stderr

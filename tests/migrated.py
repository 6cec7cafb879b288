"""Migrated database, made once for each version of the sources and then copied.

A migration takes seconds, and a run needs many databases: one for each process and deployment.
"""

import fcntl
import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg.sql import SQL, Identifier

ROOT = Path(__file__).resolve().parent.parent
_KEPT = ROOT / ".pytest_cache/migrated"
_SOURCES = (
    "accounts",
    "calendars",
    "config",
    "core",
    "meetings",
    "notifications",
    "scheduling",
    "webhooks",
    "requirements-dev.txt",
)
_TEMPLATE = "parley_migrated"


def copy_of_sqlite(path: Path) -> None:
    """Put a copy of the migrated SQLite database at this path."""
    _KEPT.mkdir(parents=True, exist_ok=True)
    kept = _KEPT / f"{_digest()}.sqlite3"
    with (_KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the processes of a run start together
        if not kept.exists():
            for old in _KEPT.glob("*.sqlite3"):
                old.unlink()
            with TemporaryDirectory() as directory:
                _migrate(DATA_DIR=directory)
                (Path(directory) / "parley.sqlite3").rename(kept)
        path.write_bytes(kept.read_bytes())


def copy_of_postgresql(server: str, name: str) -> None:
    """Make a migrated database with this name, on the server of this URL."""
    with psycopg.connect(server, autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(1)")
        made = "SELECT 1 FROM pg_database WHERE datname = %s"
        if not session.execute(made, [_TEMPLATE]).fetchone():
            half_made = f"{_TEMPLATE}_{secrets.token_hex(4)}"
            session.execute(SQL("CREATE DATABASE {}").format(Identifier(half_made)))
            _migrate(DATABASE_URL=url_of(server, half_made))
            renamed = SQL("ALTER DATABASE {} RENAME TO {}")
            session.execute(renamed.format(Identifier(half_made), Identifier(_TEMPLATE)))
        copied = SQL("CREATE DATABASE {} TEMPLATE {}")
        session.execute(copied.format(Identifier(name), Identifier(_TEMPLATE)))


def url_of(server: str, name: str) -> str:
    return f"{server.rpartition('/')[0]}/{name}"


@contextmanager
def dropped_afterwards(server: str, name: str) -> Iterator[None]:
    try:
        yield
    finally:
        with psycopg.connect(server, autocommit=True) as session:
            session.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _digest() -> str:
    """Return a digest of everything that a migration may read."""
    digest = hashlib.sha256(sys.version.encode())
    for source in _SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(f"{file}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _migrate(**environment: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"],
        env=inherited | environment,
        check=True,
    )

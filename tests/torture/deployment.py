"""Deployment for tests: a database, broker and settings of its own, and its processes.

It uses the databases of this run: SQLite, or a new database on the PostgreSQL server of
`DATABASE_URL`. With `REDIS_URL` it gets a Valkey of its own, since tests stop and empty it.
"""

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from tests import services
from tests.migrated import copy_of_postgresql, copy_of_sqlite, dropped_afterwards, url_of

ROOT = Path(__file__).resolve().parent.parent.parent
EMBEDDED_DATABASE = not os.environ.get("DATABASE_URL")
EMBEDDED_WORKER = not os.environ.get("REDIS_URL")
# `python -m` this is the worker of docs/architecture.md that does every kind of work.
WORKER = ("-m", *["celery", "-A", "config", "worker", "--beat", "--pool", "threads", "-c", "24"])
_END_SECONDS = 10


@dataclass(frozen=True)
class Deployment:
    """Environment of Parley's processes, and a folder that only they use."""

    directory: Path
    environment: dict[str, str]
    valkey: services.Valkey | None
    python: str = sys.executable

    def manage(self, *arguments: str) -> str:
        """Run a management command and return its output."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.directory,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
        ).stdout

    @contextmanager
    def running(self, *arguments: str, **environment: str) -> Iterator["Running"]:
        """Run `python <arguments>` in a new session. All its processes end with the context."""
        log = self.directory / f"{secrets.token_hex(4)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self.python, *arguments],
                env=self.environment | environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        running = Running(process, log)
        try:
            yield running
        finally:
            running.end()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, on a connection outside Django."""
        if EMBEDDED_DATABASE:
            connection = sqlite3.connect(self.directory / "parley.sqlite3", timeout=20)
            try:
                return connection.execute(query).fetchall()
            finally:
                connection.close()
        with psycopg.connect(self.environment["DATABASE_URL"]) as session:
            return session.execute(query.encode()).fetchall()


@dataclass(frozen=True)
class Running:
    """Process, with all processes that it has started."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text()

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to every process of the session, as a terminal does with Ctrl-C."""
        os.killpg(self.process.pid, number)

    def survivors(self) -> list[int]:
        """Return the processes of the session that have not ended."""
        return [
            int(path.name)
            for path in Path("/proc").iterdir()
            if path.name.isdigit() and _session(path) == self.process.pid
        ]

    def end(self) -> None:
        for pid in self.survivors():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(_END_SECONDS)


def _session(process: Path) -> int:
    """Return the session of a live process, or 0 for others. See proc(5), `stat`."""
    try:
        state, _parent, _group, session = (
            (process / "stat").read_text().rpartition(")")[2].split()[:4]
        )
    except OSError:
        return 0
    return 0 if state == "Z" else int(session)


@contextmanager
def deployed(
    directory: Path, *, migrated: bool = False, **environment: str
) -> Iterator[Deployment]:
    """Yield a deployment with an empty database: migrated, or for `migrate` or `serve` to set up.

    With a `DATABASE_URL` of the caller's it makes no database. All migrated deployments collect
    static files into one folder.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _FORGOTTEN}
    own = {
        "DATA_DIR": str(directory),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    with ExitStack() as stack:
        if "DATABASE_URL" in environment:
            pass
        elif not EMBEDDED_DATABASE:
            server = os.environ["DATABASE_URL"]
            own["DATABASE_URL"] = stack.enter_context(_database(server, migrated=migrated))
        elif migrated:
            copy_of_sqlite(directory / "parley.sqlite3")
        if migrated:
            own["STATIC_ROOT"] = str(Path(os.environ["DATA_DIR"]) / "collected")
        valkey = None
        if not EMBEDDED_WORKER:
            valkey = stack.enter_context(services.valkey())
            own["REDIS_URL"] = valkey.url
        yield Deployment(directory, inherited | own | environment, valkey)


_FORGOTTEN = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "PORT", "PYTEST_CURRENT_TEST")


@contextmanager
def _database(server: str, *, migrated: bool) -> Iterator[str]:
    name = f"parley_{secrets.token_hex(4)}"
    if migrated:
        copy_of_postgresql(server, name)
    else:
        with psycopg.connect(server, autocommit=True) as session:
            session.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    with dropped_afterwards(server, name):
        yield url_of(server, name)


# --- children that are quick to make ----------------------------------------------------------


@dataclass(frozen=True)
class Child:
    """Process forked off the zygote, which does one of `tests.torture.roles`."""

    zygote: "Zygote"
    pid: int

    def wait(self) -> tuple[int, Any]:
        """Return its exit code (negative for a signal) and its role's value, or None if it died."""
        answer = self.zygote.ask(wait=self.pid)
        return answer["code"], answer["value"]

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Zygote:
    """Process that has loaded Django without opening anything, and that forks children."""

    process: "subprocess.Popen[str]"

    def ask(self, **question: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def fork(self, role: str, *arguments: object, fault: str = "") -> Child:
        answer = self.ask(role=role, arguments=arguments, fault=fault)
        return Child(self, answer["pid"])

    def do(self, role: str, *arguments: object) -> Any:
        """Run a role, without any kill, and return its value."""
        code, value = self.fork(role, *arguments).wait()
        assert code == 0, f"{role} ended with {code}: {value}"
        return value


@contextmanager
def zygote(deployment: Deployment) -> Iterator[Zygote]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.torture.zygote"],
        env=deployment.environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Zygote(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(_END_SECONDS)

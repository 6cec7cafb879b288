"""Parley on real servers, and many HTTP clients that call it at once.

With the embedded worker it is `manage.py serve`, one process. With Redis it is production's command
on two ports: four processes that share a database and Redis.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any, TypeVar

from tests import recipes, services, wire
from tests.torture.deployment import (
    EMBEDDED_WORKER,
    ROOT,
    Deployment,
    Running,
    deployed,
    zygote,
)

T = TypeVar("T")

PROCESSES = 1 if EMBEDDED_WORKER else 4
_LOOPBACK = "127.0.0.1"
_SERVE = (str(ROOT / "manage.py"), "serve", "--no-demo")
_START_SECONDS = 60
_ANSWER_SECONDS = 60


@dataclass(frozen=True)
class Served:
    """Running deployment: Alice and Bob have tokens, and Alice is bookable around the clock."""

    deployment: Deployment
    servers: Sequence[Running]
    ports: Sequence[int]
    cast: Mapping[str, Any]
    event_types: Sequence[int]
    tokens: Sequence[str]

    def count(self, table: str, condition: str = "1 = 1") -> int:
        ((number,),) = self.deployment.rows(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(number)

    @property
    def complaints(self) -> list[str]:
        """Return the error lines of the servers' logs."""
        lines = [line for server in self.servers for line in server.output.splitlines()]
        return [line for line in lines if "level=error" in line or "Traceback" in line]


@contextmanager
def served(
    directory: Path, *, offers: Sequence[Mapping[str, Any]] = (), **environment: str
) -> Iterator[Served]:
    """Serve Parley with these event types of Alice's, and with ten extra tokens of hers."""
    with ExitStack() as stack:
        deployment = stack.enter_context(
            deployed(directory, migrated=True, GRANIAN_WORKERS="2", **environment)
        )
        with zygote(deployment) as forking:
            cast = forking.do("set_up")
            event_types = forking.do("offer", "alice@example.com", list(offers))
            tokens = forking.do("tokens", "alice@example.com", 10)
        manifest = Path(deployment.environment["STATIC_ROOT"]) / "staticfiles.json"
        if not EMBEDDED_WORKER and not manifest.exists():
            deployment.manage("collectstatic", "--noinput", "--verbosity", "0")
        ports = [services.free_port() for _ in range(1 if EMBEDDED_WORKER else 2)]
        commands = [
            _SERVE if EMBEDDED_WORKER else recipes.by_python(recipes.command("web"), port=port)
            for port in ports
        ]
        servers = [
            stack.enter_context(deployment.running(*command, PORT=str(port)))
            for command, port in zip(commands, ports, strict=True)
        ]
        for port, server in zip(ports, servers, strict=True):
            wire.until(partial(answers, port), seconds=_START_SECONDS, what=server.output)
        yield Served(deployment, servers, ports, cast, event_types, tokens)


def answers(port: int) -> bool:
    """Tell whether a server answers, on a path that no limit counts."""
    try:
        with closing(Client(port)) as client:
            return client.ask("GET", "/nothing").status < 500
    except OSError:
        return False


@dataclass(frozen=True)
class Answer:
    """Answer, and the times before and after it, in epoch seconds of this machine's clock."""

    status: int
    headers: HTTPMessage
    body: bytes
    asked_at: float
    read_at: float

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Client:
    """One kept connection, like the session of an HTTP library."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = HTTPConnection(_LOOPBACK, port, timeout=_ANSWER_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and return its answer. Header names are written with underscores."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            told.setdefault("Content-Type", "application/json")
        asked_at = time.time()
        self._connection.request(method, path, body, self._headers | told)
        response = self._connection.getresponse()
        text = response.read()
        return Answer(response.status, response.headers, text, asked_at, time.time())

    def close(self) -> None:
        self._connection.close()


def together(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Do all acts at the same moment, each in a thread."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        gate.wait(timeout=60)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def in_a_month() -> datetime:
    """Return 10:00 UTC in about a month, within every event type's booking window."""
    today = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
    return today + timedelta(days=30)


def event(event_type: int, start: datetime) -> bytes:
    """Return the body of a request that books this start."""
    return json.dumps(
        {
            "event_type_id": event_type,
            "start_time": start.isoformat(),
            "attendee_name": "John Doe",
            "attendee_email": "john@example.com",
        }
    ).encode()

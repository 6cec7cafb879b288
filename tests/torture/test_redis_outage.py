"""Redis outages: Redis stops, hangs or forgets; the API still answers, and all is sent later.

The server, and a worker with its beat, run as in production, on a Valkey of their own. Nobody
restarts the worker: it must survive everything.
"""

import json
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from tests import services, wire
from tests.torture.conftest import Report, sized
from tests.torture.deployment import (
    EMBEDDED_WORKER,
    ROOT,
    WORKER,
    Deployment,
    Running,
    deployed,
)

if EMBEDDED_WORKER:
    pytest.skip("without REDIS_URL there is no Redis to go away", allow_module_level=True)

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.both]

# An answer without Redis takes a few milliseconds more, or the time that a hanging one is given.
SLOWEST_SECONDS = 2.0
CATCH_UP_SECONDS = 60.0


@dataclass
class Place:
    """Running deployment, and the mail server that receives its mail."""

    deployment: Deployment
    valkey: services.Valkey
    worker: Running
    mail_server: wire.MailServer
    port: int
    token: str
    recipient: int
    asked: int = 0
    seconds: list[float] = field(default_factory=list)

    def ask(self, count: int) -> None:
        """Send `count` requests for a meeting, one after the other.

        Each must be answered with 201.
        """
        for _ in range(count):
            self.asked += 1
            start = datetime.now(UTC) + timedelta(days=30, hours=self.asked)
            body = {"user_id": self.recipient, "team_id": 1, "date": start.isoformat()}
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.port}/api/v3/meeting/create",
                json.dumps(body).encode(),
                {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            )
            began = time.monotonic()
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.status == 201
            self.seconds.append(time.monotonic() - began)

    def open_a_link(self) -> None:
        """Open the link of a mail. Its page has a rate limit that is kept in Redis."""
        (link,) = (
            link
            for link in wire.links_in(self.mail_server.received[0].text())
            if link.endswith("?answer=confirm")
        )
        address = f"http://127.0.0.1:{self.port}{urlsplit(link).path}"
        began = time.monotonic()
        with urllib.request.urlopen(address, timeout=30) as page:
            assert page.status == 200
        self.seconds.append(time.monotonic() - began)

    def sent(self) -> Counter[str]:
        return Counter(mail.message_id for mail in self.mail_server.received)

    def catch_up(self) -> float:
        """Wait until every request's mail has arrived. Return the seconds it took."""
        began = time.monotonic()
        wire.until(
            lambda: len(self.sent()) >= self.asked,
            seconds=CATCH_UP_SECONDS,
            what=f"mail about {self.asked} requests",
        )
        wire.until(lambda: not self.waiting(), what="all recorded as sent")
        return time.monotonic() - began

    def waiting(self) -> int:
        ((count,),) = self.deployment.rows(
            "SELECT count(*) FROM notifications_notification"
            " WHERE state = 'waiting' AND kind = 'meeting_requested'"
        )
        return int(count)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory: Path = tmp_path_factory.mktemp("outage")
    port = services.free_port()
    with ExitStack() as stack:
        mail_server = stack.enter_context(wire.MailServer())
        deployment = stack.enter_context(
            deployed(directory, migrated=True, EMAIL_URL=mail_server.url, PORT=str(port))
        )
        assert deployment.valkey
        server = stack.enter_context(deployment.running(str(ROOT / "manage.py"), "serve"))
        wire.until(lambda: "Ask for a meeting" in server.output, seconds=60, what=server.output)
        worker = stack.enter_context(deployment.running(*WORKER))
        token = deployment.manage("create_token", "ada@example.com", "--name", "outage").strip()
        ((grace,),) = deployment.rows("SELECT id FROM accounts_user WHERE username = 'grace'")
        place = Place(deployment, deployment.valkey, worker, mail_server, port, token, grace)
        place.ask(1)
        place.catch_up()
        yield place


def check(place: Place, report: Report, name: str, size: int, act: Callable[[], None]) -> None:
    """Run `act`, which causes an outage, asks meanwhile and ends it. Check answers and mail."""
    place.seconds.clear()
    before = place.sent()
    with report.line(name, f"{size} requests") as findings:
        asked = place.asked
        act()
        findings["slowest answer"] = f"{max(place.seconds):.2f} s"
        assert max(place.seconds) < SLOWEST_SECONDS
        findings["caught up in"] = f"{place.catch_up():.1f} s"
        arrived = place.sent() - before
        assert len(arrived) == place.asked - asked
        findings["arrived"] = f"{len(arrived)} of {place.asked - asked}"
        findings["again"] = arrived.total() - len(arrived)
        assert arrived.total() == len(arrived)
        assert place.worker.process.poll() is None, place.worker.output


@pytest.mark.parametrize("keep_data", [True, False], ids=["with its data", "empty"])
def test_redis_stops_and_comes_back(place: Place, report: Report, keep_data: bool) -> None:
    size = sized(100)

    def act() -> None:
        place.ask(size // 4)
        place.valkey.stop(keep_data=keep_data)
        try:
            place.ask(size // 2)
            place.open_a_link()
        finally:
            place.valkey.start()
        place.ask(size - size // 4 - size // 2)

    comes_back = "with its data" if keep_data else "empty"
    check(place, report, f"Redis stops, comes back {comes_back}", size, act)


def test_redis_hangs(place: Place, report: Report) -> None:
    size = sized(50)

    def act() -> None:
        place.valkey.process.send_signal(signal.SIGSTOP)
        try:
            place.ask(size)
            place.open_a_link()
        finally:
            place.valkey.process.send_signal(signal.SIGCONT)

    check(place, report, "Redis hangs", size, act)


def test_redis_forgets(place: Place, report: Report) -> None:
    """The queue is emptied while the workers are away."""
    size = sized(100)

    def act() -> None:
        place.worker.signal_all(signal.SIGSTOP)
        try:
            with redis.Redis.from_url(place.valkey.url) as client:
                # No hints for a moment after one was lost. One for mail and push is handed on.
                while not client.llen("sweeps"):
                    place.ask(1)
                place.ask(size // 2)
                client.flushall()
        finally:
            place.worker.signal_all(signal.SIGCONT)
        place.ask(size - size // 2)

    check(place, report, "Redis is emptied", size, act)

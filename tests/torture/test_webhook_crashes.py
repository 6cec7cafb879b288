"""`kill -9` at every step of a delivery: committed events arrive, without an extra attempt.

Like `test_crash_matrix` for notifications: each round is a process of its own that dies. The people
who ask take turns, and each has a webhook of their own. A webhook is full while dead workers hold
four of its deliveries, until their leases end.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from queue import Queue

import pytest

from core.db.crypto import decrypt
from tests import wire
from tests.torture.conftest import Report, sized
from tests.torture.deployment import EMBEDDED_WORKER, Child, Deployment, Zygote, deployed, zygote

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.both]

LEASE_SECONDS = 2
PEOPLE = 20
DIED = -signal.SIGKILL
MID_REQUEST = "mid-request"
# From a step of the worker's to how often, at the least, each event arrives more than once.
AT_THE_WORKER = {"delivery.claimed": 0, MID_REQUEST: 1, "delivery.sent": 1, "delivery.settled": 0}


@dataclass
class Place:
    """Deployment, the means to kill it, and the endpoint that receives its webhooks."""

    deployment: Deployment
    zygote: Zygote
    endpoint: wire.Endpoint
    team_id: int
    recipient_id: int
    people: Iterator[str]
    victims: "Queue[Child]" = field(default_factory=Queue)

    def call(self) -> tuple[str, str, dict[str, object]]:
        """Return the next person's request."""
        start = datetime.now(UTC) + timedelta(days=30)
        body = {"user_id": self.recipient_id, "team_id": self.team_id, "date": start.isoformat()}
        return next(self.people), "create", body

    def server(self, *, fault: str) -> Child:
        role = "call_beside_worker" if EMBEDDED_WORKER else "call"
        return self.zygote.fork(role, *self.call(), fault=fault)

    def worker(self, *, fault: str) -> Child:
        """Run a worker that finds a pending event, with the server if the worker is embedded."""
        if EMBEDDED_WORKER:
            return self.server(fault=fault)
        self.zygote.do("call", *self.call())
        return self.zygote.fork("work", fault=fault)

    def kill_the_caller(self, call: wire.Call) -> tuple[int, dict[str, str], bytes]:
        """Kill the calling process while the endpoint holds its request.

        An event that has been here before was left by a process that died. The caller sends it
        beside its own.
        """
        if self.arrived()[call.message_id] == 1:
            self.victims.get(timeout=10).kill()
        return 200, {}, b""

    def count(self, condition: str = "1 = 1", table: str = "webhooks_delivery") -> int:
        ((number,),) = self.deployment.rows(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(number)

    def events(self) -> dict[str, bytes]:
        """Return the committed events: their exact bytes by id."""
        rows = self.deployment.rows("SELECT message_id, body FROM webhooks_webhookevent")
        context = "webhooks.webhookevent.body"
        return {message_id: decrypt(body, context=context).encode() for message_id, body in rows}

    def arrived(self) -> Counter[str]:
        return Counter(call.message_id for call in self.endpoint.received)

    def assert_all_arrived(self) -> None:
        """Check that each committed event arrived in its bytes, at the cost of one attempt."""
        events = self.events()
        assert {call.message_id: call.body for call in self.endpoint.received} == events
        assert all(call.body == events[call.message_id] for call in self.endpoint.received)
        assert self.count("state = 'sent' AND attempts = 1") == self.count() == len(events)
        assert self.count(table="webhooks_attempt") == len(events)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory: Path = tmp_path_factory.mktemp("webhook-crashes")
    with (
        wire.endpoint() as endpoint,
        deployed(
            directory,
            migrated=True,
            OUTBOX_LEASE_SECONDS=str(LEASE_SECONDS),
            WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8",
        ) as deployment,
        zygote(deployment) as forking,
    ):
        cast = forking.do("set_up")
        people = forking.do("set_up_webhooks", endpoint.url, PEOPLE)
        yield Place(deployment, forking, endpoint, cast["team_id"], cast["bob_id"], cycle(people))


@pytest.mark.parametrize("step", ["meeting.requested", "meeting.committed"])
def test_the_server_dies(place: Place, report: Report, step: str) -> None:
    rounds = sized(200)
    events, before = set(place.events()), place.arrived()
    committed = rounds if step == "meeting.committed" else 0
    with report.line(f"kill -9 of the server at {step}, webhooks", f"{rounds} kills") as findings:
        for _ in range(rounds):
            assert place.server(fault=step).wait() == (DIED, None)
        assert len(place.events()) == len(events) + committed
        findings["left to the sweep"] = place.count("state = 'waiting'")
        place.zygote.do("drain")
        place.assert_all_arrived()
        arrived = place.arrived() - before
        assert (len(arrived), arrived.total()) == (committed, committed)
        findings["arrived"] = f"{len(arrived)} of {committed}"


@pytest.mark.parametrize("step", AT_THE_WORKER)
def test_the_worker_dies(place: Place, report: Report, step: str) -> None:
    rounds, again_at_least = sized(200), AT_THE_WORKER[step]
    events, before = set(place.events()), place.arrived()
    with report.line(f"kill -9 of the worker at {step}", f"{rounds} kills") as findings:
        if step == MID_REQUEST:
            place.endpoint.answer = place.kill_the_caller
        for _ in range(rounds):
            child = place.worker(fault="" if step == MID_REQUEST else step)
            if step == MID_REQUEST:
                place.victims.put(child)
            assert child.wait() == (DIED, None)
        place.endpoint.always(200)
        assert len(place.events()) == len(events) + rounds
        # Not an attempt was spent on a crash, and none is on record.
        assert place.count("state = 'waiting' AND attempts > 0") == 0
        findings["left to the sweep"] = place.count("state = 'waiting'")
        place.zygote.do("drain")
        place.assert_all_arrived()
        arrived = place.arrived() - before
        again = arrived.total() - len(arrived)
        assert len(arrived) == rounds
        assert again >= again_at_least * rounds
        if step == "delivery.claimed":
            assert again == 0
        findings["arrived"] = f"{len(arrived)} of {rounds}"
        findings["again"] = again

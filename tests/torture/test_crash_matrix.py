"""`kill -9` at every step of a notification: committed ones are sent, others are not.

Each round is a process of its own that dies; the deployment lives on. With the embedded worker,
server and worker die together. With Redis, the server dies at its steps and the worker at its own.
After the rounds, a worker that nobody kills finds the rest by its sweep.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import wire
from tests.torture.conftest import Report, sized
from tests.torture.deployment import EMBEDDED_WORKER, Child, Deployment, Zygote, deployed, zygote

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.both]

LEASE_SECONDS = 2
DIED = -signal.SIGKILL
BEFORE_COMMIT = "meeting.requested"
AT_THE_SERVER = (BEFORE_COMMIT, "meeting.committed", "outbox.hinted")
AT_THE_WORKER = (
    "outbox.claiming",
    "notification.claimed",
    "notification.sent",
    "notification.settled",
)


def _hours_from_now() -> Iterator[datetime]:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=30)
    while True:
        hour += timedelta(hours=1)
        yield hour


@dataclass
class Place:
    """Deployment, the means to kill it, and the mail server that receives its mail."""

    deployment: Deployment
    zygote: Zygote
    mail_server: wire.MailServer
    cast: dict[str, Any]
    hours: Iterator[datetime] = field(default_factory=_hours_from_now)

    def request(self) -> dict[str, object]:
        """Return the body of a meeting request for a free hour."""
        return {
            "user_id": self.cast["bob_id"],
            "team_id": self.cast["team_id"],
            "date": next(self.hours).isoformat(),
        }

    def event(self) -> dict[str, object]:
        """Return the body of a booking of a free hour."""
        return {
            "event_type_id": self.cast["event_types"][0],
            "attendee_name": "John Doe",
            "attendee_email": "john@example.com",
            "start_time": next(self.hours).isoformat(),
        }

    def notifications(self) -> dict[str, tuple[str, int]]:
        """Return state and attempts of each due email in the database."""
        rows = self.deployment.rows(
            "SELECT message_id, state, attempts FROM notifications_notification"
            " WHERE channel = 'email' AND kind NOT IN ('meeting_reminder', 'booking_reminder',"
            " 'meeting_unanswered', 'booking_unanswered')"
        )
        return {message_id: (state, attempts) for message_id, state, attempts in rows}

    def count(self, table: str, condition: str = "1 = 1") -> int:
        ((number,),) = self.deployment.rows(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(number)

    def sent(self) -> Counter[str]:
        """Return how often each notification has arrived, by the name in its Message-ID."""
        return Counter(
            mail.message_id.strip("<>").partition("@")[0] for mail in self.mail_server.received
        )

    def answered(self) -> set[int]:
        """Return the meetings that a client got an answer about."""
        path = self.deployment.directory / "answered"
        return {int(line) for line in path.read_text().split()} if path.exists() else set()

    def server(self, *, fault: str) -> Child:
        """Run a server that gets a meeting request, with its worker if that is embedded."""
        role = "call_beside_worker" if EMBEDDED_WORKER else "call"
        return self.zygote.fork(role, self.cast["alice"], "create", self.request(), fault=fault)

    def worker(self, *, fault: str) -> Child:
        """Run a worker that finds a pending request, with the server if the worker is embedded."""
        if EMBEDDED_WORKER:
            return self.server(fault=fault)
        self.zygote.do("call", self.cast["alice"], "create", self.request())
        return self.zygote.fork("work", fault=fault)

    def assert_all_arrived(self) -> None:
        """Check that each committed notification was sent and recorded, for one attempt each."""
        notifications, sent = self.notifications(), self.sent()
        assert set(sent) == set(notifications)
        assert set(notifications.values()) <= {("sent", 1)}
        meetings = {pk for (pk,) in self.deployment.rows("SELECT id FROM meetings_meetingrequest")}
        assert self.answered() <= meetings


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory: Path = tmp_path_factory.mktemp("crashes")
    with (
        wire.MailServer() as mail_server,
        deployed(
            directory,
            migrated=True,
            EMAIL_URL=mail_server.url,
            OUTBOX_LEASE_SECONDS=str(LEASE_SECONDS),
        ) as deployment,
        zygote(deployment) as forking,
    ):
        cast = forking.do("set_up")
        cast["event_types"] = forking.do("offer", "alice@example.com", [{"duration": 30}])
        yield Place(deployment, forking, mail_server, cast)


@pytest.mark.parametrize("step", AT_THE_SERVER)
def test_the_server_dies(place: Place, report: Report, step: str) -> None:
    rounds = sized(50)
    meetings, before = place.count("meetings_meetingrequest"), place.sent()
    with report.line(f"kill -9 of the server at {step}", f"{rounds} kills") as findings:
        for _ in range(rounds):
            assert place.server(fault=step).wait() == (DIED, None)
        committed = 0 if step == BEFORE_COMMIT else rounds
        assert place.count("meetings_meetingrequest") == meetings + committed
        assert len(place.notifications()) == meetings + committed
        findings["left to the sweep"] = place.zygote.do("drain")
        place.assert_all_arrived()
        arrived = place.sent() - before
        assert len(arrived) == committed
        findings["arrived"] = f"{len(arrived)} of {committed}"
        findings["again"] = arrived.total() - len(arrived)


@pytest.mark.parametrize("step", AT_THE_WORKER)
def test_the_worker_dies(place: Place, report: Report, step: str) -> None:
    rounds = sized(50)
    meetings, before = place.count("meetings_meetingrequest"), place.sent()
    with report.line(f"kill -9 of the worker at {step}", f"{rounds} kills") as findings:
        for _ in range(rounds):
            assert place.worker(fault=step).wait() == (DIED, None)
        assert place.count("meetings_meetingrequest") == meetings + rounds
        # Not an attempt was spent on a crash.
        spent = place.count("notifications_notification", "state = 'waiting' AND attempts > 0")
        assert spent == 0
        findings["left to the sweep"] = place.zygote.do("drain")
        place.assert_all_arrived()
        arrived = place.sent() - before
        assert len(arrived) == rounds
        again = arrived.total() - len(arrived)
        # Who dies between sending and noting it sends again, under the same Message-ID. Where a
        # round takes longer than a lease, a worker sends what an earlier one left as well.
        assert again >= rounds if step == "notification.sent" else again == 0
        findings["arrived"] = f"{len(arrived)} of {rounds}"
        findings["again"] = again


def test_an_answer_dies_before_its_commit(place: Place, report: Report) -> None:
    rounds = sized(50)
    with report.line("kill -9 of the server at meeting.moved", f"{rounds} kills") as findings:
        before = place.sent()
        alice, bob = place.cast["alice"], place.cast["bob"]
        asked = [
            place.zygote.do("call", alice, "create", place.request())["id"] for _ in range(rounds)
        ]
        place.zygote.do("drain")  # nobody is asked for what is answered already
        for number in asked:
            child = place.zygote.fork("call", bob, f"{number}/confirm", {}, fault="meeting.moved")
            assert child.wait() == (DIED, None)
        assert place.count("meetings_meetingrequest", "status <> 'pending'") == 0
        assert place.count("calendars_busytime") == 0
        asking = (
            "'meeting_requested', 'meeting-created', 'meeting_unanswered', 'meeting-unanswered'"
        )
        told = f"kind NOT IN ({asking})"
        assert place.count("notifications_notification", told) == 0

        # Asked again, each goes through: nothing is held by the dead.
        for number in asked:
            place.zygote.do("call", bob, f"{number}/confirm", {})
        place.zygote.do("drain")
        place.assert_all_arrived()
        assert place.count("meetings_meetingrequest", "status = 'confirmed'") == rounds
        assert place.count("calendars_busytime") == 2 * rounds
        arrived = place.sent() - before
        assert (len(arrived), arrived.total()) == (3 * rounds, 3 * rounds)
        findings["confirmed at the second try"] = rounds


def test_server_and_worker_die_anywhere(place: Place, report: Report) -> None:
    """The kill comes at a random moment, not at a named point."""
    rounds, dice = sized(50), random.Random(9)
    before, alice = place.sent(), place.cast["alice"]
    with report.line("kill -9 of both at any moment", f"{rounds} kills") as findings:
        for _ in range(rounds):
            children = [place.server(fault="")]
            if not EMBEDDED_WORKER:
                children.append(place.zygote.fork("work"))
            time.sleep(dice.uniform(0.0, 0.2))  # not to wait for anything: to come at any moment
            for child in children:
                child.kill()
            codes = [child.wait()[0] for child in children]
            assert set(codes) <= {DIED, 0}  # with Redis the server may have ended by itself
        place.zygote.do("call", alice, "create", place.request())
        findings["left to the sweep"] = place.zygote.do("drain")
        place.assert_all_arrived()
        arrived = place.sent() - before
        assert max(arrived.values()) <= 2
        findings["committed and arrived"] = len(arrived)
        findings["again"] = arrived.total() - len(arrived)


def test_a_booking_dies_before_its_commit(place: Place, report: Report) -> None:
    """The process dies when it books and when it cancels. The same key works at the second try."""
    rounds, alice = sized(50), place.cast["alice"]
    wanted = [(place.event(), f"key-{number}") for number in range(rounds)]
    held, reminders = place.count("calendars_busytime"), "kind = 'booking_reminder'"
    before = place.sent()

    def assert_nothing_but(status: str, rows: int) -> None:
        """Check for `rows` bookings in this status.

        Each has a claim, a history entry and 4 reminders.
        """
        assert place.count("scheduling_booking") == rows
        assert place.count("scheduling_booking", f"status = '{status}' AND sequence = 0") == rows
        assert place.count("scheduling_booking", "busy_time_id IS NOT NULL") == rows
        assert place.count("calendars_busytime") == held + rows
        assert place.count("scheduling_historyentry") == rows
        assert place.count("core_idempotencyrecord") == rows
        assert (
            place.count("notifications_notification", f"{reminders} AND state = 'waiting'")
            == 4 * rows
        )

    with report.line("kill -9 of the server at booking.created", f"{rounds} kills") as findings:
        for body, key in wanted:
            child = place.zygote.fork(
                "call_v1", alice, "events", body, key, fault="booking.created"
            )
            assert child.wait() == (DIED, None)
        assert_nothing_but("confirmed", 0)
        made = [place.zygote.do("call_v1", alice, "events", body, key) for body, key in wanted]
        again = [place.zygote.do("call_v1", alice, "events", body, key) for body, key in wanted]
        assert [replayed for _booking, replayed in made] == [False] * rounds
        assert again == [[booking, True] for booking, _replayed in made]
        assert_nothing_but("confirmed", rounds)
        findings["booked at the second try"] = rounds

    with report.line("kill -9 of the server at booking.moved", f"{rounds} kills") as findings:
        paths = [f"events/{booking['id']}/cancel" for booking, _replayed in made]
        for path in paths:
            child = place.zygote.fork("call_v1", alice, path, {}, "", fault="booking.moved")
            assert child.wait() == (DIED, None)
        assert_nothing_but("confirmed", rounds)
        for path in paths:
            place.zygote.do("call_v1", alice, path, {}, "")
        assert place.count("scheduling_booking", "status = 'cancelled' AND sequence = 1") == rounds
        assert place.count("calendars_busytime") == held
        assert place.count("scheduling_historyentry") == 2 * rounds
        assert (
            place.count("notifications_notification", f"{reminders} AND state <> 'withdrawn'") == 0
        )
        place.zygote.do("drain")
        place.assert_all_arrived()
        arrived = place.sent() - before
        assert (len(arrived), arrived.total()) == (4 * rounds, 4 * rounds)
        findings["cancelled at the second try"] = rounds

"""Races of outside calendars: with bookings, with their own echo, and between two workers."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from accounts.models import User
from calendars.domain import accounts, pushing, reading
from calendars.models import BusyTime, Calendar, CalendarAccount, Entry, Push
from core.db import outbox
from core.db.outbox import OutboxState
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from tests import factories
from tests.calendars import servers, world
from tests.calendars.conftest import loopback
from tests.calendars.servers import Asked, Said, Scripted, scripted
from tests.calendars.world import Outside, event, fresh, text_of
from tests.torture.conftest import Report, sized
from tests.torture.races import at_once, kinds, overlaps
from tests.torture.roles import offer

__all__ = ["loopback"]

pytestmark = [
    pytest.mark.torture,
    pytest.mark.alone,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("loopback"),
]

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = TODAY + timedelta(days=2)
HALF_AN_HOUR = timedelta(minutes=30)
CALLERS = 4


class Feed:
    """An ICS address that shows the entries that a test adds."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.server: Scripted

    def __call__(self, _asked: Asked) -> Said:
        return Said(body=text_of(*self.events).encode())


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    with scripted(feed) as feed.server:
        yield feed


@pytest.fixture
def followed(feed: Feed, alice: User) -> Calendar:
    """Return a calendar of Alice's that has been read, and is empty."""
    calendar = world.connected(alice, {"url": feed.server.url}, provider="ics", now=timezone.now())
    assert world.read(calendar.account, now=timezone.now())
    return calendar


@pytest.fixture
def around_the_clock(alice: User) -> EventType:
    [number] = offer(alice.email, [{"duration": 30, "slot_interval": 15}])
    return EventType.objects.get(pk=number)


def read_if(condition: Callable[[datetime], Q], account: int) -> bool | None:
    """Read an account as a worker does. None if this worker could not claim it."""
    now = timezone.now()
    claimed = reading.claim(account, condition=condition(now), now=now, seconds=60)
    return None if claimed is None else reading.read(claimed, now=now)


def unleased(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def anyhow(_now: datetime) -> Q:
    return Q()


# --- bookings -----------------------------------------------------------------------------------


def test_an_entry_comes_while_its_time_is_booked(
    feed: Feed, followed: Calendar, around_the_clock: EventType, alice: User, report: Report
) -> None:
    """In every second round the calendar is stale, so that those who book read it themselves."""
    rounds = sized(200)
    token, account = factories.token(alice), followed.account_id

    def book(start: datetime) -> int:
        body = {
            "event_type_id": around_the_clock.pk,
            "start_time": start.isoformat(),
            "attendee_name": "John Doe",
            "attendee_email": "john@example.com",
        }
        program = Client(
            headers={"host": "localhost", "authorization": f"Bearer {token}"},
            raise_request_exception=False,
        )
        return program.post("/api/v1/events", body, content_type="application/json").status_code

    starts = [START + number * HALF_AN_HOUR for number in range(rounds)]
    with report.line("an entry comes while its time is booked", f"{rounds} rounds") as findings:
        told = Counter[object]()
        for number, start in enumerate(starts):
            if number % 2:
                before = timezone.now() - timedelta(minutes=2)
                CalendarAccount.objects.update(read_at=before)
                Calendar.objects.update(read_at=before)
            feed.events.append(event(f"{number}@example.com", start))
            read = partial(read_if, unleased, account)
            acts: list[Callable[[], object]] = [read, *[partial(book, start)] * CALLERS]
            _read, *statuses = at_once(acts)
            answers = Counter[object](statuses)
            assert set(answers) <= {201, 409}
            assert answers[201] <= 1
            told += answers
            assert world.read(fresh(followed).account, now=timezone.now())
            assert book(start) == 409
        assert BusyTime.objects.filter(exclusive=False).count() == rounds
        assert Entry.objects.filter(busy_time=None).count() == 0
        claims = BusyTime.objects.filter(exclusive=True).order_by("pk").values_list("pk", flat=True)
        held = Booking.objects.order_by("busy_time").values_list("busy_time", flat=True)
        assert list(claims) == list(held)
        assert len(held) == told[201]
        assert overlaps() == 0
        findings.update(booked=told[201], refused=rounds - told[201])


# --- two workers --------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [reading.due, anyhow], ids=["lease", "stolen lease"])
def test_workers_read_one_calendar(
    feed: Feed, followed: Calendar, report: Report, condition: Callable[[datetime], Q]
) -> None:
    """Under a lease one of them reads. Where each takes it from the others, one result remains."""
    rounds = sized(50)
    for number in range(10):
        feed.events.append(event(f"kept{number}@example.com", START - number * HALF_AN_HOUR))
    with report.line(f"workers read one calendar, {condition.__name__}", f"{rounds} rounds"):
        for number in range(rounds):
            feed.events = feed.events[:10]
            feed.events.append(event("moved@example.com", START + number * HALF_AN_HOUR))
            CalendarAccount.objects.update(due_at=timezone.now())
            outcomes = at_once([partial(read_if, condition, followed.account_id)] * CALLERS)
            if condition is reading.due:
                assert Counter(outcomes) == {True: 1, None: CALLERS - 1}
            else:
                assert True in outcomes
                assert set(outcomes) <= {True, False}
            starts = BusyTime.objects.order_by("start").values_list("start", flat=True)
            expected = [START + number * HALF_AN_HOUR]
            expected += [START - each * HALF_AN_HOUR for each in range(10)]
            # Nobody who reads at once misses the move: it was there before.
            assert list(starts) == sorted(int(each.timestamp()) for each in expected)
            account = fresh(followed).account
            assert (account.state, account.lease, account.lease_until) == ("ok", "", None)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with servers.radicale_with_password(tmp_path) as server:
        server.call("PROPFIND", server.home, Depth="0")  # the first sign-in makes it
        yield Outside(server, server.make_calendar("work"))


@pytest.fixture
def written(outside: Outside, alice: User, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    """Return a calendar to which Alice's bookings are written, and which closes time."""
    monkeypatch.setattr(Push, "DELAYS", [timedelta(0)] * len(Push.DELAYS))
    calendar = world.connected(alice, outside.secret, now=timezone.now())
    accounts.change_calendar(calendar=calendar, writes=True, now=timezone.now())
    assert world.read(calendar.account, now=timezone.now())
    return fresh(calendar)


def assert_stands_once(outside: Outside, starts: Sequence[datetime]) -> None:
    """Check that the calendar has one object for each of these times, and no other."""
    texts = outside.objects()
    found = [line for text in texts for line in text.splitlines() if line.startswith("DTSTART:2")]
    assert sorted(found) == sorted(f"DTSTART:{each:%Y%m%dT%H%M%SZ}" for each in starts)


def test_workers_write_one_object(
    outside: Outside, written: Calendar, around_the_clock: EventType, report: Report
) -> None:
    """A worker is taken for dead while it writes, and another one writes the same."""
    rounds = sized(50)
    starts = [START + number * HALF_AN_HOUR for number in range(rounds)]

    def write_twice() -> None:
        """Have two workers send the only row, then finish what is left."""
        now, rows = timezone.now(), Push.objects.select_related("calendar__account__user")
        claimed = [outbox.claim(rows, now=now + n * timedelta(hours=1), most=9) for n in range(2)]
        [one], [other] = claimed
        assert at_once([partial(pushing._send, one), partial(pushing._send, other)]) == [True] * 2
        pushing.write(written.account_id, now=timezone.now())
        assert not Push.objects.filter(state=OutboxState.WAITING).exists()

    with report.line("workers write one object", f"{3 * rounds} rounds"):
        for number, start in enumerate(starts):
            booking = factories.booking(around_the_clock, start=start, now=timezone.now())
            write_twice()
            assert_stands_once(outside, [*starts[:number], start])
            later = start + timedelta(days=30)
            bookings.reschedule(
                booking=booking, start=later, actor=bookings.INVITEE, now=timezone.now()
            )
            write_twice()
            assert_stands_once(outside, [*starts[:number], later])
            bookings.cancel(booking=booking, actor=bookings.INVITEE, now=timezone.now())
            write_twice()
            assert_stands_once(outside, starts[:number])
            assert not Push.objects.filter(uid=booking.calendar_uid).exists()
            factories.booking(around_the_clock, start=start, now=timezone.now())
            pushing.write(written.account_id, now=timezone.now())


def test_a_host_moves_a_booking_while_its_echo_is_read(
    outside: Outside,
    written: Calendar,
    around_the_clock: EventType,
    alice: User,
    report: Report,
) -> None:
    """It moves by a quarter of an hour, over itself: its echo must never be in its way."""
    rounds = sized(100)
    booking = factories.booking(around_the_clock, start=START, now=timezone.now())
    pushing.write(written.account_id, now=timezone.now())
    with report.line("a booking moves while its echo is read", f"{rounds} rounds"):
        for number in range(rounds):
            start = START + timedelta(minutes=15 * (number % 2 == 0))

            def move(to: datetime = start) -> object:
                return bookings.reschedule(
                    booking=booking, start=to, actor=bookings.host(alice), now=timezone.now()
                )

            def write() -> None:
                pushing.write(written.account_id, now=timezone.now())

            CalendarAccount.objects.update(whole_at=None)
            read = partial(read_if, unleased, written.account_id)
            acts: list[Callable[[], object]] = [move, read, write]
            moved, was_read, _none = at_once(acts)
            assert kinds([moved]) == {"Booking": 1}
            assert was_read is True
            assert not BusyTime.objects.filter(exclusive=False).exists()
            [claim] = BusyTime.objects.all()
            assert claim.start_at == start
            pushing.write(written.account_id, now=timezone.now())
            assert_stands_once(outside, [start])
        assert Entry.objects.count() == 1

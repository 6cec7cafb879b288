"""Races for one time of a host, through the services of `scheduling.domain.bookings`."""

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from accounts.models import User
from calendars.models import BusyTime
from core.db import retrying
from core.errors import DomainError, TimeTaken
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from tests import factories
from tests.torture.conftest import Report, sized
from tests.torture.races import at_once, kinds

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
LONGEST_SECONDS = 60
# Duration, buffers and distance of starts; and starts, in minutes from START. Whatever is booked of
# these claims the instant half an hour after START: so only one can be.
OVERLAPPING = [
    ((15, 30, 30, 15), (15, 45)),
    ((120, 0, 0, 30), (-60, -30, 0)),
    ((30, 60, 0, 30), (60,)),
    ((30, 0, 45, 30), (-30,)),
    ((480, 0, 15, 60), (-60,)),
]


@pytest.fixture(autouse=True)
def _a_deadlock_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn off retries, so that a deadlock fails the test."""
    monkeypatch.setattr(retrying, "_TRIES", 1)


def offered(host: User, terms: tuple[int, int, int, int]) -> EventType:
    duration, before, after, step = terms
    return factories.event_type(
        host,
        name=f"{duration} minutes",
        duration=duration,
        buffer_time_before=before,
        buffer_time_after=after,
        slot_interval=step,
    )


def take(
    event_type: EventType, start: datetime, actor: bookings.Actor = bookings.INVITEE
) -> Booking:
    return factories.booking(event_type, start=start, now=NOW, actor=actor)


def test_one_slot_is_booked_once(alice: User, report: Report) -> None:
    """Half of the callers want the same start. The others want overlapping times on other terms."""
    threads, tries = sized(100), sized(10_000)
    same = offered(alice, (60, 0, 0, 60)), START
    others = [
        (event_type, START + timedelta(minutes=minutes))
        for terms, starts in OVERLAPPING
        for event_type in [offered(alice, terms)]
        for minutes in starts
    ]
    dice = random.Random(5)
    wanted = [same if number % 2 else dice.choice(others) for number in range(tries)]

    def work(plan: list[tuple[EventType, datetime]]) -> list[Booking | DomainError]:
        outcomes: list[Booking | DomainError] = []
        for event_type, start in plan:
            try:
                outcomes.append(take(event_type, start))
            except DomainError as refusal:
                outcomes.append(refusal)
        return outcomes

    with report.line("one slot booked", f"{threads} threads, {tries} tries") as findings:
        began = time.monotonic()
        outcomes: list[Booking | DomainError] = []
        for each in at_once([partial(work, wanted[n::threads]) for n in range(threads)]):
            assert isinstance(each, list)
            outcomes += each
        seconds = time.monotonic() - began

        assert kinds(outcomes) == {"Booking": 1, "TimeTaken": tries - 1}
        reasons = Counter(error.reason for error in outcomes if isinstance(error, TimeTaken))
        assert set(reasons) <= {"busy", "buffer"}
        (won,) = (outcome for outcome in outcomes if isinstance(outcome, Booking))
        booking, row = Booking.objects.get(), BusyTime.objects.get()
        assert (booking, booking.busy_time) == (won, row)
        assert (booking.status, booking.sequence) == ("confirmed", 0)
        history = booking.history.values_list("sequence", "change", "from_status", "to_status")
        assert list(history) == [(0, "created", "", "confirmed")]
        mails = Notification.objects.filter(channel="email")
        told = Counter(mails.values_list("kind", flat=True))
        assert told == {"booking_confirmed": 2, "booking_reminder": 4}
        assert seconds < LONGEST_SECONDS
        findings["booked"] = 1
        findings.update(reasons)


def test_free_slots_are_raced_for(alice: User, report: Report) -> None:
    """Each caller tries once. All see the slot free, so the lock decides."""
    threads, rounds = sized(100), sized(20)
    event_type = offered(alice, (30, 0, 0, 30))
    starts = [START + timedelta(days=n // 10, minutes=30 * (n % 10)) for n in range(rounds)]
    with report.line("free slots raced for", f"{rounds} rounds of {threads} threads") as findings:
        for start in starts:
            outcomes = at_once([partial(take, event_type, start)] * threads)
            assert kinds(outcomes) == {"Booking": 1, "TimeTaken": threads - 1}
        assert Booking.objects.count() == BusyTime.objects.count() == rounds
        findings["booked"] = rounds


def test_a_daily_limit_is_raced_for(alice: User, report: Report) -> None:
    """Sixteen callers want starts of one day that allows three bookings."""
    threads, limit = max(sized(160), 32), 3
    event_type = factories.event_type(alice, duration=30, slot_interval=30, daily_limit=limit)
    starts = [START + timedelta(minutes=30 * n) for n in range(-2, 14)]
    with report.line("a daily limit raced for", f"{threads} threads, limit {limit}") as findings:
        outcomes = at_once(
            [partial(take, event_type, starts[n % len(starts)]) for n in range(threads)]
        )
        assert kinds(outcomes) == {"Booking": limit, "TimeTaken": threads - limit}
        reasons = Counter(error.reason for error in outcomes if isinstance(error, TimeTaken))
        assert set(reasons) <= {"busy", "daily_limit"}
        assert reasons["daily_limit"]
        assert Booking.objects.count() == BusyTime.objects.count() == limit
        findings.update(booked=limit, **reasons)

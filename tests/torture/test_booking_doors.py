"""Races between the ways to change bookings, and between bookings and meeting requests."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias

import pytest

from accounts.models import Team, User
from calendars.models import BusyTime
from core.db import retrying
from meetings.domain import services as meetings
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.domain import bookings, services
from scheduling.domain.facts import USUAL_REMINDERS
from scheduling.models import Booking, EventType
from scheduling.models.enums import TRANSITIONS, Change, Role, Status
from tests import factories
from tests.torture.conftest import Report, sized
from tests.torture.races import at_once, kinds, overlaps

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
# How many emails tell of a change; reminders apart.
MAILS = {
    Change.CREATED: ("booking_requested", 2),
    Change.CONFIRMED: ("booking_confirmed", 2),
    Change.REJECTED: ("booking_rejected", 1),
    Change.CANCELLED: ("booking_cancelled", 2),
    Change.RESCHEDULED: ("booking_rescheduled", 2),
}
OVER = {Status.REJECTED, Status.CANCELLED}

Door: TypeAlias = Callable[[], Booking]


@pytest.fixture(autouse=True)
def _a_deadlock_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn off retries, so that a deadlock fails the test."""
    monkeypatch.setattr(retrying, "_TRIES", 1)


def around_the_clock(host: User) -> None:
    services.set_hours(
        user=host,
        days={str(n): {"enabled": True, "start": "00:00", "end": "24:00"} for n in range(1, 8)},
    )


def take(event_type: EventType, start: datetime) -> Booking:
    return factories.booking(event_type, start=start, now=NOW)


def assert_legal(booking: Booking) -> None:
    """Check that each change may follow the one before, and that its actor may cause it."""
    was, start = "", booking.start
    for number, entry in enumerate(booking.history.all()):
        assert (entry.sequence, entry.from_status) == (number, was)
        change, to = Change(entry.change), entry.to_status
        if change == Change.CREATED:
            assert (number, to) == (0, Status.PENDING)
        else:
            assert entry.role in TRANSITIONS[change].get(Status(was), ())
        if change == Change.RESCHEDULED:
            assert entry.start != start
            assert to == (Status.PENDING if entry.role == Role.INVITEE else was)
        elif change != Change.CREATED:
            assert (entry.start, to) == (start, change)
        was, start = to, entry.start
    assert (booking.status, booking.start, booking.sequence) == (was, start, number)


def assert_told(booking: Booking, since: int) -> None:
    """Check the emails of each change. Only a confirmed booking has pending reminders."""
    rows = Notification.objects.filter(pk__gt=since, channel="email")
    rows = rows.exclude(kind="booking_unanswered")
    expected: Counter[str] = Counter()
    for entry in booking.history.all():
        kind, mails = MAILS[Change(entry.change)]
        expected[kind] += mails
        changes_calendars = entry.change in (Change.CONFIRMED, Change.RESCHEDULED)
        if changes_calendars and entry.to_status == Status.CONFIRMED:
            expected["booking_reminder"] += 2 * len(USUAL_REMINDERS)
    assert Counter(rows.values_list("kind", flat=True)) == expected
    reminders = rows.filter(topic=f"booking:{booking.pk}:reminders")
    waiting = Counter(reminders.filter(state="waiting").values_list("due_at", flat=True))
    stands = booking.status == Status.CONFIRMED
    assert waiting == ({booking.start - lead: 2 for lead in USUAL_REMINDERS} if stands else {})
    assert reminders.exclude(state="waiting").exclude(state="withdrawn").count() == 0


def assert_held(booking: Booking) -> None:
    """Check that a booking holds one busy row with its buffers, or none once it is over."""
    if booking.status in OVER:
        assert booking.busy_time is None
    else:
        assert booking.busy_time is not None
        assert booking.busy_time.start_at == booking.start - timedelta(minutes=15)
        assert booking.busy_time.end_at == booking.end + timedelta(minutes=15)


def doors_of(booking: Booking, *, sequence: int | None, to_the_end: bool) -> list[Door]:
    """Return all changes that host and invitee can make, or only those that do not end it."""

    def door(act: Callable[..., Booking], actor: bookings.Actor, hours: int = 0) -> Door:
        to = {"start": booking.start + hours * HOUR} if hours else {}
        return partial(act, booking=booking, actor=actor, now=NOW, sequence=sequence, **to)

    host = bookings.host(booking.host)
    doors = [
        door(bookings.confirm, host),
        door(bookings.reschedule, host, 1),
        door(bookings.reschedule, bookings.INVITEE, 2),
    ]
    if to_the_end:
        doors += [
            door(bookings.reject, host),
            door(bookings.cancel, host),
            door(bookings.cancel, bookings.INVITEE),
        ]
    return doors


@pytest.mark.parametrize("seen", [None, 0], ids=["blind", "all saw the first state"])
def test_every_end_of_a_race_of_all_doors_is_a_legal_story(
    alice: User, report: Report, seen: int | None
) -> None:
    """Nobody ends the booking in every other round. It is rescheduled and confirmed repeatedly."""
    around_the_clock(alice)
    event_type = factories.event_type(
        alice, requires_approval=True, buffer_time_before=15, buffer_time_after=15
    )
    rounds, size = 10, sized(60)
    ends: Counter[str] = Counter()
    name = "all doors of a booking" + ("" if seen is None else " as first seen")
    with report.line(name, f"{rounds} rounds of {size} threads") as findings:
        changes = 0
        for number in range(rounds):
            start = START + 4 * HOUR * number
            newest = Notification.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            booking = take(event_type, start)
            doors = doors_of(booking, sequence=seen, to_the_end=bool(number % 2))
            outcomes = at_once([doors[n % len(doors)] for n in range(size)])

            assert set(kinds(outcomes)) <= {"Booking", "InvalidTransition"}
            booking = Booking.objects.select_related("busy_time").get(pk=booking.pk)
            assert_legal(booking)
            assert_told(booking, newest)
            assert_held(booking)
            if seen is not None:
                assert booking.sequence == 1
            changes += booking.sequence
            ends[booking.status] += 1
        held = Booking.objects.exclude(status__in=OVER).count()
        assert (BusyTime.objects.count(), overlaps()) == (held, 0)
        findings.update(changes=changes, **ends)


def test_of_those_that_want_one_time_one_moves_there(alice: User, report: Report) -> None:
    """Two bookings of other lengths reschedule to one time, while a third one is made there."""
    around_the_clock(alice)
    plain = factories.event_type(alice, duration=60)
    buffered = factories.event_type(alice, buffer_time_before=15, buffer_time_after=15)
    host, rounds = bookings.host(alice), sized(200)
    winners: Counter[str] = Counter()
    with report.line("two move to one slot, one is made", f"{rounds} rounds") as findings:
        for number in range(rounds):
            start = START + 5 * HOUR * number
            first, second = take(plain, start), take(buffered, start + 2 * HOUR)
            target = start + 3 * HOUR
            outcomes = at_once(
                [
                    partial(bookings.reschedule, booking=first, start=target, actor=host, now=NOW),
                    partial(
                        bookings.reschedule,
                        booking=second,
                        start=target,
                        actor=bookings.INVITEE,
                        now=NOW,
                    ),
                    partial(take, plain, target),
                ]
            )
            assert kinds(outcomes) == {"Booking": 1, "TimeTaken": 2}
            won = [isinstance(outcome, Booking) for outcome in outcomes]
            for booking, moved in ((first, won[0]), (second, won[1])):
                was = booking.start
                booking.refresh_from_db()
                assert booking.start == (target if moved else was)
                assert (booking.sequence, booking.history.count()) == (moved, 1 + moved)
                assert booking.busy_time is not None
                assert booking.busy_time.start_at <= booking.start
            assert BusyTime.objects.count() == Booking.objects.count()
            winners[("moved by the host", "moved by the invitee", "made")[won.index(True)]] += 1
        assert overlaps() == 0
        findings.update(winners)


def test_a_meeting_and_bookings_of_the_same_hour(
    team: Team, alice: User, bob: User, report: Report
) -> None:
    """A meeting takes time of two people, a booking of one.

    Either the meeting or the bookings win.
    """
    people, rounds = (alice, bob), sized(200)
    for person in people:
        around_the_clock(person)
    event_types = [factories.event_type(person, duration=60) for person in people]
    winners: Counter[str] = Counter()

    def answer(number: int, recipient: User) -> MeetingRequest:
        found = meetings.find(meeting_id=number, user=recipient)
        return meetings.confirm(meeting=found, actor=recipient, now=NOW)

    with report.line("a meeting, two bookings: one hour", f"{rounds} rounds") as findings:
        for number in range(rounds):
            start = START + 3 * HOUR * number
            requester, recipient = people if number % 2 else reversed(people)
            meeting = meetings.request_meeting(
                requester=requester,
                team_id=team.pk,
                recipient_id=recipient.pk,
                date=start.isoformat(),
                link="",
                now=NOW,
            )
            acts: list[Callable[[], MeetingRequest | Booking]] = [
                partial(answer, meeting.pk, recipient),
                *(partial(take, event_type, start) for event_type in event_types),
            ]
            outcomes = at_once(acts)
            met = isinstance(outcomes[0], MeetingRequest)
            assert kinds(outcomes) == (
                {"MeetingRequest": 1, "TimeTaken": 2} if met else {"TimeTaken": 1, "Booking": 2}
            )
            meeting.refresh_from_db()
            assert meeting.status == ("confirmed" if met else "pending")
            assert BusyTime.objects.count() == 2 * (number + 1)
            winners["meetings" if met else "pairs of bookings"] += 1
        assert overlaps() == 0
        findings.update(winners)

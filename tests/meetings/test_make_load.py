"""Load generator: row counts, rows that the services could have made, and later use of them."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from accounts.models import Membership, User
from calendars.models import BusyTime
from meetings.domain import services
from meetings.models import MeetingRequest, enums
from notifications.models import Notification
from scheduling.domain import availability, bookings
from scheduling.models import Booking, EventType
from scheduling.models import enums as booking_enums
from tests import factories
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def make(**options: int) -> str:
    out = io.StringIO()
    call_command("make_load", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def load() -> None:
    """Make one team of five and one of two."""
    make(bookings=331, hosts=7)


def host(number: int) -> User:
    return User.objects.get(username=f"load-{number:06}")


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def test_there_is_as_much_as_was_asked_for() -> None:
    assert make(bookings=331, hosts=7) == "7 hosts, 331 bookings, 35 meeting requests.\n"
    assert Counter(Booking.objects.values_list("host__email", flat=True)) == {
        "host-000001@load.example": 48,
        "host-000002@load.example": 48,
        **{f"host-{number:06}@load.example": 47 for number in range(3, 8)},
    }
    assert Booking.objects.filter(end__lte=NOW).count() == 163
    assert Booking.objects.filter(start__gt=NOW).count() == 168
    memberships = Membership.objects.values_list("team__name", "user__username", "role")
    assert list(memberships) == [
        ("Team of load-000001", "load-000001", "owner"),
        ("Team of load-000001", "load-000002", "member"),
        ("Team of load-000001", "load-000003", "member"),
        ("Team of load-000001", "load-000004", "member"),
        ("Team of load-000001", "load-000005", "member"),
        ("Team of load-000006", "load-000006", "owner"),
        ("Team of load-000006", "load-000007", "member"),
    ]


def test_there_is_a_host_for_every_thousand_bookings_unless_told() -> None:
    assert make(bookings=1001) == "2 hosts, 1001 bookings, 124 meeting requests.\n"


def test_whoever_is_alone_has_nobody_to_meet() -> None:
    assert make(bookings=10) == "1 hosts, 10 bookings, 0 meeting requests.\n"


@pytest.mark.usefixtures("load")
def test_it_is_the_same_each_time() -> None:
    assert Counter(Booking.objects.values_list("status", flat=True)) == {
        "completed": 118,
        "confirmed": 133,
        "pending": 22,
        "cancelled": 43,
        "rejected": 8,
        "expired": 7,
    }
    assert Counter(MeetingRequest.objects.values_list("status", flat=True)) == {
        "completed": 11,
        "confirmed": 8,
        "pending": 8,
        "cancelled": 4,
        "rejected": 2,
        "expired": 2,
    }
    # Found by its moment, so it is kept as that of one that was booked.
    last = Booking.objects.filter(start=datetime(2026, 4, 29, 5, 20, tzinfo=UTC)).order_by("id")
    assert last.values_list("uuid", flat=True)[4] == "evt_su92z0n7xoq9tgfyu6go"


@pytest.mark.usefixtures("load")
def test_hosts_have_what_every_account_has(alice: User) -> None:
    made = host(1)
    alice.weekly_availability.refresh_from_db()
    assert made.weekly_availability.default.days == alice.weekly_availability.default.days
    assert made.weekly_availability.timezone == made.timezone
    address = EmailAddress.objects.get(user=made)
    assert (address.email, address.verified, address.primary) == (made.email, True, True)
    assert not made.has_usable_password()


@pytest.mark.usefixtures("load")
def test_every_row_is_one_that_forms_would_take() -> None:
    for model in (User, EventType, Booking, MeetingRequest):
        for row in model._default_manager.all():
            row.full_clean()


@pytest.mark.usefixtures("load")
def test_the_ledger_has_what_holds_time_and_nothing_else() -> None:
    expected = []
    for booking in Booking.objects.select_related("event_type", "busy_time"):
        held = booking.busy_time
        assert (held is not None) == (booking.status in {"pending", "confirmed", "completed"})
        if held is not None:
            before = timedelta(minutes=booking.event_type.buffer_time_before)
            after = timedelta(minutes=booking.event_type.buffer_time_after)
            row = (
                booking.host_id,
                seconds(booking.start - before),
                seconds(booking.end + after),
                True,
            )
            assert (held.user_id, held.start, held.end, held.exclusive) == row
            expected.append(row)
    for meeting in MeetingRequest.objects.prefetch_related("busy_times"):
        people = sorted([meeting.requester_id, meeting.recipient_id])
        rows = [
            (person, seconds(meeting.start), seconds(meeting.end), True)
            for person in people
            if meeting.status in {"confirmed", "completed"}
        ]
        held_by_both = meeting.busy_times.all()
        assert sorted((r.user_id, r.start, r.end, r.exclusive) for r in held_by_both) == rows
        expected += rows
    ledger = BusyTime.objects.values_list("user_id", "start", "end", "exclusive")
    assert sorted(ledger) == sorted(expected)


@pytest.mark.parametrize(
    ("size", "most"), [({"bookings": 331, "hosts": 7}, 2), ({"bookings": 2000, "hosts": 1}, 16)]
)
def test_nobody_is_in_two_places_nor_busy_from_dawn_to_dusk(
    size: dict[str, int], most: int
) -> None:
    make(**size)
    rows = BusyTime.objects.order_by("user", "start").values_list("user", "start", "end")
    for (person, _start, end), (another, start, _end) in pairwise(rows):
        assert person != another or end <= start
    days = Counter(
        (person, start.date()) for person, start in Booking.objects.values_list("host", "start")
    )
    assert max(days.values()) == most


@pytest.mark.usefixtures("load")
def test_time_has_nothing_to_write_down() -> None:
    """No row is overdue now or within an hour, which is longer than generating many rows takes."""
    for moment in (NOW, NOW + timedelta(hours=1)):
        assert not Booking.objects.overdue(moment).exists()
        assert not MeetingRequest.objects.overdue(moment).exists()


@pytest.mark.usefixtures("load")
def test_bookings_have_come_about_as_the_doors_allow() -> None:
    for booking in Booking.objects.select_related("event_type").prefetch_related("history"):
        entries = list(booking.history.all())
        first, last = entries[0], entries[-1]
        assert [entry.sequence for entry in entries] == list(range(booking.sequence + 1))
        assert (last.to_status, first.at, last.at) == (
            booking.status,
            booking.created_at,
            booking.updated_at,
        )
        assert (last.change, last.role, last.reason, last.at) == (
            booking.last_change,
            booking.last_by,
            booking.last_reason,
            booking.last_at,
        )
        begins = "pending" if booking.event_type.requires_approval else "confirmed"
        assert (first.change, first.from_status, first.to_status, first.role) == (
            "created",
            "",
            begins,
            "invitee",
        )
        for before, entry in pairwise(entries):
            present = booking_enums.Status(entry.from_status)
            movers = booking_enums.TRANSITIONS[booking_enums.Change(entry.change)][present]
            assert before.to_status == entry.from_status
            assert entry.to_status == entry.change
            assert entry.role in movers
            assert before.at < entry.at
        for entry in entries:
            assert (entry.start, entry.end) == (booking.start, booking.end)
            assert entry.actor_id == (booking.host_id if entry.role == "host" else None)
            by_time = {"expired": booking.start, "completed": booking.end}
            assert entry.at == by_time.get(entry.change, entry.at) <= NOW
            assert entry.role == "clock" or entry.at < booking.start


@pytest.mark.usefixtures("load")
def test_meetings_have_come_about_as_the_doors_allow() -> None:
    for meeting in MeetingRequest.objects.prefetch_related("history", "team__members"):
        entries = list(meeting.history.all())
        first, last = entries[0], entries[-1]
        assert {meeting.requester, meeting.recipient} <= set(meeting.team.members.all())
        assert (meeting.timezone, meeting.end) == (
            meeting.recipient.timezone,
            meeting.start + services.DURATION,
        )
        assert len(entries) == meeting.sequence + 1
        assert (last.to_status, first.at, last.at) == (
            meeting.status,
            meeting.created_at,
            meeting.updated_at,
        )
        assert (first.from_status, first.to_status, first.role) == ("", "pending", "requester")
        for before, entry in pairwise(entries):
            present = booking_enums.Status(entry.from_status)
            assert before.to_status == entry.from_status
            assert entry.role in enums.TRANSITIONS[booking_enums.Change(entry.change)][present]
            assert before.at < entry.at
        actors = {"requester": meeting.requester_id, "recipient": meeting.recipient_id}
        for entry in entries:
            assert entry.actor_id == actors.get(entry.role)
            by_time = {"expired": meeting.start, "completed": meeting.end}
            assert entry.at == by_time.get(entry.to_status, entry.at) <= NOW
            assert entry.role == "clock" or entry.at < meeting.start


@pytest.mark.usefixtures("load")
def test_numbers_of_meetings_are_those_of_their_days_and_go_on() -> None:
    days = Counter(f"{m.created_at:MTG-%Y%m%d}" for m in MeetingRequest.objects.all())
    numbers = MeetingRequest.objects.values_list("booking_number", flat=True)
    assert sorted(numbers) == sorted(
        f"{day}-{number:03}" for day, last in days.items() for number in range(1, last + 1)
    )
    meeting = services.request_meeting(
        requester=host(1),
        recipient_id=host(2).pk,
        team_id=host(1).teams.get().pk,
        date="2026-07-01 10:00",
        link="",
        now=NOW,
    )
    assert meeting.booking_number == f"MTG-20260302-{days['MTG-20260302'] + 1:03}"


@pytest.mark.usefixtures("load")
def test_a_slot_that_is_shown_can_be_booked_and_a_request_declined() -> None:
    event_type = EventType.objects.with_hours().get(host=host(1), slug="follow-up")
    days = availability.slots_by_date(
        event_type,
        zone=event_type.zone,
        first=NOW.date(),
        last=NOW.date() + timedelta(days=30),
        now=NOW,
    )
    slots = [slot for _day, of_day in days for slot in of_day]
    assert {slot.reason for slot in slots} == {"", "busy"}
    start = next(slot.start for slot in slots if not slot.reason)
    booked = factories.booking(event_type, start=availability.instant_of(start), now=NOW)
    assert booked.status == "confirmed"
    pending = Booking.objects.filter(status="pending").earliest("start")
    assert (
        bookings.reject(booking=pending, actor=bookings.host(pending.host), now=NOW).sequence == 1
    )


@pytest.mark.usefixtures("load")
def test_nobody_hears_of_it() -> None:
    assert not Notification.objects.exists()
    assert not WebhookEvent.objects.exists()


@pytest.mark.usefixtures("load")
def test_it_is_made_once() -> None:
    with pytest.raises(CommandError, match=r"^This database has hosts of load\.example already"):
        make(bookings=1)
    assert Booking.objects.count() == 331


@pytest.mark.parametrize("size", [{"bookings": 0}, {"bookings": 5, "hosts": 0}])
def test_it_is_not_nothing(size: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="at least one booking and one host"):
        make(**size)


@pytest.mark.usefixtures("load")
def test_calendar_entries_are_named_as_those_of_any_booking_and_meeting() -> None:
    for name, model in (("uuid", Booking), ("booking_number", MeetingRequest)):
        named = list(model._default_manager.values_list(name, "calendar_uid"))
        assert named
        assert [uid for _name, uid in named] == [f"{name}@localhost" for name, _uid in named]

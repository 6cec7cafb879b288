"""POST /api/v1/events/{id}/reschedule: new times, approval, and refusals."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from calendars.models import BusyTime
from notifications.models import Notification
from scheduling.domain import bookings, services
from scheduling.models import Booking, EventType
from tests import factories
from tests.outbox import address_of, rows
from tests.pages import NOW, START
from tests.scheduling.calls import call, conflict, data, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.usefixtures("at_now")


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "events:write")


@pytest.fixture
def url(booking: Booking) -> str:
    return f"/events/{booking.pk}/reschedule"


def claimed() -> list[tuple[int, int]]:
    """Return the claimed times as minutes from START."""
    since = int(START.timestamp())
    rows = BusyTime.objects.values_list("start", "end")
    return [((start - since) // 60, (end - since) // 60) for start, end in rows]


def test_it_moves_and_stays_what_it_is(api: Client, url: str, booking: Booking) -> None:
    before = data(call(api, "GET", f"/events/{booking.pk}"))
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        moved = call(
            api, "POST", url, {"start_time": "2026-03-05T12:30:00Z", "reason": "The train."}
        )
    assert data(moved) == before | {
        "start_time": "2026-03-05T12:30:00Z",
        "end_time": "2026-03-05T13:00:00Z",
        "sequence": 1,
        "last_change": {
            "change": "rescheduled",
            "by": "host",
            "reason": "The train.",
            "at": "2026-03-02T09:05:00Z",
        },
        "previous": {"start_time": "2026-03-04T10:00:00Z", "end_time": "2026-03-04T10:30:00Z"},
        "updated_at": "2026-03-02T09:05:00Z",
    }
    assert call(api, "GET", f"/events/{booking.uuid}") == moved
    assert claimed() == [(26 * 60 + 30, 27 * 60)]
    assert data(call(api, "GET", f"/events/{booking.pk}/history"))[1:] == [
        {
            "sequence": 1,
            "change": "rescheduled",
            "from_status": "confirmed",
            "to_status": "confirmed",
            "start_time": "2026-03-05T12:30:00Z",
            "end_time": "2026-03-05T13:00:00Z",
            "by": "host",
            "reason": "The train.",
            "calendars_as_of": None,
            "at": "2026-03-02T09:05:00Z",
        }
    ]
    told = [address_of(row) for row in rows("email", kind="booking_rescheduled")]
    assert told == ["alice@example.com", "john@example.com"]


def test_what_waits_for_approval_goes_on_waiting(
    api: Client, approved: EventType, book: Book
) -> None:
    booking = book(of=approved)
    body = {"start_time": "2026-03-05T10:00:00Z", "reason": None}
    moved = data(call(api, "POST", f"/events/{booking.pk}/reschedule", body))
    assert (moved["status"], moved["start_time"]) == ("pending", "2026-03-05T10:00:00Z")


def test_what_is_approved_stays_so_when_the_host_moves_it(
    api: Client, approved: EventType, alice: User, book: Book
) -> None:
    booking = book(of=approved)
    bookings.confirm(booking=booking, actor=bookings.host(alice), now=NOW)
    body = {"start_time": "2026-03-05T10:00:00Z"}
    moved = data(call(api, "POST", f"/events/{booking.pk}/reschedule", body))
    assert (moved["status"], moved["sequence"]) == ("confirmed", 2)


@pytest.mark.parametrize(
    ("body", "start"),
    [
        ({"start_time": "2026-03-05T10:00:00+01:00"}, "2026-03-05T09:00:00Z"),
        ({"start_time": "2026-03-05T05:00"}, "2026-03-05T10:00:00Z"),  # the event type's: New York
        ({"start_time": "2026-03-05T21:00", "timezone": "Asia/Tokyo"}, "2026-03-05T12:00:00Z"),
    ],
)
def test_a_time_without_an_offset(
    api: Client, url: str, event_type: EventType, body: dict[str, str], start: str
) -> None:
    services.update_event_type(event_type=event_type, timezone="America/New_York")
    moved = data(call(api, "POST", url, body))
    # The invitee's zone is not the host's to change.
    assert (moved["start_time"], moved["timezone"]) == (start, "Europe/Berlin")


def test_a_time_that_a_clock_repeats(api: Client, alice: User, book: Book) -> None:
    event_type = factories.event_type(
        alice, duration=90, slot_interval=30, max_advance_booking=365, timezone="America/New_York"
    )
    services.set_override(
        user=alice, day=date(2026, 11, 1), windows=[{"start": "00:00", "end": "24:00"}]
    )
    url = f"/events/{book(of=event_type).pk}/reschedule"
    moved = data(call(api, "POST", url, {"start_time": "2026-11-01T01:30"}))
    assert (moved["start_time"], moved["end_time"], moved["sequence"]) == (
        "2026-11-01T05:30:00Z",
        "2026-11-01T07:00:00Z",
        1,
    )
    assert data(call(api, "POST", url, {"start_time": "2026-11-01T01:30"})) == moved
    later = data(call(api, "POST", url, {"start_time": "2026-11-01T01:30-05:00"}))
    assert (later["start_time"], later["sequence"]) == ("2026-11-01T06:30:00Z", 2)


def test_its_own_time_is_not_in_its_way(api: Client, alice: User, book: Book) -> None:
    """The booking's own time, its buffers and its place in the daily count do not block it."""
    event_type = factories.event_type(
        alice,
        duration=60,
        buffer_time_before=15,
        buffer_time_after=15,
        slot_interval=30,
        daily_limit=1,
    )
    url = f"/events/{book(of=event_type).pk}/reschedule"
    moved = data(call(api, "POST", url, {"start_time": "2026-03-04T10:30:00Z"}))
    assert (moved["start_time"], moved["end_time"]) == (
        "2026-03-04T10:30:00Z",
        "2026-03-04T11:30:00Z",
    )
    assert claimed() == [(15, 105)]


@pytest.mark.parametrize("text", ["2026-03-04T10:00:00Z", "2026-03-04T11:00:00+01:00"])
def test_the_start_that_it_has_changes_nothing(
    api: Client, url: str, booking: Booking, text: str
) -> None:
    before = call(api, "GET", f"/events/{booking.pk}")
    emails = Notification.objects.count()
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        assert call(api, "POST", url, {"start_time": text}) == before
    assert (booking.history.count(), Notification.objects.count()) == (1, emails)


def test_what_is_taken_is_409(
    api: Client, url: str, booking: Booking, alice: User, event_type: EventType, book: Book
) -> None:
    book(start=START + timedelta(hours=1))
    close = factories.event_type(alice, name="Close", buffer_time_before=30, slot_interval=30)
    closer = book(of=close, start=START + timedelta(hours=4))
    before = data(call(api, "GET", "/events"))

    assert conflict(call(api, "POST", url, {"start_time": "2026-03-04T11:00:00Z"})) == (
        "That time is no longer free.",
        "busy",
    )
    moved = call(
        api, "POST", f"/events/{closer.pk}/reschedule", {"start_time": "2026-03-04T11:30:00Z"}
    )
    assert conflict(moved) == ("That time is too close to something else.", "buffer")
    services.update_event_type(event_type=event_type, daily_limit=1)
    book(start=START + timedelta(days=1))
    full = call(api, "POST", url, {"start_time": "2026-03-05T14:00:00Z"})
    assert conflict(full) == ("That day is fully booked.", "daily_limit")
    assert data(call(api, "GET", "/events"))[: len(before)] == before


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, [("start_time", "Start time is required")]),
        ({"start_time": None}, [("start_time", "This field may not be null.")]),
        (
            {"start_time": "2026-03-05"},
            [
                (
                    "start_time",
                    "Use a date and a time such as 2026-12-15T14:00:00Z (ISO 8601).",
                )
            ],
        ),
        (
            {"start_time": "2026-03-05T10:00", "timezone": "Mars/Phobos"},
            [("timezone", "“Mars/Phobos” is not a time zone.")],
        ),
        (
            {"start_time": "2026-03-05T10:00:00Z", "reason": "x" * 501},
            [("reason", "Ensure this field has no more than 500 characters.")],
        ),
        (
            {"start_time": "2026-03-05T20:00:00Z"},
            [("start_time", "That time is outside the host's availability.")],
        ),
        (
            {"start_time": "2026-03-05T10:05:00Z"},
            [("start_time", "No meeting starts at that time.")],
        ),
        (
            {"start_time": "2026-03-05T10:00:01Z"},
            [("start_time", "No meeting starts at that time.")],
        ),
        (
            {"start_time": "2026-02-27T10:00:00Z"},
            [("start_time", "That time has passed, or is too soon.")],
        ),
        (
            {"start_time": "2026-09-01T10:00:00Z"},
            [("start_time", "That time is too far ahead.")],
        ),
    ],
)
def test_what_is_not_offered_is_422(
    api: Client, url: str, booking: Booking, body: dict[str, Any], details: list[tuple[str, str]]
) -> None:
    before = call(api, "GET", f"/events/{booking.pk}")
    assert wrong(call(api, "POST", url, body)) == details
    assert call(api, "GET", f"/events/{booking.pk}") == before
    assert claimed() == [(0, 30)]


def test_what_is_over_stays_where_it_is(
    api: Client, url: str, booking: Booking, approved: EventType, book: Book
) -> None:
    waiting = book(of=approved, start=START + timedelta(hours=1))
    body = {"start_time": "2026-03-05T10:00:00Z"}
    with time_machine.travel(START + timedelta(hours=2), tick=False):
        assert conflict(call(api, "POST", url, body)) == ("This event is completed.", "completed")
        assert conflict(call(api, "POST", f"/events/{waiting.pk}/reschedule", body)) == (
            "This event is expired.",
            "expired",
        )
    data(call(api, "POST", f"/events/{booking.pk}/cancel"))
    for start in (body["start_time"], "2026-03-04T10:00:00Z"):
        assert conflict(call(api, "POST", url, {"start_time": start})) == (
            "This event is cancelled.",
            "cancelled",
        )


def test_one_of_an_event_type_that_is_no_longer_offered_can_still_be_moved(
    api: Client, url: str, event_type: EventType
) -> None:
    services.update_event_type(event_type=event_type, is_active=False)
    moved = data(call(api, "POST", url, {"start_time": "2026-03-05T10:00:00Z"}))
    assert moved["start_time"] == "2026-03-05T10:00:00Z"


def test_it_keeps_its_own_length_on_the_grid_of_its_event_type(
    api: Client, url: str, event_type: EventType
) -> None:
    services.update_event_type(event_type=event_type, duration=60)
    assert wrong(call(api, "POST", url, {"start_time": "2026-03-04T11:30:00Z"})) == [
        ("start_time", "No meeting starts at that time.")
    ]
    moved = data(call(api, "POST", url, {"start_time": "2026-03-04T11:00:00Z"}))
    assert (moved["end_time"], moved["event_type"]["duration"]) == ("2026-03-04T11:30:00Z", 60)
    assert claimed() == [(60, 90)]

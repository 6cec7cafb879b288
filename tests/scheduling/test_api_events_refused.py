"""POST /api/v1/events: refused bookings and their reasons."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from accounts.models import Team, User
from calendars.models import BusyTime
from meetings.domain import services as meetings
from notifications.models import Notification
from scheduling.domain import bookings, services
from scheduling.models import Booking, EventType, HistoryEntry
from tests import factories
from tests.pages import NOW, START, UNSEEN
from tests.scheduling.calls import call, conflict, data, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.usefixtures("at_now")

NULL = "This field may not be null."
BLANK = "This field may not be blank."
NO_INTEGER = "A valid integer is required."
NO_TEXT = "Not a valid string."
NUL = "Null characters are not allowed."
NO_EMAIL = "Enter a valid email address."
NO_MOMENT = "Use a date and a time such as 2026-12-15T14:00:00Z (ISO 8601)."
NO_TIME = "There is no such date and time."
BAD_YEAR = "Use a year from 1900 to 9000."
OUTSIDE = "That time is outside the host's availability."
OFF_GRID = "No meeting starts at that time."
TOO_SOON = "That time has passed, or is too soon."
TOO_FAR = "That time is too far ahead."


def longest(number: int) -> str:
    return f"Ensure this field has no more than {number} characters."


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "events:write")


@pytest.fixture
def body(event_type: EventType) -> dict[str, Any]:
    return {
        "event_type_id": event_type.pk,
        "attendee_email": "john@example.com",
        "attendee_name": "John Doe",
        "start_time": "2026-03-04T10:00:00Z",
    }


def nothing_is_written() -> bool:
    tables: list[type[Model]] = [Booking, BusyTime, HistoryEntry, Notification]
    return not any(table._default_manager.exists() for table in tables)


def test_what_is_missing_is_said(api: Client) -> None:
    assert wrong(call(api, "POST", "/events", {})) == [
        ("event_type_id", "Event type id is required"),
        ("attendee_email", "Attendee email is required"),
        ("attendee_name", "Attendee name is required"),
        ("start_time", "Start time is required"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "messages"),
    [
        ("event_type_id", "1", [NO_INTEGER]),
        ("event_type_id", True, [NO_INTEGER]),
        ("event_type_id", 1.5, [NO_INTEGER]),
        ("event_type_id", 1e30, [NO_INTEGER]),
        ("event_type_id", None, [NULL]),
        ("event_type_id", 0, ["Ensure this value is greater than or equal to 1."]),
        ("event_type_id", 2**63, [f"Ensure this value is less than or equal to {10**18}."]),
        ("attendee_email", "john", [NO_EMAIL]),
        ("attendee_email", "john@", [NO_EMAIL]),
        ("attendee_email", "a@b.com, c@d.com", [NO_EMAIL]),
        ("attendee_email", "a@b.com\nBcc: c@d.com", [NO_EMAIL]),
        ("attendee_email", 5, [NO_EMAIL]),
        ("attendee_email", "", [BLANK]),
        ("attendee_email", None, [NULL]),
        ("attendee_email", ["a@b.com"], [NO_EMAIL]),
        ("attendee_email", f"{'x' * 64}@{'.'.join(['y' * 60] * 3)}.example.com", [longest(254)]),
        ("attendee_name", "", [BLANK]),
        ("attendee_name", "  ", [BLANK]),
        ("attendee_name", None, [NULL]),
        ("attendee_name", 5, [NO_TEXT]),
        ("attendee_name", "x" * 201, [longest(200)]),
        ("attendee_name", "a\0", [NUL]),
        ("attendee_name", "John\nDoe", [UNSEEN]),
        ("attendee_name", "John\u200bDoe", [UNSEEN]),
        ("attendee_name", "\u202eeoD nhoJ", [UNSEEN]),
        ("attendee_name", "\u200d", [UNSEEN]),
        ("attendee_email", "john@exam\u200bple.com", [NO_EMAIL]),
        ("attendee_email", "john@exam\u202eple.com", [NO_EMAIL]),
        ("attendee_email", '"\x01"@example.com', [NO_EMAIL]),
        ("attendee_email", '""@example.com', [NO_EMAIL]),
        ("attendee_email", "jo\u212an@example.com", [NO_EMAIL]),
        ("attendee_phone", 5, [NO_TEXT]),
        ("attendee_phone", None, [NULL]),
        ("attendee_phone", "1" * 41, [longest(40)]),
        ("notes", 5, [NO_TEXT]),
        ("notes", None, [NULL]),
        ("notes", "x" * 5001, [longest(5000)]),
        ("notes", "a\0", [NUL]),
        ("timezone", "Mars/Phobos", ["“Mars/Phobos” is not a time zone."]),
        ("timezone", None, [NULL]),
        ("custom_field_values", [], ['Expected a dictionary of items but got type "list".']),
        ("custom_field_values", "x", ['Expected a dictionary of items but got type "str".']),
        ("custom_field_values", None, [NULL]),
        ("start_time", "tomorrow at ten", [NO_MOMENT]),
        ("start_time", "2026-03-04", [NO_MOMENT]),
        ("start_time", "10:00", [NO_MOMENT]),
        ("start_time", "2026-03-04T10", [NO_MOMENT]),
        ("start_time", "20260304T100000Z", [NO_MOMENT]),
        ("start_time", "2026-03-04T10:00:00+1", [NO_MOMENT]),
        ("start_time", "2026-03-04T10:00:00+010", [NO_MOMENT]),
        ("start_time", "2026-03-04T10:00:00+01:000", [NO_MOMENT]),
        ("start_time", "2026-03-04T10:00:00 America/New_York", [NO_MOMENT]),
        ("start_time", "2026-03-04T10:00:00.1234567890Z", [NO_MOMENT]),
        ("start_time", "2026-03-04T10:00:00Z\0", [NO_MOMENT]),
        ("start_time", "٢٠٢٦-03-04T10:00:00Z", [NO_MOMENT]),
        ("start_time", 1772618400, [NO_MOMENT]),
        ("start_time", True, [NO_MOMENT]),
        ("start_time", "", [NO_MOMENT]),
        ("start_time", None, [NULL]),
        ("start_time", "2026-02-30T10:00:00Z", [NO_TIME]),
        ("start_time", "2026-03-04T25:00:00Z", [NO_TIME]),
        ("start_time", "2026-03-04T10:60:00Z", [NO_TIME]),
        ("start_time", "2026-03-04T10:00:00+24:00", [NO_TIME]),
        ("start_time", "0000-01-01T00:00:00Z", [NO_TIME]),
        ("start_time", "0001-01-01T00:00:00Z", [BAD_YEAR]),
        ("start_time", "9999-12-31T23:59:59Z", [BAD_YEAR]),
        # What can be read, but is not offered.
        ("start_time", "2026-03-04T08:30:00Z", [OUTSIDE]),
        ("start_time", "2026-03-04T16:45:00Z", [OUTSIDE]),
        ("start_time", "2026-03-04T17:00:00Z", [OUTSIDE]),
        ("start_time", "2026-03-07T10:00:00Z", [OUTSIDE]),  # a Saturday
        ("start_time", "1900-01-06T10:00:00Z", [OUTSIDE]),  # another
        ("start_time", "2026-03-04T10:10:00Z", [OFF_GRID]),
        ("start_time", "2026-03-04T10:00:01Z", [OFF_GRID]),
        ("start_time", "2026-03-04T10:00:00.5Z", [OFF_GRID]),
        ("start_time", "2026-03-04T10:00:00.000001Z", [OFF_GRID]),
        ("start_time", "2026-02-27T10:00:00Z", [TOO_SOON]),
        ("start_time", "2026-05-04T10:00:00Z", [TOO_FAR]),
        ("start_time", "9000-12-31T10:00:00Z", [TOO_FAR]),
    ],
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, body: dict[str, Any], field: str, value: Any, messages: list[str]
) -> None:
    answer = call(api, "POST", "/events", body | {field: value})
    assert wrong(answer) == [(field, message) for message in messages]
    assert nothing_is_written()


def test_notice_and_horizon_are_the_event_types(
    api: Client, body: dict[str, Any], event_type: EventType
) -> None:
    """Now is Monday at nine, 49 hours before START."""
    for hours, days, told in ((50, 60, [TOO_SOON]), (49, 1, [TOO_FAR])):
        services.update_event_type(
            event_type=event_type, min_advance_booking=hours, max_advance_booking=days
        )
        answer = call(api, "POST", "/events", body)
        assert wrong(answer) == [("start_time", message) for message in told]
    assert nothing_is_written()
    services.update_event_type(event_type=event_type, min_advance_booking=49, max_advance_booking=2)
    assert data(call(api, "POST", "/events", body), 201)["status"] == "confirmed"


# --- what is taken --------------------------------------------------------------------------------


def test_what_is_booked_is_busy(api: Client, body: dict[str, Any]) -> None:
    first = data(call(api, "POST", "/events", body), 201)
    status, told = call(api, "POST", "/events", body)
    assert (status, {name: told[name] for name in told if name != "timestamp"}) == (
        409,
        {
            "error": "conflict",
            "message": "That time is no longer free.",
            "status_code": 409,
            "reason": "busy",
        },
    )
    assert list(Booking.objects.values_list("pk", flat=True)) == [first["id"]]
    # Beside it there is room.
    for start in ("2026-03-04T09:30:00Z", "2026-03-04T10:30:00Z"):
        data(call(api, "POST", "/events", body | {"start_time": start}), 201)


def test_so_is_a_meeting_that_is_confirmed(
    api: Client, body: dict[str, Any], team: Team, alice: User, bob: User
) -> None:
    meeting = meetings.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date=START.isoformat(),
        link="",
        now=NOW,
    )
    meetings.confirm(meeting=meeting, actor=bob, now=NOW)
    assert conflict(call(api, "POST", "/events", body)) == ("That time is no longer free.", "busy")
    assert Booking.objects.count() == 0


def test_what_is_too_close_meets_a_buffer(
    api: Client, body: dict[str, Any], alice: User, book: Book
) -> None:
    book()
    wanted = factories.event_type(alice, buffer_time_before=15, slot_interval=30)
    after = body | {"event_type_id": wanted.pk, "start_time": "2026-03-04T10:30:00Z"}
    assert conflict(call(api, "POST", "/events", after)) == (
        "That time is too close to something else.",
        "buffer",
    )
    data(call(api, "POST", "/events", after | {"start_time": "2026-03-04T09:30:00Z"}), 201)


def test_a_day_that_is_full_is_full(
    api: Client, body: dict[str, Any], event_type: EventType, alice: User, book: Book
) -> None:
    services.update_event_type(event_type=event_type, daily_limit=1)
    booked = book(start=START + timedelta(hours=2))
    assert conflict(call(api, "POST", "/events", body)) == (
        "That day is fully booked.",
        "daily_limit",
    )
    bookings.cancel(booking=booked, actor=bookings.INVITEE, now=NOW)
    assert data(call(api, "POST", "/events", body), 201)["start_time"] == body["start_time"]


def test_a_week_that_is_full_is_full(
    api: Client, body: dict[str, Any], event_type: EventType, alice: User, book: Book
) -> None:
    services.update_event_type(event_type=event_type, weekly_limit=2)
    book(start=START - timedelta(days=1))
    booked = book(start=START + timedelta(days=2))  # the Friday
    other = factories.event_type(alice, name="Other")  # it has its own count
    book(of=other, start=START + timedelta(days=1))
    full = "That week is fully booked.", "weekly_limit"
    assert conflict(call(api, "POST", "/events", body)) == full
    next_week = body | {"start_time": "2026-03-09T10:00:00Z"}
    assert data(call(api, "POST", "/events", next_week), 201)["status"] == "confirmed"
    # Its own count is not in the way of one that is moved.
    moved = call(api, "POST", f"/events/{booked.pk}/reschedule", {"start_time": body["start_time"]})
    assert data(moved)["start_time"] == body["start_time"]
    # The week is the host's: this Sunday evening in UTC is Monday in Kathmandu.
    services.set_hours(
        user=alice,
        days={str(day): {"enabled": True, "start": "00:00", "end": "24:00"} for day in range(1, 8)},
        timezone="Asia/Kathmandu",
    )
    sunday = body | {"start_time": "2026-03-08T16:45:00Z"}
    assert conflict(call(api, "POST", "/events", sunday)) == full
    monday = body | {"start_time": "2026-03-08T18:15:00Z"}
    assert data(call(api, "POST", "/events", monday), 201)["start_time"] == monday["start_time"]


def test_what_is_over_frees_its_time(
    api: Client, body: dict[str, Any], alice: User, approved: EventType
) -> None:
    asked = body | {"event_type_id": approved.pk}
    for action in ("reject", "cancel"):
        booked = data(call(api, "POST", "/events", asked), 201)
        assert conflict(call(api, "POST", "/events", body))[1] == "busy"
        data(call(api, "POST", f"/events/{booked['id']}/{action}"))
    data(call(api, "POST", "/events", body), 201)

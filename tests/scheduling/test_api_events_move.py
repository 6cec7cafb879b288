"""POST /api/v1/events/{id}/confirm, reject and cancel; DELETE; and GET history."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from calendars.models import BusyTime
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START
from tests.scheduling.calls import call, conflict, data, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.usefixtures("at_now")

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "events:write")


@pytest.fixture
def pending(approved: EventType, book: Book) -> Booking:
    return book(of=approved)


def entry(number: int, change: str, before: str | None, after: str, **more: Any) -> dict[str, Any]:
    """Return a history entry of a booking of START, written at LATER by the host."""
    return {
        "sequence": number,
        "change": change,
        "from_status": before,
        "to_status": after,
        "start_time": "2026-03-04T10:00:00Z",
        "end_time": "2026-03-04T10:30:00Z",
        "by": "host",
        "reason": "",
        "calendars_as_of": None,
        "at": "2026-03-02T09:05:00Z",
        **more,
    }


ASKED = entry(0, "created", None, "pending", by="invitee", at="2026-03-02T09:00:00Z")
BOOKED = ASKED | {"to_status": "confirmed"}


def history(api: Client, booking: Booking) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data(call(api, "GET", f"/events/{booking.uuid}/history"))
    return found


@pytest.mark.parametrize(
    ("action", "status", "body", "reason"),
    [
        ("confirm", "confirmed", None, ""),
        ("reject", "rejected", None, ""),
        ("reject", "rejected", {}, ""),
        ("reject", "rejected", {"reason": None}, ""),
        ("reject", "rejected", {"reason": "On holiday."}, "On holiday."),
        ("cancel", "cancelled", None, ""),
        ("cancel", "cancelled", {"reason": "x" * 500}, "x" * 500),
    ],
)
def test_the_host_answers(
    api: Client, pending: Booking, action: str, status: str, body: Any, reason: str
) -> None:
    before = data(call(api, "GET", f"/events/{pending.pk}"))
    with time_machine.travel(LATER, tick=False):
        answer = call(api, "POST", f"/events/{pending.pk}/{action}", body)
    assert data(answer) == before | {
        "status": status,
        "sequence": 1,
        "last_change": {
            "change": status,
            "by": "host",
            "reason": reason,
            "at": "2026-03-02T09:05:00Z",
        },
        "updated_at": "2026-03-02T09:05:00Z",
    }
    assert history(api, pending) == [
        ASKED,
        entry(1, status, "pending", status, reason=reason),
    ]
    assert BusyTime.objects.count() == (status == "confirmed")


def test_what_is_confirmed_can_be_called_off(api: Client, booking: Booking) -> None:
    with time_machine.travel(LATER, tick=False):
        cancelled = data(call(api, "POST", f"/events/{booking.uuid}/cancel", {"reason": "Ill."}))
    assert (cancelled["status"], cancelled["sequence"]) == ("cancelled", 1)
    assert history(api, booking) == [
        BOOKED,
        entry(1, "cancelled", "confirmed", "cancelled", reason="Ill."),
    ]
    assert BusyTime.objects.count() == 0


def test_to_delete_is_to_cancel(api: Client, booking: Booking) -> None:
    with time_machine.travel(LATER, tick=False):
        deleted = call(api, "DELETE", f"/events/{booking.pk}")
        assert (data(deleted)["status"], data(deleted)["sequence"]) == ("cancelled", 1)
        assert call(api, "DELETE", f"/events/{booking.pk}") == deleted
        assert call(api, "POST", f"/events/{booking.pk}/cancel", {"reason": "Late."}) == deleted
    assert call(api, "GET", f"/events/{booking.pk}") == deleted
    assert history(api, booking) == [BOOKED, entry(1, "cancelled", "confirmed", "cancelled")]


@pytest.mark.parametrize("action", ["confirm", "reject", "cancel"])
def test_the_same_answer_again_changes_nothing(api: Client, pending: Booking, action: str) -> None:
    with time_machine.travel(LATER, tick=False):
        first = call(api, "POST", f"/events/{pending.pk}/{action}")
    assert first[0] == 200
    before = history(api, pending)
    assert call(api, "POST", f"/events/{pending.uuid}/{action}", {"reason": "again"}) == first
    assert history(api, pending) == before


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("confirm", "reject", "confirmed"),
        ("reject", "confirm", "rejected"),
        ("reject", "cancel", "rejected"),
        ("cancel", "confirm", "cancelled"),
        ("cancel", "reject", "cancelled"),
    ],
)
def test_the_other_way_is_409(
    api: Client, pending: Booking, first: str, second: str, status: str
) -> None:
    answered = call(api, "POST", f"/events/{pending.pk}/{first}")
    told = conflict(call(api, "POST", f"/events/{pending.pk}/{second}"))
    assert told == (f"This event is {status}.", status)
    assert call(api, "GET", f"/events/{pending.pk}") == answered


def test_what_the_invitee_has_called_off_is_not_the_hosts_to_call_off(
    api: Client, booking: Booking
) -> None:
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=LATER, reason="Ill.")
    assert conflict(call(api, "POST", f"/events/{booking.pk}/cancel")) == (
        "This event is cancelled.",
        "cancelled",
    )
    assert history(api, booking) == [
        BOOKED,
        entry(1, "cancelled", "confirmed", "cancelled", reason="Ill.", by="invitee"),
    ]


@pytest.mark.parametrize("action", ["confirm", "reject", "cancel"])
def test_what_is_over_is_over(api: Client, pending: Booking, book: Book, action: str) -> None:
    booked = book(start=START + timedelta(hours=1))
    with time_machine.travel(START + timedelta(hours=2), tick=False):
        for booking, status in ((pending, "expired"), (booked, "completed")):
            assert conflict(call(api, "POST", f"/events/{booking.pk}/{action}")) == (
                f"This event is {status}.",
                status,
            )
            assert data(call(api, "GET", f"/events/{booking.pk}"))["status"] == status


@pytest.mark.parametrize("action", ["reject", "cancel"])
@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("x" * 501, "Ensure this field has no more than 500 characters."),
        (5, "Not a valid string."),
        (["x"], "Not a valid string."),
        ("a\0", "Null characters are not allowed."),
    ],
)
def test_a_reason_that_does_not_fit_is_422(
    api: Client, pending: Booking, action: str, reason: Any, message: str
) -> None:
    answer = call(api, "POST", f"/events/{pending.pk}/{action}", {"reason": reason})
    assert wrong(answer) == [("reason", message)]
    assert history(api, pending) == [ASKED]


# --- history --------------------------------------------------------------------------------------


def test_the_whole_of_it(api: Client, approved: EventType) -> None:
    body = {
        "event_type_id": approved.pk,
        "attendee_email": "john@example.com",
        "attendee_name": "John Doe",
        "start_time": "2026-03-04T10:00:00Z",
    }
    booking = Booking.objects.get(pk=data(call(api, "POST", "/events", body), 201)["id"])
    bookings.confirm(booking=booking, actor=bookings.host(booking.host), now=LATER)
    moved = START + timedelta(hours=1)
    bookings.reschedule(
        booking=booking, start=moved, actor=bookings.INVITEE, now=LATER, reason="Later, please."
    )
    with time_machine.travel(moved, tick=False):
        # Time has passed, and nobody has written it down.
        before = history(api, booking)
        bookings.record_overdue(booking=booking, now=moved)
    then = {"start_time": "2026-03-04T11:00:00Z", "end_time": "2026-03-04T11:30:00Z"}
    expected = [
        ASKED | {"by": "host"},
        entry(1, "confirmed", "pending", "confirmed"),
        entry(
            2, "rescheduled", "confirmed", "pending", by="invitee", reason="Later, please.", **then
        ),
        entry(3, "expired", "pending", "expired", by="clock", at="2026-03-04T11:00:00Z", **then),
    ]
    assert before == expected[:3]
    assert history(api, booking) == expected
    status, page = call(api, "GET", f"/events/{booking.pk}/history?limit=3&page=2")
    assert (status, page) == (
        200,
        {
            "data": expected[3:],
            "pagination": {"page": 2, "limit": 3, "total": 4, "pages": 2},
        },
    )


def test_a_page_that_makes_no_sense_is_422(api: Client, booking: Booking) -> None:
    assert wrong(call(api, "GET", f"/events/{booking.pk}/history?limit=0")) == [
        ("limit", "Ensure this value is greater than or equal to 1.")
    ]

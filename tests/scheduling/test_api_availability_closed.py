"""GET /api/v1/event_types/{id}/availability: closed slots with their reasons, and open slots."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client

from accounts.models import User
from scheduling.domain import bookings, services
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START
from tests.scheduling.calls import call, conflict, data, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.usefixtures("at_now")

Reasons = Callable[..., dict[str, str]]


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice)


def slots(api: Client, event_type: EventType, query: str) -> list[dict[str, Any]]:
    url = f"/event_types/{event_type.pk}/availability?include_unavailable=true&{query}"
    return [slot for day in data(call(api, "GET", url)) for slot in day["slots"]]


@pytest.fixture
def reasons(api: Client) -> Reasons:
    """Return a function for the reasons of a date's slots by start.

    Open slots have an empty reason.
    """

    def reasons(of: EventType, day: str = "2026-03-04", zone: str = "UTC") -> dict[str, str]:
        query = f"start_date={day}&end_date={day}&timezone={zone}"
        return {slot["start_time"][11:16]: slot.get("reason", "") for slot in slots(api, of, query)}

    return reasons


def hourly(host: User, **fields: Any) -> EventType:
    """Make an event type of an hour, with eight starts a day, with or without buffers."""
    return factories.event_type(host, **{"duration": 60, "slot_interval": 60, **fields})


def day_of(reason: str = "", **other: str) -> dict[str, str]:
    """Return eight hourly slots with this reason. `other` sets single ones, such as h10="busy"."""
    return {f"{hour:02}:00": other.get(f"h{hour:02}", reason) for hour in range(9, 17)}


def test_a_closed_slot_says_so(api: Client, alice: User, book: Book) -> None:
    book()
    shown = slots(api, hourly(alice), "start_date=2026-03-04&end_date=2026-03-04")
    assert shown[:2] == [
        {
            "start_time": "2026-03-04T09:00:00Z",
            "end_time": "2026-03-04T10:00:00Z",
            "available": True,
        },
        {
            "start_time": "2026-03-04T10:00:00Z",
            "end_time": "2026-03-04T11:00:00Z",
            "available": False,
            "reason": "busy",
            "source": "booking",
        },
    ]


def test_include_unavailable_false_is_the_usual(api: Client, alice: User, book: Book) -> None:
    book()
    url = f"/event_types/{hourly(alice).pk}/availability"
    assert call(api, "GET", f"{url}?include_unavailable=false") == call(api, "GET", url)


def test_notice(reasons: Reasons, alice: User) -> None:
    wanted = hourly(alice, min_advance_booking=25)
    assert reasons(wanted, "2026-03-02") == day_of("notice")
    assert reasons(wanted, "2026-03-03") == day_of(h09="notice")
    with time_machine.travel(NOW + timedelta(microseconds=1), tick=False):
        assert reasons(wanted, "2026-03-03") == day_of(h09="notice", h10="notice")


def test_horizon(reasons: Reasons, alice: User) -> None:
    wanted = hourly(alice, max_advance_booking=2)
    assert reasons(wanted, "2026-03-04") == day_of()
    assert reasons(wanted, "2026-03-05") == day_of("horizon")


def test_the_horizon_is_the_hosts(reasons: Reasons, alice: User) -> None:
    """Auckland shows 22:00 on the second. Its working hours begin at 20:00 UTC the day before."""
    services.set_hours(user=alice, days={}, timezone="Pacific/Auckland")
    wanted = hourly(alice, max_advance_booking=1)
    found = reasons(wanted, "2026-03-03")
    assert found == {
        **{f"0{hour}:00": "" for hour in range(4)},
        **{f"{hour}:00": "horizon" for hour in range(20, 24)},
    }


def test_busy_and_buffer(reasons: Reasons, alice: User, book: Book) -> None:
    book(start=START + timedelta(hours=1))  # from 11:00 to 11:30
    wanted = hourly(alice, slot_interval=15, buffer_time_before=30, buffer_time_after=10)
    found = reasons(wanted)
    assert {start: reason for start, reason in found.items() if reason} == {
        **dict.fromkeys(("10:00",), "buffer"),
        **dict.fromkeys(("10:15", "10:30", "10:45", "11:00", "11:15"), "busy"),
        **dict.fromkeys(("11:30", "11:45"), "buffer"),
    }


def test_buffers_of_what_is_booked_are_busy(reasons: Reasons, alice: User, book: Book) -> None:
    book(of=hourly(alice, buffer_time_before=30, buffer_time_after=60))  # 10:00, claims 9:30-12:00
    assert reasons(hourly(alice)) == day_of(h09="busy", h10="busy", h11="busy")


def test_buffers_may_lie_outside_the_hours(reasons: Reasons, alice: User) -> None:
    assert reasons(hourly(alice, buffer_time_before=60, buffer_time_after=60)) == day_of()


def test_daily_limit(reasons: Reasons, alice: User, book: Book) -> None:
    wanted = hourly(alice, daily_limit=2)
    book(of=wanted)
    book(of=hourly(alice), start=START + timedelta(hours=2))  # of another kind: does not count
    assert reasons(wanted) == day_of(h10="busy", h12="busy")
    book(of=wanted, start=START + timedelta(hours=5))
    assert reasons(wanted) == day_of("daily_limit")
    assert reasons(wanted, "2026-03-05") == day_of()


@pytest.mark.parametrize(
    ("status", "counts"), [("pending", True), ("confirmed", True), ("rejected", False)]
)
def test_what_counts_towards_it(
    reasons: Reasons, alice: User, book: Book, status: str, counts: bool
) -> None:
    wanted = hourly(alice, daily_limit=1, requires_approval=True)
    booked, host = book(of=wanted), bookings.host(alice)
    if status == "confirmed":
        bookings.confirm(booking=booked, actor=host, now=NOW)
    elif status == "rejected":
        bookings.reject(booking=booked, actor=host, now=NOW)
    assert reasons(wanted) == day_of("daily_limit" if counts else "")


def test_what_is_cancelled_frees_the_day(reasons: Reasons, alice: User, book: Book) -> None:
    wanted = hourly(alice, daily_limit=1)
    bookings.cancel(booking=book(of=wanted), actor=bookings.INVITEE, now=NOW)
    assert reasons(wanted) == day_of()


def test_the_day_of_the_limit_is_the_hosts(reasons: Reasons, alice: User, book: Book) -> None:
    """Auckland's third of March has working hours from 20:00 UTC on the second until 04:00."""
    services.set_hours(user=alice, days={}, timezone="Pacific/Auckland")
    wanted = hourly(alice, daily_limit=1)
    book(of=wanted, start=datetime(2026, 3, 2, 20, tzinfo=UTC))
    assert reasons(wanted, "2026-03-03") == {
        **{f"0{hour}:00": "daily_limit" for hour in range(4)},
        **{f"{hour}:00": "" for hour in range(20, 24)},
    }
    assert reasons(wanted, "2026-03-03", "Pacific/Auckland") == dict.fromkeys(
        [*(f"{hour}:00" for hour in range(20, 24)), *(f"0{hour}:00" for hour in range(4))],
        "daily_limit",
    )


def test_the_first_that_holds_is_told(reasons: Reasons, alice: User, book: Book) -> None:
    wanted = hourly(alice, daily_limit=1)
    book(of=wanted)
    assert reasons(wanted)["10:00"] == "daily_limit"
    services.update_event_type(event_type=wanted, max_advance_booking=1)
    assert reasons(wanted)["10:00"] == "horizon"
    services.update_event_type(event_type=wanted, min_advance_booking=100)
    assert reasons(wanted)["10:00"] == "notice"


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"daily_limit": 2, "min_advance_booking": 27, "max_advance_booking": 10},
        {"buffer_time_before": 30, "buffer_time_after": 15, "slot_interval": 30},
    ],
)
def test_what_is_shown_open_can_be_booked_and_what_is_closed_cannot(
    api: Client, alice: User, book: Book, terms: dict[str, int]
) -> None:
    services.set_hours(user=alice, days={}, timezone="America/New_York")  # 8 March: summer time
    wanted = factories.event_type(alice, **{"name": "Wanted", "duration": 60, **terms})
    for day, hour in ((1, 14), (2, 16), (7, 13), (9, 20)):
        book(start=(NOW + timedelta(days=day)).replace(hour=hour))
    for hours in (0, 2):
        book(of=wanted, start=datetime(2026, 3, 11, 13, tzinfo=UTC) + timedelta(hours=hours))
    body = {"event_type_id": wanted.pk, "attendee_name": "Zoe", "attendee_email": "zoe@example.com"}
    shown = slots(api, wanted, "start_date=2026-03-02&end_date=2026-03-15")
    told: dict[str, str | None] = {}
    for slot in shown:
        with transaction.atomic():
            answer = call(api, "POST", "/events", body | {"start_time": slot["start_time"]})
            transaction.set_rollback(True)
        if slot["available"]:
            booked = data(answer, 201)
            assert (booked["start_time"], booked["end_time"]) == (
                slot["start_time"],
                slot["end_time"],
            )
            told[slot["start_time"]] = ""
        elif slot["reason"] in ("notice", "horizon"):
            ((field, message),) = wrong(answer)
            assert field == "start_time"
            told[slot["start_time"]] = {
                "That time has passed, or is too soon.": "notice",
                "That time is too far ahead.": "horizon",
            }[message]
        else:
            told[slot["start_time"]] = conflict(answer)[1]
    assert told == {slot["start_time"]: slot.get("reason", "") for slot in shown}
    assert {"", "busy"} <= set(told.values())
    assert Booking.objects.count() == 6

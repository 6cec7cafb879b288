"""POST and GET /api/v1: equal values as different programs write them."""

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import User
from scheduling.models import EventType
from tests import factories
from tests.scheduling.calls import call, data, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.usefixtures("at_now")


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice)


def new(event_type: EventType, **fields: Any) -> dict[str, Any]:
    return {
        "event_type_id": event_type.pk,
        "attendee_email": "john@example.com",
        "attendee_name": "John Doe",
        "start_time": "2026-03-04T10:00:00Z",
        **fields,
    }


@pytest.mark.parametrize(
    "start",
    [
        "2026-03-04T10:00:00Z",
        "2026-03-04t10:00:00z",
        "2026-03-04T06:00:00-04:00",
        "2026-03-04T06:00:00-0400",
        "2026-03-04T06:00:00-04",
        "2026-03-04 14:00+04",
        "2026-03-04T15:45:00.000+0545",
    ],
)
def test_an_offset_may_leave_out_its_colon_and_its_minutes(
    api: Client, event_type: EventType, start: str
) -> None:
    booked = data(call(api, "POST", "/events", new(event_type, start_time=start)), 201)
    assert booked["start_time"] == "2026-03-04T10:00:00Z"


def test_so_may_one_in_a_query(api: Client, book: Book) -> None:
    booking = book()
    for after, found in (("06:00:00-0400", [booking.pk]), ("06:01:00-04", [])):
        rows = data(call(api, "GET", f"/events?start_after=2026-03-04T{after}"))
        assert [row["id"] for row in rows] == found


@pytest.mark.parametrize("zone", ["GMT+2", "utc+02:00", "UTC +2", "Etc/GMT-2"])
def test_an_offset_names_the_zone_that_is_ahead_of_utc_by_it(
    api: Client, event_type: EventType, zone: str
) -> None:
    asked = new(event_type, start_time="2026-03-04T12:00:00", timezone=zone)
    booked = data(call(api, "POST", "/events", asked), 201)
    assert (booked["start_time"], booked["timezone"]) == ("2026-03-04T10:00:00Z", "Etc/GMT-2")
    query = "start_date=2026-03-05&end_date=2026-03-05&timezone="
    path = f"/event_types/{event_type.pk}/availability?{query}"
    shown = [data(call(api, "GET", path + quote(name))) for name in (zone, "Africa/Cairo")]
    assert shown[0] == shown[1] != []


def test_a_whole_number_may_have_a_fraction_of_nothing(api: Client) -> None:
    """PHP writes 30.0 for 30, and JSON has only one type of number."""
    body = {"name": "Chat", "duration": 30.0, "buffer_time_after": 0.0, "daily_limit": 2.0}
    made = data(call(api, "POST", "/event_types", body), 201)
    assert (made["duration"], made["scheduling_settings"]["daily_limit"]) == (30, 2)
    booked = call(api, "POST", "/events", {"event_type_id": float(made["id"])})
    assert [field for field, _message in wrong(booked)] == [
        "attendee_email",
        "attendee_name",
        "start_time",
    ]


def test_an_empty_zone_is_one_that_is_not_given(api: Client, event_type: EventType) -> None:
    EventType.objects.update(timezone="America/New_York")
    body = new(event_type, start_time="2026-03-04T05:00:00", timezone="")
    booked = data(call(api, "POST", "/events", body), 201)
    assert (booked["timezone"], booked["start_time"]) == (
        "America/New_York",
        "2026-03-04T10:00:00Z",
    )
    moved = {"start_time": "2026-03-04T06:00:00", "timezone": ""}
    path = f"/events/{booked['id']}/reschedule"
    assert data(call(api, "POST", path, moved))["start_time"] == "2026-03-04T11:00:00Z"
    made = data(
        call(api, "POST", "/event_types", {"name": "x", "duration": 15, "timezone": ""}), 201
    )
    assert made["timezone"] == "UTC"
    hours = {"availability": {}, "timezone": ""}
    assert data(call(api, "PUT", "/users/me/availability", hours))["timezone"] == "UTC"
    query = "start_date=2026-03-04&end_date=2026-03-04"
    path = f"/event_types/{event_type.pk}/availability?{query}"
    assert call(api, "GET", f"{path}&timezone=") == call(api, "GET", path)


def test_a_day_that_ends_at_midnight_ends_at_24_00(api: Client) -> None:
    for end in ("00:00", "24:00"):
        body = {"availability": {"1": {"start": "20:00", "end": end}}}
        answer = call(api, "PUT", "/users/me/availability", body)
        if end == "24:00":
            assert data(answer)["availability"]["1"]["end"] == end
        else:
            said = "The end must be after the start. Midnight at the end of a day is 24:00."
            assert wrong(answer) == [("availability.1.end", said)]

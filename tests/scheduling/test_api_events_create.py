"""POST /api/v1/events: successful bookings, and the forms of their start."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from calendars.models import BusyTime
from scheduling.domain import services
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.outbox import address_of, rows
from tests.pages import START
from tests.scheduling.calls import call, data, wrong

pytestmark = pytest.mark.usefixtures("at_now")

# A request that names every field.
EXAMPLE: dict[str, Any] = {
    "event_type_id": 123,
    "attendee_email": "john@example.com",
    "attendee_name": "John Doe",
    "attendee_phone": "+1234567890",
    "start_time": "2025-06-20T10:00:00Z",
    "timezone": "America/New_York",
    "notes": "Project discussion",
    "custom_field_values": {"company": "ACME Corp"},
}

OWN, SHARED = "https://example.com/own", "https://example.com/all"
BAD_KEY = "A key has 1 to 40 characters and no NUL."


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "events:write")


@pytest.fixture
def body(event_type: EventType) -> dict[str, Any]:
    """Return the smallest body that books START."""
    return {
        "event_type_id": event_type.pk,
        "attendee_email": "john@example.com",
        "attendee_name": "John Doe",
        "start_time": "2026-03-04T10:00:00Z",
    }


@time_machine.travel(datetime(2025, 6, 15, 14, 30, tzinfo=UTC), tick=False)
def test_the_documented_request_is_answered_in_its_shape(api: Client, alice: User) -> None:
    # Thirty minutes by name, sixty by the clock: the duration counts.
    event_type = factories.event_type(alice, id=123, duration=60)
    status, answer = call(api, "POST", "/events", EXAMPLE)
    row = Booking.objects.get()
    assert (status, list(answer)) == (201, ["data"])
    # As a list: the order of the fields is promised too.
    assert list(answer["data"].items()) == [
        ("uuid", row.uuid),
        ("id", row.pk),
        ("status", "confirmed"),
        ("start_time", "2025-06-20T10:00:00Z"),
        ("end_time", "2025-06-20T11:00:00Z"),
        ("timezone", "America/New_York"),
        (
            "event_type",
            {
                "uuid": event_type.uuid,
                "id": 123,
                "name": "30 Minute Meeting",
                "slug": "30-minute-meeting",
                "duration": 60,
            },
        ),
        (
            "location",
            {"type": "zoom_meeting", "display": "Zoom Call", "custom": None, "join_url": None},
        ),
        ("join_url", None),
        (
            "invitee",
            {"name": "John Doe", "email": "john@example.com", "phone": "+1234567890"},
        ),
        ("guests", []),
        ("host", {"name": "Alice Ames", "email": "alice@example.com"}),
        ("notes", "Project discussion"),
        ("custom_field_values", {"company": "ACME Corp"}),
        ("questions", [{"label": "company", "answer": "ACME Corp"}]),
        ("metadata", {}),
        ("no_show", False),
        ("sequence", 0),
        (
            "last_change",
            {"change": "created", "by": "host", "reason": "", "at": "2025-06-15T14:30:00Z"},
        ),
        ("previous", None),
        ("created_at", "2025-06-15T14:30:00Z"),
        ("updated_at", "2025-06-15T14:30:00Z"),
        ("uri", f"/api/v1/events/{row.pk}"),
        ("cancel_url", f"{links.manage_url(row)}#cancel"),
        ("reschedule_url", f"{links.manage_url(row)}#move"),
    ]
    assert (row.uuid[:4], len(row.uuid)) == ("evt_", 24)
    assert call(api, "GET", f"/events/{row.uuid}") == (200, answer)


def test_the_least_that_can_be_said(api: Client, body: dict[str, Any]) -> None:
    booked = data(call(api, "POST", "/events", body), 201)
    assert {
        name: booked[name]
        for name in ("status", "end_time", "timezone", "invitee", "notes", "custom_field_values")
    } == {
        "status": "confirmed",
        "end_time": "2026-03-04T10:30:00Z",
        "timezone": "UTC",  # the event type's
        "invitee": {"name": "John Doe", "email": "john@example.com", "phone": None},
        "notes": "",
        "custom_field_values": {},
    }


@pytest.mark.parametrize(
    ("own", "shown"), [(OWN, OWN), (f" {OWN} ", OWN), ("", SHARED), (None, SHARED)]
)
def test_its_own_link_stands_in_place_of_the_event_types(
    api: Client, alice: User, body: dict[str, Any], own: str | None, shown: str
) -> None:
    event_type = factories.event_type(alice, name="Talk", location_link=SHARED)
    asked = body | {"event_type_id": event_type.pk, "join_url": own}
    booked = data(call(api, "POST", "/events", asked), 201)
    assert (booked["join_url"], booked["location"]["join_url"]) == (shown, shown)
    assert [row["join_url"] for row in data(call(api, "GET", "/events"))] == [shown]


FULL = {f"{number:040}": "x" * 500 for number in range(20)}


@pytest.mark.parametrize("metadata", [{}, {"order": "1234", "é": ""}, {"a": " b "}, FULL])
def test_metadata_is_kept_as_it_was_given(
    api: Client, body: dict[str, Any], metadata: dict[str, str]
) -> None:
    booked = data(call(api, "POST", "/events", body | {"metadata": metadata}), 201)
    assert booked["metadata"] == metadata
    changed = call(api, "PATCH", f"/events/{booked['id']}", {"metadata": {"other": "x"}})
    assert data(changed)["metadata"] == metadata


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"join_url": "zoom.us/j/1"}, ("join_url", "The link must be an http or https URL.")),
        ({"metadata": FULL | {"one": "more"}}, ("metadata", "Give at most 20 values.")),
        ({"metadata": {"x" * 41: ""}}, ("metadata", BAD_KEY)),
        ({"metadata": {"": ""}}, ("metadata", BAD_KEY)),
        ({"metadata": {"a\0": ""}}, ("metadata", BAD_KEY)),
        ({"metadata": {"a": "x" * 501}}, ("metadata.a", "Is over 500 characters long.")),
        ({"metadata": {"a": 5}}, ("metadata.a", "Not a valid string.")),
        ({"metadata": {"a": None}}, ("metadata.a", "This field may not be null.")),
        ({"metadata": ["a"]}, ("metadata", 'Expected a dictionary of items but got type "list".')),
    ],
)
def test_what_is_no_link_and_metadata_beyond_its_bounds_are_refused(
    api: Client, body: dict[str, Any], wanted: dict[str, Any], refusal: tuple[str, str]
) -> None:
    assert wrong(call(api, "POST", "/events", body | wanted)) == [refusal]
    assert not Booking.objects.exists()


def test_answers_stand_under_the_labels_of_their_questions(
    api: Client, alice: User, body: dict[str, Any]
) -> None:
    def asked(name: str, kind: str) -> dict[str, Any]:
        label = name.capitalize()
        return {"name": name, "label": label, "type": kind, "required": False, "options": []}

    asking = [asked("size", "number"), asked("vegan", "boolean"), asked("never", "text")]
    event_type = factories.event_type(alice, name="Talk", custom_fields=asking)
    answers = {"zebra": "z", "ant": "a", "vegan": True, "size": 5}
    wanted = body | {"event_type_id": event_type.pk, "custom_field_values": answers}
    assert data(call(api, "POST", "/events", wanted), 201)["questions"] == [
        {"label": "Size", "answer": 5},
        {"label": "Vegan", "answer": True},
        {"label": "ant", "answer": "a"},
        {"label": "zebra", "answer": "z"},
    ]


def test_it_takes_the_time_with_its_buffers_and_tells_both(
    api: Client, body: dict[str, Any], event_type: EventType, alice: User
) -> None:
    services.update_event_type(
        event_type=event_type, buffer_time_before=30, buffer_time_after=60, slot_interval=30
    )
    data(call(api, "POST", "/events", body), 201)
    at = int(START.timestamp())
    assert list(BusyTime.objects.values_list("user", "start", "end")) == [
        (alice.pk, at - 1800, at + 5400)
    ]
    told = [(row.kind, address_of(row)) for row in rows("email")]
    assert Counter(told) == {
        (kind, address): number
        for address in ("alice@example.com", "john@example.com")
        for kind, number in (("booking_confirmed", 1), ("booking_reminder", 2))
    }


def test_what_must_be_approved_is_pending(
    api: Client, body: dict[str, Any], approved: EventType
) -> None:
    booked = data(call(api, "POST", "/events", body | {"event_type_id": approved.pk}), 201)
    assert (booked["status"], booked["sequence"]) == ("pending", 0)
    assert BusyTime.objects.count() == 1  # it holds its time


# --- when it begins -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04T10:00:00Z",
        "2026-03-04T10:00Z",
        "2026-03-04 10:00:00Z",
        "2026-03-04t10:00:00z",
        "2026-03-04T10:00:00.000Z",
        "2026-03-04T15:45:00+05:45",
        "2026-03-03T23:00:00-11:00",
    ],
)
def test_a_time_with_an_offset_is_that_instant(
    api: Client, body: dict[str, Any], text: str
) -> None:
    asked = body | {"start_time": text, "timezone": "Asia/Tokyo"}
    booked = data(call(api, "POST", "/events", asked), 201)
    assert (booked["start_time"], booked["timezone"]) == ("2026-03-04T10:00:00Z", "Asia/Tokyo")


def test_a_time_without_one_is_of_the_requests_zone(api: Client, body: dict[str, Any]) -> None:
    asked = body | {"start_time": "2026-03-04T19:00:00", "timezone": "Asia/Tokyo"}
    booked = data(call(api, "POST", "/events", asked), 201)
    assert (booked["start_time"], booked["timezone"]) == ("2026-03-04T10:00:00Z", "Asia/Tokyo")


def test_or_else_of_the_event_types(
    api: Client, body: dict[str, Any], event_type: EventType
) -> None:
    services.update_event_type(event_type=event_type, timezone="America/New_York")
    booked = data(call(api, "POST", "/events", body | {"start_time": "2026-03-04T05:00:00"}), 201)
    assert (booked["start_time"], booked["timezone"]) == (
        "2026-03-04T10:00:00Z",
        "America/New_York",
    )


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        # Clocks in New York skip from 2:00 to 3:00: read with the offset before.
        ("2026-03-08T02:30", "2026-03-08T07:30:00Z", "2026-03-08T09:00:00Z"),
        ("2026-03-08T01:30", "2026-03-08T06:30:00Z", "2026-03-08T08:00:00Z"),
        # They show 1:00 to 2:00 twice: the first is meant, and the second can be told by offset.
        ("2026-11-01T01:30", "2026-11-01T05:30:00Z", "2026-11-01T07:00:00Z"),
        ("2026-11-01T01:30-05:00", "2026-11-01T06:30:00Z", "2026-11-01T08:00:00Z"),
        ("2026-11-01T00:30", "2026-11-01T04:30:00Z", "2026-11-01T06:00:00Z"),
    ],
)
def test_a_time_that_a_clock_skips_or_repeats(
    api: Client, body: dict[str, Any], alice: User, text: str, start: str, end: str
) -> None:
    event_type = factories.event_type(alice, duration=90, slot_interval=30, max_advance_booking=365)
    for day in (date(2026, 3, 8), date(2026, 11, 1)):  # Sundays
        services.set_override(user=alice, day=day, windows=[{"start": "00:00", "end": "24:00"}])
    zone = {"event_type_id": event_type.pk, "timezone": "America/New_York"}
    booked = data(call(api, "POST", "/events", body | zone | {"start_time": text}), 201)
    assert (booked["start_time"], booked["end_time"]) == (start, end)
    assert data(call(api, "GET", f"/events/{booked['id']}")) == booked


# --- once, and whose ------------------------------------------------------------------------------


def test_a_key_answers_again(api: Client, body: dict[str, Any]) -> None:
    first, again = (
        api.post(
            "/api/v1/events",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )
        for _ in range(2)
    )
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert Booking.objects.count() == 1


def test_a_refusal_leaves_the_key_free(api: Client, body: dict[str, Any]) -> None:
    def post(start: str) -> int:
        answer = api.post(
            "/api/v1/events",
            body | {"start_time": start},
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )
        return answer.status_code

    assert [post("2026-03-04T03:00:00Z"), post("2026-03-04T10:00:00Z")] == [422, 201]
    assert Booking.objects.count() == 1


def test_somebody_elses_event_type_is_not_there(body: dict[str, Any], bob: User) -> None:
    for number in (body["event_type_id"], 10**18):
        answer = call(factories.client(bob), "POST", "/events", body | {"event_type_id": number})
        assert wrong(answer) == [("event_type_id", "You have no such event type.")]
    assert Booking.objects.count() == 0


def test_one_that_is_not_active_cannot_be_booked(
    api: Client, body: dict[str, Any], event_type: EventType
) -> None:
    services.update_event_type(event_type=event_type, is_active=False)
    assert wrong(call(api, "POST", "/events", body)) == [
        ("event_type_id", "This event type cannot be booked.")
    ]
    assert Booking.objects.count() == 0

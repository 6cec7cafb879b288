"""GET, PATCH and PUT /api/v1/events/{id}: one booking, and changes of its details."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from scheduling.domain import services
from scheduling.messages import links
from scheduling.models import Booking, EventType, HistoryEntry
from tests import factories
from tests.pages import NOW
from tests.scheduling.calls import call, data, missing, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.usefixtures("at_now")

BY_OTHERS = [
    ("GET", ""),
    ("PATCH", ""),
    ("PUT", ""),
    ("DELETE", ""),
    ("GET", "/history"),
    ("POST", "/confirm"),
    ("POST", "/reject"),
    ("POST", "/cancel"),
    ("POST", "/reschedule"),
]

LINK = "https://zoom.us/j/1234567890"
ZOOM = {"type": "zoom_meeting", "display": "Zoom Call", "custom": None}


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "events:write")


@pytest.fixture
def booking(book: Book) -> Booking:
    return book(notes="As it was", answers={"company": "ACME Corp", "size": "5"}, phone="+12345")


@pytest.fixture
def url(booking: Booking) -> str:
    return f"/events/{booking.pk}"


def test_it_is_found_by_number_and_by_uuid(api: Client, booking: Booking) -> None:
    [listed] = data(call(api, "GET", "/events"))
    page = links.manage_url(booking)
    more = {"cancel_url": f"{page}#cancel", "reschedule_url": f"{page}#move"}
    for key in (booking.pk, booking.uuid):
        assert data(call(api, "GET", f"/events/{key}")) == listed | more


@pytest.mark.parametrize(
    "key", ["0", "99999", "-1", "9" * 18, "9" * 400, "evt_00000000000000000000", "x", "evt_%00"]
)
@pytest.mark.parametrize(("method", "action"), BY_OTHERS)
def test_what_is_not_there_is_404(
    api: Client, booking: Booking, key: str, method: str, action: str
) -> None:
    assert missing(call(api, method, f"/events/{key}{action}")) == "event not found"


@pytest.mark.parametrize(("method", "action"), BY_OTHERS)
def test_somebody_elses_is_404(
    booking: Booking, bob: User, charlie: User, team: Team, method: str, action: str
) -> None:
    before = Booking.objects.values().get()
    for person in (bob, charlie):
        for key in (booking.pk, booking.uuid):
            body = None if method == "GET" else {"start_time": "2026-03-04T12:00:00Z"}
            answer = call(factories.client(person), method, f"/events/{key}{action}", body)
            assert missing(answer) == "event not found"
    assert Booking.objects.values().get() == before


def test_it_takes_three_queries(
    api: Client, url: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call(api, "GET", url)  # the token's last use is noted
    with django_assert_num_queries(3):  # token, row, guests
        call(api, "GET", url)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"notes": "Other words"}, {"notes": "Other words"}),
        ({"notes": ""}, {"notes": ""}),
        (
            {"attendee_phone": "+49 (30) 999"},
            {"invitee": {"name": "John Doe", "email": "john@example.com", "phone": "+4930999"}},
        ),
        (
            {"attendee_phone": ""},
            {"invitee": {"name": "John Doe", "email": "john@example.com", "phone": None}},
        ),
        (
            {"custom_field_values": {"size": "6"}},
            {
                "custom_field_values": {"company": "ACME Corp", "size": "6"},
                "questions": [
                    {"label": "company", "answer": "ACME Corp"},
                    {"label": "size", "answer": "6"},
                ],
            },
        ),
        (
            {"custom_field_values": {"size": None, "color": "red"}},
            {
                "custom_field_values": {"company": "ACME Corp", "color": "red"},
                "questions": [
                    {"label": "color", "answer": "red"},
                    {"label": "company", "answer": "ACME Corp"},
                ],
            },
        ),
        ({"custom_field_values": {}}, {}),
        ({}, {}),
        (None, {}),
        (
            {"join_url": LINK},
            {"join_url": LINK, "location": ZOOM | {"join_url": LINK}, "sequence": 1},
        ),
        ({"join_url": ""}, {}),
        ({"join_url": None}, {}),
        ({"metadata": {"a": "b"}}, {}),
        # What is not changed here: reschedule moves it, and who booked it stays.
        ({"start_time": "2026-03-04T12:00:00Z", "status": "cancelled", "id": 5}, {}),
        ({"attendee_name": "Zoe", "attendee_email": "zoe@example.com", "sequence": 9}, {}),
    ],
)
def test_what_is_sent_changes_and_the_rest_stays(
    api: Client, url: str, method: str, body: Any, changed: dict[str, Any]
) -> None:
    before = data(call(api, "GET", url))
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        after = data(call(api, method, url, body))
    assert after == before | changed | {"updated_at": "2026-03-02T09:05:00Z"}
    assert data(call(api, "GET", url)) == after
    assert HistoryEntry.objects.count() == 1  # that it was made


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"notes": None}, [("notes", "This field may not be null.")]),
        ({"notes": 5}, [("notes", "Not a valid string.")]),
        ({"notes": "a\0"}, [("notes", "Null characters are not allowed.")]),
        (
            {"notes": "x" * 5001},
            [("notes", "Ensure this field has no more than 5000 characters.")],
        ),
        ({"attendee_phone": None}, [("attendee_phone", "This field may not be null.")]),
        (
            {"attendee_phone": "1" * 41},
            [("attendee_phone", "Ensure this field has no more than 40 characters.")],
        ),
        (
            {"custom_field_values": ["x"]},
            [("custom_field_values", 'Expected a dictionary of items but got type "list".')],
        ),
        ({"custom_field_values": None}, [("custom_field_values", "This field may not be null.")]),
        ({"join_url": "ftp://x"}, [("join_url", "The link must be an http or https URL.")]),
        (
            {"notes": "fine", "custom_field_values": {"company": "a\0"}},
            [("custom_field_values.company", "May not hold a NUL character.")],
        ),
    ],
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, url: str, body: dict[str, Any], details: list[tuple[str, str]]
) -> None:
    before = data(call(api, "GET", url))
    assert wrong(call(api, "PATCH", url, body)) == details
    assert data(call(api, "GET", url)) == before


def test_only_the_answers_that_are_sent_are_checked(
    api: Client, url: str, event_type: EventType
) -> None:
    """The event type's questions may have changed since the earlier answers."""
    new = {"name": "new", "label": "New", "type": "text", "required": True, "options": []}
    company = new | {"name": "company", "type": "number", "required": False}
    services.update_event_type(event_type=event_type, custom_fields=[new, company])
    before = data(call(api, "GET", url))["custom_field_values"]
    assert data(call(api, "PATCH", url, {"notes": "Other words"}))["notes"] == "Other words"
    changed = data(call(api, "PATCH", url, {"custom_field_values": {"size": "7"}}))
    assert changed["custom_field_values"] == before | {"size": "7"}
    assert wrong(call(api, "PATCH", url, {"custom_field_values": {"new": None}})) == [
        ("custom_field_values.new", "New is required.")
    ]


def test_there_are_at_most_fifty_with_those_that_are_there(api: Client, url: str) -> None:
    many = {str(number): "x" for number in range(50)}
    assert wrong(call(api, "PATCH", url, {"custom_field_values": many})) == [
        ("custom_field_values", "Give at most 50 values.")
    ]

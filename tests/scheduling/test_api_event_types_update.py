"""PATCH and PUT /api/v1/event_types/{id}: partial changes, refusals and concurrent changes."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from core.errors import NotFound
from scheduling.domain import services
from scheduling.models import EventType
from tests import factories
from tests.pages import NOW
from tests.scheduling.calls import call, data, wrong

pytestmark = pytest.mark.usefixtures("at_now")

# What is sent flat, and where it is shown.
EVERYTHING: dict[str, Any] = {
    "name": "Renamed",
    "duration": 45,
    "durations": [30, 45],
    "description": "Other words",
    "color": "#000000",
    "location": "custom",
    "location_custom": "At the pond",
    "location_link": "https://example.com/pond",
    "timezone": "Asia/Kathmandu",
    "slug": "elsewhere",
    "is_active": False,
    "is_hidden": True,
    "requires_approval": True,
    "confirm_email": True,
    "buffer_time_before": 1,
    "buffer_time_after": 2,
    "min_advance_booking": 3,
    "max_advance_booking": 4,
    "available_days": ["sunday"],
    "slot_interval": 15,
    "daily_limit": 6,
    "weekly_limit": 20,
    "cancellation_notice": 120,
    "price": "7.00",
    "currency": "EUR",
    "payment_method": "on_site",
    "custom_fields": [{"name": "q", "label": "Q", "type": "text", "required": True, "options": []}],
    "redirect_url": "https://example.com/thanks",
    "sort_order": 8,
}


def flat(shown: dict[str, Any]) -> dict[str, Any]:
    """Return the nested values of an answer under the flat names of a request."""
    location = {
        "location": shown["location"]["type"],
        "location_custom": shown["location"]["custom"],
        "location_link": shown["location"]["link"],
    }
    nested = {**shown["scheduling_settings"], **shown["payment"], **location}
    return {name: nested.get(name, shown.get(name)) for name in EVERYTHING}


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "event_types:write")


@pytest.fixture
def url(event_type: EventType) -> str:
    return f"/event_types/{event_type.pk}"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("field", EVERYTHING)
def test_one_thing_changes_and_the_rest_stays(
    api: Client, url: str, method: str, field: str
) -> None:
    body = {field: EVERYTHING[field]}
    if field == "location":
        body["location_custom"] = EVERYTHING["location_custom"]
    before = data(call(api, "GET", url))
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        changed = data(call(api, method, url, body))
    assert flat(changed) == flat(before) | body
    for name in ("id", "uuid", "uri", "created_at"):
        assert changed[name] == before[name]
    assert changed["updated_at"] == "2026-03-02T09:05:00Z"
    assert data(call(api, "GET", url)) == changed


def test_all_of_it_changes_at_once(api: Client, event_type: EventType) -> None:
    changed = data(call(api, "PUT", f"/event_types/{event_type.uuid}", EVERYTHING))
    assert flat(changed) == EVERYTHING
    assert changed["scheduling_url"] == "alice/elsewhere"
    assert changed["payment"]["is_paid"] is True
    assert changed["location"]["display"] == "At the pond"


@pytest.mark.parametrize("body", [{}, None, {"unheard": "of"}])
def test_nothing_changes_nothing(api: Client, url: str, body: Any) -> None:
    before = data(call(api, "GET", url))
    assert data(call(api, "PATCH", url, body)) == before


@pytest.mark.parametrize(
    "field", ["id", "uuid", "host", "uri", "created_at", "scheduling_url", "bookings"]
)
def test_what_is_ours_to_say_stays(api: Client, url: str, bob: User, field: str) -> None:
    before = data(call(api, "GET", url))
    assert data(call(api, "PATCH", url, {field: bob.pk})) == before


def test_what_may_be_nothing_can_be_taken_back(api: Client, url: str) -> None:
    call(api, "PATCH", url, {**EVERYTHING, "location": "google_meet"})
    nothing = dict.fromkeys(
        (
            "price",
            "payment_method",
            "slot_interval",
            "daily_limit",
            "weekly_limit",
            "location_custom",
            "location_link",
            "redirect_url",
        )
    )
    changed = data(call(api, "PATCH", url, nothing))
    assert flat(changed) == EVERYTHING | {"location": "google_meet"} | nothing
    assert changed["location"]["display"] == "Google Meet"


@pytest.mark.parametrize(
    ("body", "link", "link_later"),
    [
        ({"name": "x"}, "https://example.com/a", False),
        ({"link_later": False}, "https://example.com/a", False),
        ({"location": "google_meet"}, "https://example.com/a", False),
        ({"location_link": "http://example.com/b"}, "http://example.com/b", False),
        ({"link_later": True}, None, True),
        ({"location": "in_person"}, None, False),
    ],
)
def test_the_link_stays_changes_or_goes(
    api: Client, url: str, body: dict[str, Any], link: str | None, link_later: bool
) -> None:
    data(call(api, "PATCH", url, {"location_link": "https://example.com/a"}))
    changed = data(call(api, "PATCH", url, body))["location"]
    assert (changed["link"], changed["link_later"]) == (link, link_later)


def test_a_link_that_is_taken_away_must_be_said_to_follow(api: Client, url: str) -> None:
    data(call(api, "PATCH", url, {"location_link": "https://example.com/a"}))
    assert wrong(call(api, "PATCH", url, {"location_link": "", "link_later": False})) == [
        ("location_link", "Give the link, or say that it follows.")
    ]
    assert data(call(api, "GET", url))["location"]["link"] == "https://example.com/a"


def test_the_address_stays_when_the_name_changes(api: Client, url: str) -> None:
    changed = data(call(api, "PATCH", url, {"name": "Something else"}))
    assert (changed["name"], changed["slug"]) == ("Something else", "30-minute-meeting")


def test_an_address_that_is_mine_already_is_refused(api: Client, url: str, alice: User) -> None:
    factories.event_type(alice, slug="other")
    for method in ("PATCH", "PUT"):
        assert wrong(call(api, method, url, {"slug": "other"})) == [
            ("slug", "You have an event type with this address already.")
        ]
    assert data(call(api, "PATCH", url, {"slug": "30-minute-meeting"}))["slug"] == (
        "30-minute-meeting"
    )


def test_a_place_of_ones_own_must_stay_said(api: Client, url: str) -> None:
    at_the_pond = {"location": "custom", "location_custom": "At the pond"}
    data(call(api, "PATCH", url, at_the_pond))
    assert wrong(call(api, "PATCH", url, {"location_custom": ""})) == [
        ("location_custom", "Enter the location details for a custom location.")
    ]
    assert data(call(api, "PATCH", url, {"name": "x"}))["location"] == {
        "type": "custom",
        "display": "At the pond",
        "custom": "At the pond",
        "link": None,
        "link_later": True,
    }


def test_two_changes_at_once_do_not_undo_each_other(event_type: EventType) -> None:
    """Both requests have read the row before either wrote."""
    mine, yours = (EventType.objects.get(pk=event_type.pk) for _ in range(2))
    services.update_event_type(event_type=mine, name="Mine")
    services.update_event_type(event_type=yours, duration=90)
    event_type.refresh_from_db()
    assert (event_type.name, event_type.duration) == ("Mine", 90)


def test_what_is_gone_meanwhile_does_not_come_back(event_type: EventType) -> None:
    read = EventType.objects.get(pk=event_type.pk)
    services.delete_event_type(event_type=event_type)
    with pytest.raises(NotFound) as caught:
        services.update_event_type(event_type=read, name="Back")
    assert caught.value.message == "event type not found"
    assert EventType.objects.count() == 0

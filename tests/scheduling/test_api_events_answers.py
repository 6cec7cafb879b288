"""POST and PATCH /api/v1/events: answers to the host's questions."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from scheduling.domain import services
from scheduling.models import Booking, EventType
from tests import factories
from tests.scheduling.calls import call, data, wrong

pytestmark = pytest.mark.usefixtures("at_now")

NO_NUMBER = "Must be a number."
NO_BOOLEAN = "Must be true or false."
NO_TEXT = "Must be a text."
NO_PHONE = "Must be a phone number."
NO_EMAIL = "Must be an email address."
NUL = "May not hold a NUL character."


def question(name: str, **more: Any) -> dict[str, Any]:
    """Return a question that is named after its type."""
    return {
        "name": name,
        "label": name.title(),
        "type": name,
        "required": False,
        "options": [],
    } | more


@pytest.fixture
def event_type(alice: User) -> EventType:
    kinds = ("text", "textarea", "number", "boolean", "email", "phone")
    select = question("select", options=["Small", "Large"])
    return factories.event_type(alice, custom_fields=[*map(question, kinds), select])


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


def answered(api: Client, body: dict[str, Any], **answers: Any) -> Any:
    return call(api, "POST", "/events", body | {"custom_field_values": answers})


def test_an_answer_of_each_type(api: Client, body: dict[str, Any]) -> None:
    answers = {
        "text": "ACME Corp",
        "textarea": "Two\nlines",
        "number": 4.5,
        "boolean": False,
        "email": "jane@example.com",
        "phone": "+44 (0)20 7946-0958",
        "select": "Large",
    }
    booked = data(answered(api, body, **answers), 201)
    assert booked["custom_field_values"] == answers | {"phone": "+442079460958"}
    assert data(call(api, "GET", f"/events/{booked['id']}")) == booked


@pytest.mark.parametrize("number", [0, -5, 1.5, 2**53 - 1])
def test_numbers_stay_numbers(api: Client, body: dict[str, Any], number: float) -> None:
    booked = data(answered(api, body, number=number), 201)
    assert booked["custom_field_values"] == {"number": number}


def test_an_empty_answer_is_none(api: Client, body: dict[str, Any]) -> None:
    booked = data(answered(api, body, text="", number=None, company="", other=None), 201)
    assert booked["custom_field_values"] == {}


def test_what_nobody_asked_is_kept_as_text(api: Client, body: dict[str, Any]) -> None:
    said = {"company": "ACME Corp", "size": 5, "big": True, "list": [1, {"a": None}], "Ünï ": "é"}
    booked = data(answered(api, body, **said), 201)
    assert booked["custom_field_values"] == {
        "company": "ACME Corp",
        "size": "5",
        "big": "true",
        "list": '[1,{"a":null}]',
        "Ünï ": "é",
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("text", 5, NO_TEXT),
        ("text", True, NO_TEXT),
        ("text", ["x"], NO_TEXT),
        ("text", "x" * 501, "Is over 500 characters long."),
        ("text", "a\0", NUL),
        ("textarea", 5, NO_TEXT),
        ("textarea", "x" * 5001, "Is over 5000 characters long."),
        ("number", "5", NO_NUMBER),
        ("number", True, NO_NUMBER),
        ("number", [5], NO_NUMBER),
        ("number", 2**53, "Is too large."),
        ("number", -1e300, "Is too large."),
        ("boolean", "true", NO_BOOLEAN),
        ("boolean", 1, NO_BOOLEAN),
        ("email", "john", NO_EMAIL),
        ("email", 5, NO_TEXT),
        ("phone", "call me", NO_PHONE),
        ("phone", "12", NO_PHONE),
        ("phone", "+1\n234567", NO_PHONE),
        ("phone", 1234567, NO_TEXT),
        ("select", "Medium", "Choose one of Small, Large."),
        ("select", "small", "Choose one of Small, Large."),
        ("select", ["Small"], NO_TEXT),
        ("company", "x" * 5001, "Is over 5000 characters long."),
        ("company", "a\0", NUL),
    ],
)
def test_an_answer_that_does_not_fit_is_422(
    api: Client, body: dict[str, Any], name: str, value: Any, message: str
) -> None:
    expected = [(f"custom_field_values.{name}", message)]
    assert wrong(answered(api, body, **{name: value})) == expected
    assert Booking.objects.count() == 0
    booked = data(answered(api, body, **{"text": "as it was"}), 201)
    changed = call(api, "PATCH", f"/events/{booked['id']}", {"custom_field_values": {name: value}})
    assert wrong(changed) == expected
    assert data(call(api, "GET", f"/events/{booked['id']}")) == booked


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"x" * 61: "1"}, "A name has at most 60 characters and no NUL."),
        ({"a\0": "1"}, "A name has at most 60 characters and no NUL."),
        ({f"name {number}": "x" for number in range(51)}, "Give at most 50 values."),
    ],
)
def test_names_have_their_limits(
    api: Client, body: dict[str, Any], answers: dict[str, str], message: str
) -> None:
    assert wrong(answered(api, body, **answers)) == [("custom_field_values", message)]


@pytest.mark.parametrize(
    ("name", "empty", "full"),
    [
        ("text", ["", None], "x"),
        ("textarea", [""], "x"),
        ("number", [None], 0),
        ("boolean", [None, False], True),  # something to agree to
        ("email", [""], "jane@example.com"),
        ("phone", [""], "+1234567"),
        ("select", [""], "A"),
    ],
)
def test_what_is_required_must_be_answered(
    api: Client, body: dict[str, Any], event_type: EventType, name: str, empty: Any, full: Any
) -> None:
    options = ["A"] if name == "select" else []
    services.update_event_type(
        event_type=event_type, custom_fields=[question(name, required=True, options=options)]
    )
    expected = [(f"custom_field_values.{name}", f"{name.title()} is required.")]
    assert wrong(call(api, "POST", "/events", body)) == expected
    for value in empty:
        assert wrong(answered(api, body, **{name: value})) == expected
    booked = data(answered(api, body, **{name: full}), 201)
    assert booked["custom_field_values"] == {name: full}
    url = f"/events/{booked['id']}"
    for value in (None, *empty):
        changed = call(api, "PATCH", url, {"custom_field_values": {name: value}})
        assert wrong(changed) == expected
    assert data(call(api, "PATCH", url, {"custom_field_values": {"other": "x"}}))[
        "custom_field_values"
    ] == {name: full, "other": "x"}

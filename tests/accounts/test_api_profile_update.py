"""PUT and PATCH /api/v1/users/me: changes of the own profile, and refusals."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from tests import factories
from tests.pages import UNSEEN
from tests.scheduling.calls import call, data, wrong

URL = "/users/me"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

# A request that names every field but `week_start`.
EXAMPLE = {
    "first_name": "John",
    "last_name": "Smith",
    "timezone": "Europe/London",
    "position": "Senior Product Manager",
    "company": "Tech Startup Inc",
    "date_format": "dd/MM/yyyy",
    "time_format": "HH:mm",
}


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "users:write")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_documented_request_is_answered_in_its_shape(
    api: Client, alice: User, method: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        answer = call(api, method, URL, EXAMPLE)
    assert answer == (
        200,
        {
            "data": {
                "uuid": alice.uuid,
                "id": alice.pk,
                "email": "alice@example.com",
                "name": "John Smith",
                "first_name": "John",
                "last_name": "Smith",
                "avatar_url": None,
                "timezone": "Europe/London",
                "position": "Senior Product Manager",
                "company": "Tech Startup Inc",
                "locale": {"date_format": "dd/MM/yyyy", "time_format": "HH:mm", "week_start": 1},
                "status": "active",
                "created_at": f"{alice.created_at:%Y-%m-%dT%H:%M:%SZ}",
                "updated_at": "2026-03-02T09:00:00Z",
                "uri": "/api/v1/users/me",
            }
        },
    )
    assert call(api, "GET", URL) == answer


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"first_name": "Ada"}, {"first_name": "Ada", "name": "Ada Ames"}),
        ({"first_name": "  Ada "}, {"first_name": "Ada", "name": "Ada Ames"}),
        ({"first_name": "", "last_name": ""}, {"first_name": "", "last_name": "", "name": "alice"}),
        ({"company": "会议"}, {"company": "会议"}),
        (
            {"week_start": 7},
            {"locale": {"date_format": "MM/dd/yyyy", "time_format": "hh:mm a", "week_start": 7}},
        ),
        (
            {"date_format": "yyyy-MM-dd"},
            {"locale": {"date_format": "yyyy-MM-dd", "time_format": "hh:mm a", "week_start": 1}},
        ),
        ({"week_start": 1.0, "timezone": ""}, {}),
        ({}, {}),
        (None, {}),
        # What is not changed here.
        ({"email": "else@example.com", "id": 5, "uuid": "x", "status": "inactive"}, {}),
        ({"is_staff": True, "username": "root", "password": "x", "name": "x"}, {}),
    ],
)
def test_what_is_sent_changes_and_the_rest_stays(
    api: Client, alice: User, method: str, body: Any, changed: dict[str, Any]
) -> None:
    before = data(call(api, "GET", URL))
    secret = User.objects.values("password", "is_staff", "username").get()
    with time_machine.travel(NOW, tick=False):
        after = data(call(api, method, URL, body))
    assert after == before | changed | {"updated_at": "2026-03-02T09:00:00Z"}
    assert data(call(api, "GET", URL)) == after
    assert User.objects.values("password", "is_staff", "username").get() == secret


@pytest.mark.parametrize(
    ("field", "value", "messages"),
    [
        ("first_name", None, ["This field may not be null."]),
        ("first_name", 5, ["Not a valid string."]),
        ("first_name", "x" * 81, ["Ensure this field has no more than 80 characters."]),
        ("last_name", "a\0", ["Null characters are not allowed."]),
        ("last_name", "a\nb", [UNSEEN]),
        ("first_name", "a\u200bb", [UNSEEN]),
        ("company", "\u2066a", [UNSEEN]),
        ("last_name", True, ["Not a valid string."]),
        ("position", "x" * 121, ["Ensure this field has no more than 120 characters."]),
        ("company", ["x"], ["Not a valid string."]),
        ("timezone", "Mars/Phobos", ["“Mars/Phobos” is not a time zone."]),
        ("timezone", None, ["This field may not be null."]),
        ("date_format", "dd-MM-yyyy", ['"dd-MM-yyyy" is not a valid choice.']),
        ("date_format", None, ["This field may not be null."]),
        ("time_format", "h:m", ['"h:m" is not a valid choice.']),
        ("time_format", "", ['"" is not a valid choice.']),
        ("week_start", 0, ["Ensure this value is greater than or equal to 1."]),
        ("week_start", 8, ["Ensure this value is less than or equal to 7."]),
        ("week_start", "1", ["A valid integer is required."]),
        ("week_start", True, ["A valid integer is required."]),
        ("week_start", None, ["This field may not be null."]),
    ],
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, field: str, value: Any, messages: list[str]
) -> None:
    before = data(call(api, "GET", URL))
    answer = call(api, "PUT", URL, {"position": "Other", field: value})
    assert wrong(answer) == [(field, message) for message in messages]
    assert data(call(api, "GET", URL)) == before


def test_the_hours_that_others_book_stay_in_their_zone(alice: User) -> None:
    api = factories.client(alice)
    before = data(call(api, "GET", "/users/me/availability"))
    data(call(api, "PUT", URL, {"timezone": "Asia/Tokyo"}))
    assert data(call(api, "GET", "/users/me/availability")) == before
    assert before["timezone"] == "UTC"


def test_nobody_elses_profile_changes(api: Client, bob: User) -> None:
    data(call(api, "PUT", URL, EXAMPLE | {"id": bob.pk}))
    bob.refresh_from_db()
    assert (bob.name, bob.timezone) == ("Bob Byrd", "UTC")

"""POST /api/v1/users/me/schedules: the name, the week that it begins with, and refusals."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from scheduling.models import Schedule
from tests import factories
from tests.scheduling.calls import call, data, wrong

URL = "/users/me/schedules"
NINE_TO_FIVE = {"start": "09:00", "end": "17:00"}
TAKEN = "You have a schedule with this name already."

pytestmark = pytest.mark.usefixtures("at_now")


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:write")


def test_it_begins_with_the_usual_week_and_the_changes_that_are_sent(api: Client) -> None:
    evening = {"enabled": True, "start": "18:00", "end": "21:00"}
    body = {"name": " Evenings ", "availability": {"1": evening, "5": {"enabled": False}}}
    made = data(call(api, "POST", URL, body), 201)
    assert (made["name"], made["is_default"], made["timezone"]) == ("Evenings", False, "UTC")
    assert made["availability"] == {
        "1": evening,
        **{str(day): {"enabled": True, **NINE_TO_FIVE} for day in range(2, 5)},
        **{str(day): {"enabled": False, **NINE_TO_FIVE} for day in range(5, 8)},
    }
    assert data(call(api, "GET", f"{URL}/{made['uuid']}")) == made


def test_the_same_key_makes_one(api: Client) -> None:
    answers = [
        api.post(
            f"/api/v1{URL}",
            {"name": "Evenings"},
            content_type="application/json",
            headers={"Idempotency-Key": "once"},
        )
        for _number in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert Schedule.objects.filter(name="Evenings").count() == 1


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, [("name", "Name is required")]),
        ({"name": ""}, [("name", "This field may not be blank.")]),
        ({"name": 5}, [("name", "Not a valid string.")]),
        ({"name": "x" * 61}, [("name", "Ensure this field has no more than 60 characters.")]),
        (
            {"name": "two\nlines"},
            [
                (
                    "name",
                    "May not hold line breaks, control characters or invisible characters.",
                )
            ],
        ),
        ({"name": "evenings"}, [("name", TAKEN)]),
        ({"name": "WORKING HOURS"}, [("name", TAKEN)]),
        ({"name": "ÄRZTE"}, [("name", TAKEN)]),
        (
            {"name": "New", "availability": {"8": {}}},
            [("availability.8", "Days are 1 (Monday) to 7.")],
        ),
        (
            {"name": "New", "availability": {"1": {"end": "08:00"}}},
            [("availability.1.end", "The end must be after the start.")],
        ),
    ],
)
def test_what_does_not_fit_is_422(
    api: Client, evenings: Schedule, body: dict[str, Any], details: list[tuple[str, str]]
) -> None:
    data(call(api, "POST", URL, {"name": "Ärzte"}), 201)
    assert wrong(call(api, "POST", URL, body)) == details
    assert Schedule.objects.filter(user=evenings.user).count() == 3


def test_others_may_use_the_same_name(evenings: Schedule, bob: User) -> None:
    assert call(factories.client(bob), "POST", URL, {"name": "Evenings"})[0] == 201

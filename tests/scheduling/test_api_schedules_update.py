"""PATCH and PUT /api/v1/users/me/schedules/{id}: the name and the days of one schedule."""

import pytest
from django.test import Client

from accounts.models import User
from core.errors import NotFound
from scheduling.domain import services
from scheduling.models import Schedule
from tests import factories
from tests.scheduling.calls import call, data, missing, wrong

URL = "/users/me/schedules"

pytestmark = pytest.mark.usefixtures("at_now")


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:write")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_is_sent_changes_and_the_rest_stays(
    api: Client, evenings: Schedule, method: str
) -> None:
    url = f"{URL}/{evenings.pk}"
    before = data(call(api, "GET", url))
    assert data(call(api, method, url, {})) == before
    assert data(call(api, method, url, {"name": "EVENINGS"})) == before | {"name": "EVENINGS"}
    late = {"4": {"enabled": True, "start": "18:00", "end": "22:00"}}
    after = data(call(api, method, url, {"availability": {"4": {"end": "22:00"}}}))
    assert after == before | {
        "name": "EVENINGS",
        "availability": before["availability"] | late,
    }
    assert data(call(api, "GET", url)) == after


def test_the_default_schedule_is_that_of_the_availability(api: Client, alice: User) -> None:
    url = f"{URL}/{alice.weekly_availability.default.uuid}"
    data(call(api, "PATCH", url, {"name": "Days", "availability": {"1": {"enabled": False}}}))
    week = data(call(api, "GET", "/users/me/availability"))
    assert week["availability"]["1"]["enabled"] is False
    data(call(api, "PUT", "/users/me/availability", {"availability": {}, "timezone": "Asia/Tokyo"}))
    shown = data(call(api, "GET", url))
    assert (shown["name"], shown["timezone"], shown["availability"]) == (
        "Days",
        "Asia/Tokyo",
        week["availability"],
    )


def test_a_name_that_another_one_has_is_422(api: Client, evenings: Schedule) -> None:
    answer = call(api, "PATCH", f"{URL}/{evenings.pk}", {"name": "working Hours"})
    assert wrong(answer) == [("name", "You have a schedule with this name already.")]


def test_nobody_changes_one_of_somebody_else_or_one_that_is_gone(
    evenings: Schedule, bob: User, api: Client
) -> None:
    url = f"{URL}/{evenings.uuid}"
    assert missing(call(factories.client(bob), "PATCH", url, {"name": "Mine"})) == (
        "schedule not found"
    )
    services.delete_schedule(schedule=evenings)
    assert missing(call(api, "PATCH", url, {"name": "Mine"})) == "schedule not found"
    with pytest.raises(NotFound):
        services.update_schedule(schedule=evenings, name="Mine")

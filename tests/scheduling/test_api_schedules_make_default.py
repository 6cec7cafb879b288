"""POST /api/v1/users/me/schedules/{id}/make_default: what follows it afterwards."""

import pytest
from django.test import Client

from accounts.models import User
from scheduling.models import EventType, Schedule
from tests import factories
from tests.scheduling.calls import call, data

pytestmark = pytest.mark.usefixtures("at_now")


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:write")


def test_it_becomes_the_availability_and_keeps_its_name_and_number(
    api: Client, alice: User, evenings: Schedule
) -> None:
    before = alice.weekly_availability.default
    for _number in range(2):  # the second time changes nothing
        answer = call(api, "POST", f"/users/me/schedules/{evenings.uuid}/make_default")
        assert data(answer)["is_default"] is True
    rows = data(call(api, "GET", "/users/me/schedules"))
    assert [(row["id"], row["name"], row["is_default"]) for row in rows] == [
        (before.pk, "Working hours", False),
        (evenings.pk, "Evenings", True),
    ]
    week = data(call(api, "GET", "/users/me/availability"))
    assert week == {"availability": rows[1]["availability"], "timezone": "UTC"}


def test_event_types_without_a_schedule_follow_it_and_others_keep_theirs(
    api: Client, alice: User, event_type: EventType, evenings: Schedule
) -> None:
    days = alice.weekly_availability.default
    fixed = factories.event_type(alice, name="By day", schedule=days)
    data(call(api, "POST", f"/users/me/schedules/{evenings.pk}/make_default"))
    followed = {each.pk: each.schedule_followed.name for each in EventType.objects.with_hours()}
    assert followed == {event_type.pk: "Evenings", fixed.pk: "Working hours"}

"""DELETE /api/v1/users/me/schedules/{id}: refused for the default, and while one follows it."""

import pytest
from django.test import Client

from accounts.models import User
from scheduling.domain import services
from scheduling.models import EventType, Schedule
from tests import factories
from tests.scheduling.calls import call, conflict, missing

URL = "/users/me/schedules"

pytestmark = pytest.mark.usefixtures("at_now")


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:write")


def test_one_that_nothing_follows_is_gone(api: Client, evenings: Schedule) -> None:
    url = f"{URL}/{evenings.uuid}"
    assert call(api, "DELETE", url) == (200, {"message": "Schedule deleted successfully"})
    assert missing(call(api, "DELETE", url)) == "schedule not found"


def test_the_default_one_is_refused(api: Client, alice: User) -> None:
    default = alice.weekly_availability.default
    assert conflict(call(api, "DELETE", f"{URL}/{default.pk}")) == (
        "This is your default schedule. Make another one the default first.",
        "default",
    )
    assert Schedule.objects.filter(pk=default.pk).exists()


def test_one_that_event_types_follow_is_refused_by_their_names(
    api: Client, alice: User, event_type: EventType, evenings: Schedule
) -> None:
    url = f"{URL}/{evenings.pk}"
    services.update_event_type(event_type=event_type, schedule=evenings, is_active=False)
    assert conflict(call(api, "DELETE", url)) == (
        "1 event type follows this schedule: 30 Minute Meeting. Choose another schedule for it"
        " first.",
        "in_use",
    )
    for number in range(3):
        factories.event_type(alice, name=f"Talk {number}", schedule=evenings)
    assert conflict(call(api, "DELETE", url)) == (
        "4 event types follow this schedule: 30 Minute Meeting, Talk 0, Talk 1 …. Choose another"
        " schedule for them first.",
        "in_use",
    )
    EventType.objects.update(schedule=None)
    assert call(api, "DELETE", url)[0] == 200

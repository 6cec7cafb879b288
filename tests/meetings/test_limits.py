"""Limit on how many meetings a day one person can request from another."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import Team, User
from meetings.models import MeetingRequest
from notifications.models import Notification
from tests import factories
from tests.pages import NOW, stand_alone, words

pytestmark = pytest.mark.django_db

SAID = "You can ask one person for 2 meetings a day. You can ask again from"


@pytest.fixture
def clock(settings: Settings) -> Iterator[time_machine.Traveller]:
    stand_alone(settings)
    settings.LIMITS = settings.LIMITS | {"meeting_requests": 2}
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def test_a_team_mate_is_asked_so_often_a_day(
    client: Client, team: Team, alice: User, bob: User, clock: time_machine.Traveller
) -> None:
    api = factories.client(alice)

    def ask(number: int) -> Any:
        body = {"team_id": team.pk, "user_id": bob.pk, "date": f"2026-03-04 1{number}:00"}
        return api.post("/api/v3/meeting/create", body, content_type="application/json")

    for number in range(2):
        made = ask(number)
        api.post(f"/api/v3/meeting/{made.json()['id']}/cancel", {}, content_type="application/json")
    refused = ask(2)
    assert (refused.status_code, refused["Retry-After"]) == (429, "86400")
    assert refused.json()["error"] == 429
    assert refused.json()["message"] == f"{SAID} Tuesday, 3 March 2026, 9:00 AM (UTC)."
    client.force_login(alice)
    form = {"mate": f"{team.pk}:{bob.pk}", "date": "2026-03-04", "time": "13:00", "link": ""}
    page = client.post("/meetings/new", form)
    assert SAID in words(page)
    assert MeetingRequest.objects.count() == 2
    assert Notification.objects.filter(kind="meeting_requested").count() == 2
    back = {"team_id": team.pk, "user_id": alice.pk, "date": "2026-03-04 14:00"}
    other = factories.client(bob).post(
        "/api/v3/meeting/create", back, content_type="application/json"
    )
    assert other.status_code == 201
    clock.shift(timedelta(days=1))
    assert ask(3).status_code == 201

"""Concurrent requests of one account: together they do not pass a limit."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import models
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import Application
from pytest_django import Settings

from accounts.domain import services, teams
from accounts.models import ApiToken, Invitation, Membership, Session, Team, User
from notifications.models import PushDevice
from scheduling.domain import services as hosts
from scheduling.models import DateOverride, EventType
from tests import factories
from tests.oauth import app_of
from tests.pages import NOW
from tests.torture.races import at_once, kinds
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[[User, int], Any]
REFUSED: Mapping[str, tuple[type[models.Model], Make]] = {
    "webhooks": (Webhook, lambda user, number: factories.webhook(user)),
    "event_types": (EventType, lambda user, number: factories.event_type(user)),
    "tokens": (
        ApiToken,
        lambda user, number: services.create_token(user=user, name="x", scopes=["users:read"])[0],
    ),
    "applications": (Application, lambda user, number: app_of(user, now=NOW).row),
    "teams": (Team, lambda user, number: teams.create(owner=user, name="Editors")),
    "overrides": (
        DateOverride,
        lambda user, number: hosts.set_override(
            user=user, day=timezone.now().date() + timedelta(days=number), windows=[]
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_of_many_at_once_as_many_are_made_as_there_is_room_for(
    alice: User, settings: Settings, name: str
) -> None:
    settings.LIMITS = settings.LIMITS | {name: 2}
    model, make = REFUSED[name]
    made = at_once([partial(make, alice, number) for number in range(5)])
    assert kinds(made) == Counter({model.__name__: 2, "LimitReached": 3})
    assert model._default_manager.count() == 2


def test_a_team_is_not_overfilled(team: Team, alice: User, settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"team_members": 4}
    invite = partial(teams.invite, team=team, actor=alice, now=NOW)
    made = at_once([partial(invite, email=f"{letter}@example.com") for letter in "vwxyz"])
    assert kinds(made) == Counter({"Invitation": 2, "LimitReached": 3})


def test_nobody_joins_two_teams_at_once_with_room_for_one(
    alice: User, charlie: User, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"teams": 1}
    for number in range(4):
        made = factories.team(f"Team {number}", alice)
        teams.invite(team=made, actor=alice, email=charlie.email, now=NOW)
    opened = list(Invitation.objects.select_related("team"))
    joined = at_once(
        [partial(teams.join, invitation=each, user=charlie, now=NOW) for each in opened]
    )
    assert kinds(joined) == Counter({"Membership": 1, "LimitReached": 3})
    assert Membership.objects.filter(user=charlie).count() == 1


def test_devices_and_browsers_make_room_one_by_one(alice: User, settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"devices": 3, "sessions": 4}

    def register(number: int) -> PushDevice:
        return services.register_device(user=alice, token=f"token-{number}", platform="web")

    for number in range(3):
        register(number)
    at_once([partial(register, number) for number in range(3, 7)])
    assert alice.devices.count() == 3
    for browsers in range(2):
        at_once([partial(Client().force_login, alice) for _browser in range(4 - browsers)])
    assert Session.objects.filter(user=alice).count() == 4

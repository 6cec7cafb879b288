"""Concurrent events: each has a number of its own, and a later commit has a higher one."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from accounts.models import Team, User
from meetings.domain import services as meetings
from tests import factories
from tests.pages import NOW, START
from tests.torture.races import at_once
from webhooks.domain import publishing
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db(transaction=True)

OF_EACH = 6


def published(owner: User, number: int) -> Callable[[], None]:
    def act() -> None:
        with transaction.atomic():
            publishing.publish(
                owners=[owner],
                types=["booking.created", "booking.confirmed"],
                topic="",
                data=lambda: {"number": number},
                now=NOW,
            )

    return act


def asked(requester: User, recipient: User, team: Team, start: datetime) -> Callable[[], None]:
    def act() -> None:
        meetings.request_meeting(
            requester=requester,
            team_id=team.pk,
            recipient_id=recipient.pk,
            date=start.isoformat(),
            link="",
            now=NOW,
        )

    return act


def test_no_two_events_of_an_owner_have_one_number(alice: User, bob: User, team: Team) -> None:
    for person in (alice, bob):
        factories.webhook(person)
    acts = []
    for number in range(OF_EACH):
        start = START + timedelta(hours=number)
        acts += [published(alice, number), published(bob, number)]
        acts += [asked(alice, bob, team, start), asked(bob, alice, team, start)]
    assert set(at_once(acts)) == {None}
    for person in (alice, bob):
        rows = WebhookEvent.objects.filter(owner=person).order_by("id")
        numbers = [json.loads(event.body)["owner_sequence"] for event in rows]
        assert numbers == list(range(1, 4 * OF_EACH + 1))

"""Fixtures for meeting pages: a fixed time, and a maker of meeting requests."""

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from pytest_django import Settings

from accounts.models import Team, User
from meetings.domain import services
from meetings.models import MeetingRequest
from tests.pages import NOW, START, Ask, stand_alone


@pytest.fixture
def at_now(settings: Settings) -> Iterator[None]:
    """Stop the clock at NOW."""
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ask(team: Team, alice: User, bob: User) -> Ask:
    """Return a function by which Alice asks Bob for an hour at START, or with other values."""

    def ask(
        requester: User = alice,
        recipient: User = bob,
        start: datetime = START,
        link: str = "",
        now: datetime = NOW,
    ) -> MeetingRequest:
        return services.request_meeting(
            requester=requester,
            team_id=team.pk,
            recipient_id=recipient.pk,
            date=start.isoformat(),
            link=link,
            now=now,
        )

    return ask

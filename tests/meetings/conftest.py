"""A moment for the pages to be looked at, and something to look at."""

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
    """The clock stands at NOW."""
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ask(team: Team, alice: User, bob: User) -> Ask:
    """Alice asks Bob for an hour at START, unless told otherwise."""

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

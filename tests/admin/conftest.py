"""Fixtures for the staff pages: staff with all permissions, staff with none, and sample rows."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Team, User
from meetings.domain import services
from meetings.models import MeetingRequest
from notifications.models import PushDevice
from scheduling.models import Booking
from tests import factories
from tests.pages import stand_alone
from webhooks.domain import services as webhook_services
from webhooks.models import Attempt, Delivery


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("staff@example.com", factories.PASSWORD))
    return client


@pytest.fixture
def plain(db: None) -> Client:
    """Return a browser signed in as staff without any permission."""
    client = Client()
    client.force_login(factories.user("helper", is_staff=True))
    return client


@pytest.fixture
def meeting(alice: User, bob: User, team: Team) -> MeetingRequest:
    PushDevice.objects.create(user=bob, token="registration-token", platform="ios")
    now = timezone.now()
    return services.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date=(now + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        link="",
        now=now,
    )


@pytest.fixture
def booking(alice: User) -> Booking:
    """Return John Doe's booking with Alice, on a future Wednesday."""
    now = timezone.now()
    day = now + timedelta(days=9 - now.weekday())
    event_type = factories.event_type(alice)
    return factories.booking(
        event_type, start=day.replace(hour=10, minute=0, second=0, microsecond=0), now=now
    )


@pytest.fixture
def attempt(alice: User) -> Attempt:
    """Return a failed attempt to call Alice's webhook. Its delivery has failed for good."""
    now = timezone.now()
    webhook = factories.webhook(alice, headers={"X-API-Key": "a-secret-of-alices"})
    webhook_services.rotate_secret(webhook=webhook, now=now)
    attempt = factories.attempt(factories.delivery(webhook, now=now), at=now, status=500)
    Delivery.objects.update(state="failed", attempts=4, settled_at=now, last_error="http_500")
    return attempt

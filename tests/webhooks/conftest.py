"""Fixtures for webhooks: Alice's webhook, its endpoint, and a clock that stands still."""

from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_network

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests import factories, wire
from tests.pages import NOW, stand_alone
from webhooks.models import Webhook


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at NOW until a test moves it."""
    with time_machine.travel(NOW, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def now(clock: time_machine.Traveller) -> datetime:
    return NOW


@pytest.fixture
def signed_in(
    client: Client, alice: User, clock: time_machine.Traveller, settings: Settings
) -> Client:
    """Return Alice's browser."""
    stand_alone(settings)
    client.force_login(alice)
    return client


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[wire.Endpoint]:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with wire.endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def webhook(alice: User, endpoint: wire.Endpoint, now: datetime) -> Webhook:
    return factories.webhook(alice, url=endpoint.url)


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "webhooks:write")

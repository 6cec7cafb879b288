"""Fixtures for tests of calendars: a fixed time, and servers that may be reached."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.pages import NOW, stand_alone


@pytest.fixture
def at_now(settings: Settings) -> Iterator[None]:
    """Stop the clock at NOW."""
    stand_alone(settings)
    settings.CALENDAR_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    """Return Alice's browser."""
    client.force_login(alice)
    return client

"""A calendar at an ICS address, and the client that connects it by the API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests import factories
from tests.calendars.servers import Asked, Said, scripted

NAMED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Tests//EN
X-WR-CALNAME:Ada
END:VCALENDAR
"""


@dataclass
class Address:
    """An ICS address on this machine. It calls `hears`, answers with `said` and keeps requests."""

    url: str = ""
    said: Said = field(default_factory=lambda: Said(body=NAMED.encode()))
    asked: list[Asked] = field(default_factory=list)
    hears: Callable[[], None] = lambda: None

    def answer(self, _asked: Asked) -> Said:
        self.hears()
        return self.said


@contextmanager
def listening(settings: Settings) -> Iterator[Address]:
    """Run an ICS address that the settings let be reached."""
    settings.CALENDAR_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    made = Address()
    with scripted(made.answer) as server:
        made.url, made.asked = f"{server.url}secret-of-alice.ics", server.asked
        yield made


@pytest.fixture
def address(settings: Settings) -> Iterator[Address]:
    with listening(settings) as address:
        yield address


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "calendars:write")

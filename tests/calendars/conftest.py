"""Calendar servers that run for a whole session, and the policy that reaches them."""

import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import TypeAlias

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from calendars.providers import connect
from calendars.providers.base import Provider
from calendars.providers.policy import policy
from core.web.guarded_http import Policy
from tests.calendars import servers
from tests.calendars.asking import address, api
from tests.calendars.servers import PASSWORD, USERNAME, Server
from tests.calendars.world import Outside
from tests.scheduling.conftest import at_now, book, event_type

# A CalDAV account at a URL.
Connect: TypeAlias = Callable[[str], Provider]

_SERVERS = {"radicale": servers.radicale_with_password, "xandikos": servers.xandikos}


@pytest.fixture(scope="session", params=list(_SERVERS))
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with _SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def outside(server: Server) -> Iterator[Outside]:
    """Return an empty calendar, the only one of its server until the test ends."""
    outside = Outside(server, server.make_calendar())
    yield outside
    server.delete(outside.path)


@pytest.fixture
def loopback(settings: Settings) -> Policy:
    settings.CALENDAR_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    return policy()


@pytest.fixture
def account(loopback: Policy) -> Connect:
    """Return a function that connects to an account, with ten seconds for all it does."""

    def account(url: str) -> Provider:
        secret = {"url": url, "username": USERNAME, "password": PASSWORD}
        return connect("caldav", secret, until=time.monotonic() + 10, policy=loopback)

    return account


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    """Return Alice's browser."""
    client.force_login(alice)
    return client


# Fixtures of others: an ICS address, Alice's event type, and a clock that stands still.
__all__ = ["address", "api", "at_now", "book", "event_type"]

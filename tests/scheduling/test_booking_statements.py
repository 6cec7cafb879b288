"""Number of statements that a booking by the API takes, transaction and limits included."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from scheduling.models import EventType
from tests import factories
from tests.pages import START
from tests.scheduling.calls import call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def statements(alice: User, event_type: EventType) -> int:
    """Book, and return the number of statements."""
    api = factories.client(alice)
    body = {
        "event_type_id": event_type.pk,
        "start_time": f"{START:%Y-%m-%dT%H:%M:%SZ}",
        "attendee_name": "John Doe",
        "attendee_email": "john@example.com",
    }
    call(api, "GET", "/events")  # the first use of a token is noted, and each a minute later
    with CaptureQueriesContext(connection) as asked:
        status, answer = call(api, "POST", "/events", body)
    assert status == 201, answer
    return len(asked)


@pytest.fixture(autouse=True)
def _limited(settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"bookings_api": 100}


def test_a_booking_takes_nineteen(alice: User, event_type: EventType) -> None:
    """The token; event type, age of calendars before and after the begin, lock, limit, terms,
    claims and dates; claim, booking, history, calendars, webhooks and messages; the answer and the
    guests in it; end."""
    assert statements(alice, event_type) == 19


def test_fifty_webhooks_take_a_few_more(alice: User, event_type: EventType) -> None:
    """The numbers, guests, events and deliveries: on SQLite two statements of 999 values."""
    for _number in range(50):
        factories.webhook(alice)
    assert statements(alice, event_type) == 23 + (connection.vendor == "sqlite")

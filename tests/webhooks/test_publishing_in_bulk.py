"""Cost of a booking: few statements, and the same for any number of webhooks and devices."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.domain import services
from accounts.models import User
from notifications.models import Notification
from tests import factories
from tests.outbox import rows, send
from tests.pages import NOW, START
from webhooks.models import Delivery, WebhookEvent

pytestmark = pytest.mark.django_db


def cost(act: Callable[[], Any], capture: DjangoCaptureOnCommitCallbacks) -> tuple[int, int]:
    """Return how many statements `act` runs, and how many messages it sends to the broker."""
    with CaptureQueriesContext(connection) as asked, capture() as hints:
        act()
    return len(asked), len(hints)


def test_a_booking_of_a_host_without_webhooks_asks_once_for_them(alice: User) -> None:
    event_type = factories.event_type(alice)
    factories.webhook(alice, status="inactive")
    with CaptureQueriesContext(connection) as asked:
        factories.booking(event_type, start=START, now=NOW)
    assert sum('"webhooks_' in each["sql"] for each in asked) == 1


def test_a_booking_that_is_confirmed_at_once_writes_its_two_events_together(alice: User) -> None:
    event_type = factories.event_type(alice)
    factories.webhook(alice)
    with CaptureQueriesContext(connection) as asked:
        factories.booking(event_type, start=START, now=NOW)
    # The webhooks, the counter, the events, the deliveries.
    assert sum("webhooks_" in each["sql"] for each in asked) == 4
    assert Delivery.objects.count() == 2


def test_a_booking_costs_as_much_with_fifty_webhooks_and_twenty_devices(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    event_type = factories.event_type(alice)

    def book(start: datetime) -> Callable[[], Any]:
        return lambda: factories.booking(event_type, start=start, now=NOW)

    factories.webhook(alice)
    services.register_device(user=alice, token="token-0", platform="web")
    few = cost(book(START), django_capture_on_commit_callbacks)
    assert Delivery.objects.count() == 2  # created and confirmed
    for _number in range(49):
        factories.webhook(alice)
    for number in range(1, 20):
        services.register_device(user=alice, token=f"token-{number}", platform="web")
    Delivery.objects.all().delete()
    Notification.objects.all().delete()
    connection.run_on_commit = []  # as after the commit of the first
    many = cost(book(START + timedelta(hours=2)), django_capture_on_commit_callbacks)
    # SQLite takes 999 values a statement, so that a hundred deliveries need a second one.
    more = connection.vendor == "sqlite"
    assert many == (few[0] + more, few[1])
    assert Delivery.objects.count() == 2 * 50
    assert WebhookEvent.objects.count() == 2 * 2
    # To all devices that it is booked, and a reminder a day and fifteen minutes before.
    assert len(rows("push")) == 3
    with time_machine.travel(NOW, tick=False):
        send()
    pushed = rows("push", kind="booking-created")
    assert len({row.address for row in pushed}) == len(pushed) == 20

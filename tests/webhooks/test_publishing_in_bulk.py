"""A booking takes the same few statements, however many webhooks and devices its host has."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import services
from accounts.models import Notification, User
from config import outbox
from config.celery import app
from config.tasks import hand_out
from tests import factories
from tests.pages import NOW, START
from webhooks.models import Delivery, WebhookEvent

pytestmark = pytest.mark.django_db


def cost(act: Callable[[], Any], capture: DjangoCaptureOnCommitCallbacks) -> tuple[int, int]:
    """How many statements it takes, and how many messages to the broker."""
    with CaptureQueriesContext(connection) as asked, capture() as hints:
        act()
    return len(asked), len(hints)


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
    many = cost(book(START + timedelta(hours=2)), django_capture_on_commit_callbacks)
    assert many == few
    assert Delivery.objects.count() == 2 * 50
    assert WebhookEvent.objects.count() == 2 * 2
    # To each device that it is booked, and a reminder a day and fifteen minutes before.
    pushed = Notification.objects.filter(channel="push")
    assert pushed.count() == 3 * 20
    assert pushed.values("address").distinct().count() == 20


def queue_of(task: str) -> Any:
    return app.amqp.router.route({}, task)["queue"]


def test_a_hint_for_many_becomes_a_hint_for_each_at_the_worker(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    task = "webhooks.tasks.deliver"
    with app.connection_for_read() as broker:
        queue = broker.SimpleQueue(queue_of(task))
        queue.clear()
        with django_capture_on_commit_callbacks(execute=True):
            hand_out(task, 7, 8, 9)
        sent = [queue.get(timeout=5) for _each in range(3)]
        queue.close()
    assert [message.headers["task"] for message in sent] == [task] * 3
    assert [message.payload[0] for message in sent] == [[7], [8], [9]]


@pytest.mark.parametrize(
    ("ids", "sent"),
    [
        ([], []),
        ([7], [("webhooks.tasks.deliver", 7)]),
        ([7, 8], [("config.tasks.hand_out", "webhooks.tasks.deliver", 7, 8)]),
    ],
)
def test_one_message_tells_of_all(
    ids: list[int],
    sent: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(outbox, "_send_hint", lambda *message: told.append(message))
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        outbox.hint_each("webhooks.tasks.deliver", ids)
    assert told == sent

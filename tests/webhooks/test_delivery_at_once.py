"""Concurrent workers: which one may send, whose result counts, and who need not wait."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction

from accounts.models import User
from core.ops import shares
from tests import factories, wire
from tests.pages import NOW
from webhooks.domain import services
from webhooks.domain.delivery import deliver
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.tasks import deliver as deliver_task

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = timedelta(seconds=60)
_END_SECONDS = 20.0


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Give all threads to deliveries, as in a worker that does nothing else."""
    shares.divide(shares.THREADS, [shares.DELIVERIES])
    yield
    shares.divide(shares.THREADS)


@pytest.fixture
def other_endpoint(endpoint: wire.Endpoint) -> Iterator[wire.Endpoint]:
    with wire.endpoint() as other:
        yield other


def beside(act: Callable[[], object]) -> threading.Thread:
    """Do `act` in a thread with its own connection."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def meanwhile(endpoint: wire.Endpoint, status: int, act: Callable[[], object]) -> None:
    """Let the endpoint answer its first call with `status`, after `act`. Later calls get 200."""

    def answer(call: wire.Call) -> tuple[int, dict[str, str], bytes]:
        endpoint.always(200)
        beside(act).join(_END_SECONDS)
        return status, {}, b""

    endpoint.answer = answer


def row(delivery: Delivery) -> tuple[str, int, str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.attempts, delivery.last_error, delivery.lease


@pytest.mark.parametrize("status", [200, 500, 410])
def test_who_was_taken_for_dead_says_what_came_of_it_and_changes_nothing(
    webhook: Webhook, endpoint: wire.Endpoint, clock: time_machine.Traveller, status: int
) -> None:
    delivery = factories.delivery(webhook, now=NOW)

    def take_over() -> None:
        clock.move_to(NOW + LEASE)
        assert deliver(webhook_id=webhook.pk) is True

    meanwhile(endpoint, status, take_over)
    assert deliver(webhook_id=webhook.pk) is True
    assert row(delivery) == ("sent", 1, "", "")
    tries = Attempt.objects.order_by("at").values_list("at", "response_code")
    assert list(tries) == [(NOW, status), (NOW + LEASE, 200)]
    webhook.refresh_from_db()
    assert (webhook.status, webhook.failing_since) == ("active", None)


def test_one_that_is_stopped_while_it_is_being_told_stays_stopped(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    delivery = factories.delivery(webhook, now=now)
    seen = Webhook.objects.get()
    meanwhile(endpoint, 200, lambda: services.update(webhook=seen, now=now, status="inactive"))
    assert deliver(webhook_id=webhook.pk) is True
    assert row(delivery) == ("failed", 0, "inactive", "")
    assert list(Attempt.objects.values_list("succeeded", flat=True)) == [True]


def test_one_that_is_deleted_while_it_is_being_told_is_gone(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    factories.delivery(webhook, now=now)
    meanwhile(endpoint, 200, lambda: services.delete(webhook=Webhook.objects.get()))
    assert deliver(webhook_id=webhook.pk) is True
    assert [model.objects.count() for model in (Webhook, Delivery, Attempt)] == [0, 0, 0]


def test_a_webhook_that_is_deleted_waits_for_what_is_being_told(
    webhook: Webhook, now: datetime
) -> None:
    """Otherwise the booking that the event reports could not commit."""
    with transaction.atomic():
        factories.booking(
            factories.event_type(webhook.owner), start=now + timedelta(days=2, hours=1), now=now
        )
        assert Delivery.objects.count() == 2
        deletion = beside(lambda: services.delete(webhook=Webhook.objects.get()))
        deletion.join(0.3)
        assert deletion.is_alive()
    deletion.join(_END_SECONDS)
    assert [model.objects.count() for model in (Webhook, Delivery)] == [0, 0]


def test_a_webhook_is_told_four_things_at_once_and_others_do_not_wait(
    alice: User,
    bob: User,
    webhook: Webhook,
    endpoint: wire.Endpoint,
    other_endpoint: wire.Endpoint,
    now: datetime,
) -> None:
    held, most, under_way = threading.Event(), [0], [0]
    counting = threading.Lock()

    def hold(call: wire.Call) -> tuple[int, dict[str, str], bytes]:
        with counting:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        held.wait(_END_SECONDS)
        with counting:
            under_way[0] -= 1
        return 200, {}, b""

    endpoint.answer = hold
    other = factories.webhook(bob, url=other_endpoint.url)
    Webhook.objects.update(is_prompt=True)
    for _ in range(10):
        factories.delivery(webhook, now=now)
        factories.delivery(other, now=now)
    workers = [beside(lambda: deliver_task(webhook.pk)) for _ in range(12)]
    # Eight of the twelve find no place and have gone.
    wire.until(lambda: sum(worker.is_alive() for worker in workers) == 4)
    endpoint.wait_for(4)
    others = [beside(lambda: deliver_task(other.pk)) for _ in range(3)]
    for worker in others:
        worker.join(_END_SECONDS)
    assert len(other_endpoint.received) == 10
    assert (len(endpoint.received), under_way[0]) == (4, 4)
    assert deliver(webhook_id=webhook.pk) is False
    held.set()
    for worker in workers:
        worker.join(_END_SECONDS)
    assert (len({call.message_id for call in endpoint.received}), len(endpoint.received)) == (
        10,
        10,
    )
    assert most == [4]
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}

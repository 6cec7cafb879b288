"""Dispatch: which deliveries are sent next, and the shares of accounts and endpoints."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from accounts.models import User
from config.celery import app
from core.ops import shares
from tests import factories, wire
from tests.delivering import deliver_due
from webhooks.domain import dispatch
from webhooks.domain.dispatch import line_up
from webhooks.models import Delivery, Webhook
from webhooks.tasks import sweep_deliveries


def prove(*webhooks: Webhook) -> None:
    Webhook.objects.filter(pk__in=[each.pk for each in webhooks]).update(is_prompt=True)


def sent_to_the_queue() -> Iterator[str]:
    """Yield the names of the tasks that wait for a delivery worker."""
    app.loader.import_default_modules()
    with (
        app.connection_for_read() as broker,
        broker.SimpleQueue("deliveries") as queue,
        suppress(queue.Empty),
    ):
        while True:
            message = queue.get(timeout=0.5)
            message.ack()
            assert message.headers["task"] in app.tasks
            yield message.headers["task"]


def test_a_sweep_gives_a_hint_for_each_delivery_that_is_due_up_to_a_limit(
    alice: User, webhook: Webhook, now: datetime
) -> None:
    inactive = factories.webhook(alice, status="inactive")
    for told in (webhook, webhook, inactive):
        factories.delivery(told, now=now)
    factories.delivery(webhook, now=now + timedelta(seconds=1))
    app.control.purge()
    sweep_deliveries()
    assert list(sent_to_the_queue()) == ["webhooks.tasks.deliver"] * 2
    for _ in range(20):
        factories.delivery(webhook, now=now)
    sweep_deliveries()
    assert len(list(sent_to_the_queue())) == 16


# --- who is next ------------------------------------------------------------------------------


def test_accounts_with_a_proven_endpoint_come_before_thousands_of_others(
    alice: User, bob: User, now: datetime
) -> None:
    """Each account gets its first place before another gets its second.

    Nobody can fill the line.
    """
    sick = [factories.webhook(factories.user(f"sick{number}")) for number in range(8)]
    sound = [factories.webhook(owner) for owner in (alice, bob)]
    for each in (*sick, *sound):
        for _ in range(5):
            factories.delivery(each, now=now)
    prove(*sound)
    line = [each.webhook_id for each in line_up(now, most=6)]
    assert sorted(line[:2]) == sorted(line[2:4]) == sorted(each.pk for each in sound)
    assert (len(line), len(set(line[6:]))) == (12, 6)


def test_an_account_sends_to_proven_endpoints_first_and_to_each_in_turn(
    alice: User, webhook: Webhook, now: datetime
) -> None:
    others = [factories.webhook(alice) for _ in range(2)]
    prove(others[1])
    for each in (webhook, others[0], others[1]):
        for _ in range(2):
            factories.delivery(each, now=now)
    line = [each.webhook_id for each in line_up(now, most=10)]
    assert line == [others[1].pk] * 2 + [webhook.pk, others[0].pk] * 2


def test_the_line_has_what_is_due_and_no_more_than_a_webhook_may_get(
    alice: User, webhook: Webhook, now: datetime
) -> None:
    inactive = factories.webhook(alice, status="inactive")
    rows = [factories.delivery(webhook, now=now - timedelta(seconds=age)) for age in range(6)]
    factories.delivery(inactive, now=now)
    factories.delivery(webhook, now=now + timedelta(seconds=1))
    assert [each.pk for each in line_up(now, most=10)] == [row.pk for row in reversed(rows[2:])]
    assert len(dispatch.claim(line_up(now, most=10)[:3])) == 3
    assert len(dispatch.claim(line_up(now, most=10))) == 1
    assert line_up(now, most=10) == []


def test_one_that_is_not_as_it_was_in_the_line_waits_for_the_next(
    webhook: Webhook, now: datetime
) -> None:
    """An endpoint that is proven no longer takes a place of the others."""
    prove(webhook)
    factories.delivery(webhook, now=now)
    line = line_up(now, most=1)
    Webhook.objects.update(is_prompt=False)
    assert dispatch.claim(line) == []
    assert len(dispatch.claim(line_up(now, most=1))) == 1


# --- shares -----------------------------------------------------------------------------------


def test_endpoints_that_may_hang_leave_half_of_the_threads_to_others(
    bob: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    of_bob = factories.webhook(bob, url=endpoint.url)
    for each in (webhook, of_bob):
        factories.delivery(each, now=now)
    with shares.held({"unproven": 1}):
        places = shares.places(shares.DELIVERIES) // 2
        shares.divide(2, [shares.DELIVERIES])
        try:
            assert deliver_due() == 0
            prove(of_bob)
            assert deliver_due() == 1
            assert Delivery.objects.filter(webhook=of_bob, state="sent").exists()
        finally:
            shares.divide(shares.THREADS)
    assert places == 4
    assert deliver_due() == 1


def test_an_account_that_has_its_share_gets_no_more(
    alice: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    factories.delivery(webhook, now=now)
    # Of the eight of a worker that does everything.
    with shares.held({f"account {alice.pk}": 2}), shares.held({f"account {alice.pk}": 2}):
        assert deliver_due() == 0
    assert deliver_due() == 1


def test_a_worker_that_stops_begins_nothing_new(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    factories.delivery(webhook, now=now)
    shares.stopping.set()
    try:
        assert deliver_due() == 0
    finally:
        shares.stopping.clear()
    assert deliver_due() == 1

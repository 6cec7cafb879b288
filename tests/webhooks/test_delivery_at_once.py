"""Concurrent workers: which one may send, whose result counts, and who need not wait."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import InterfaceError, OperationalError, connection, transaction

from accounts.models import User
from core.ops import shares
from tests import factories, wire
from tests.delivering import deliver_due
from tests.pages import NOW
from webhooks.domain import delivery, dispatch, services
from webhooks.domain.delivery import LeaseLost, Outcome
from webhooks.domain.dispatch import Dispatcher, line_up
from webhooks.models import Attempt, Delivery, Webhook

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
        Dispatcher().run()

    meanwhile(endpoint, status, take_over)
    Dispatcher().run()
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
    Dispatcher().run()
    assert row(delivery) == ("failed", 0, "inactive", "")
    assert list(Attempt.objects.values_list("succeeded", flat=True)) == [True]


def test_one_that_is_deleted_while_it_is_being_told_is_gone(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    factories.delivery(webhook, now=now)
    meanwhile(endpoint, 200, lambda: services.delete(webhook=Webhook.objects.get()))
    Dispatcher().run()
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


# --- several at once --------------------------------------------------------------------------


def hold(endpoint: wire.Endpoint) -> threading.Event:
    """Let the endpoint answer nobody before the event is set."""
    released = threading.Event()

    def answer(_call: wire.Call) -> tuple[int, dict[str, str], bytes]:
        released.wait(_END_SECONDS)
        return 200, {}, b""

    endpoint.answer = answer
    return released


def test_a_webhook_is_told_four_things_at_once_and_others_do_not_wait(
    bob: User,
    webhook: Webhook,
    endpoint: wire.Endpoint,
    other_endpoint: wire.Endpoint,
    now: datetime,
) -> None:
    released = hold(endpoint)
    other = factories.webhook(bob, url=other_endpoint.url)
    Webhook.objects.update(is_prompt=True)
    for _ in range(10):
        factories.delivery(webhook, now=now)
        factories.delivery(other, now=now)
    worker = beside(Dispatcher().run)
    other_endpoint.wait_for(10)
    wire.until(lambda: Delivery.objects.filter(state="sent").count() == 10)
    assert len(endpoint.received) == 4
    assert line_up(now, most=10) == []
    released.set()
    worker.join(_END_SECONDS)
    assert (len({call.message_id for call in endpoint.received}), len(endpoint.received)) == (
        10,
        10,
    )
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_however_many_processes_claim_a_webhook_gets_four(webhook: Webhook, now: datetime) -> None:
    for _ in range(10):
        factories.delivery(webhook, now=now)
    line, gate, found = line_up(now, most=10), threading.Barrier(6), []

    def claim() -> None:
        gate.wait(_END_SECONDS)
        for _ in range(5):
            found.extend(dispatch.claim(line))

    for worker in [beside(claim) for _ in range(6)]:
        worker.join(_END_SECONDS)
    assert len({row.pk for row in found}) == len(found) == 4


def test_a_hint_that_comes_meanwhile_is_taken_up_by_the_one_at_work(
    bob: User,
    webhook: Webhook,
    endpoint: wire.Endpoint,
    other_endpoint: wire.Endpoint,
    now: datetime,
) -> None:
    released, dispatcher = hold(endpoint), Dispatcher()
    factories.delivery(webhook, now=now)
    worker = beside(dispatcher.run)
    endpoint.wait_for(1)
    factories.delivery(factories.webhook(bob, url=other_endpoint.url), now=now)
    hint = beside(dispatcher.run)
    hint.join(_END_SECONDS)
    other_endpoint.wait_for(1)
    assert worker.is_alive()
    released.set()
    worker.join(_END_SECONDS)
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_place_that_is_free_again_goes_to_the_next_without_another_hint(
    bob: User,
    webhook: Webhook,
    endpoint: wire.Endpoint,
    other_endpoint: wire.Endpoint,
    now: datetime,
) -> None:
    """Endpoints that are not proven share one of two threads."""
    shares.divide(2, [shares.DELIVERIES])
    released = hold(endpoint)
    factories.delivery(webhook, now=now)
    worker = beside(Dispatcher().run)
    endpoint.wait_for(1)
    factories.delivery(factories.webhook(bob, url=other_endpoint.url), now=now)
    assert deliver_due() == 0
    released.set()
    other_endpoint.wait_for(1)
    worker.join(_END_SECONDS)
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_what_an_error_left_under_way_is_settled_by_the_next_run(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, dispatcher = hold(endpoint), Dispatcher()
    factories.delivery(webhook, now=now)
    looks = iter([line_up(now, most=1)])
    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "line_up", lambda _now, most: next(looks))
        with pytest.raises(StopIteration):
            dispatcher.run()
    endpoint.wait_for(1)
    released.set()
    dispatcher.run()
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert len(endpoint.received) == 1


@pytest.mark.postgresql
def test_a_webhook_that_another_transaction_holds_delays_no_other(
    bob: User,
    webhook: Webhook,
    endpoint: wire.Endpoint,
    other_endpoint: wire.Endpoint,
    now: datetime,
) -> None:
    """Neither what waits for it, nor what has been sent to it and is not settled."""
    other = factories.webhook(bob, url=other_endpoint.url)
    released = hold(endpoint)
    rows = [factories.delivery(each, now=now) for each in (webhook, other)]
    worker = beside(Dispatcher().run)
    endpoint.wait_for(1)
    with transaction.atomic():
        Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)
        released.set()
        beside(lambda: factories.delivery(webhook, now=now)).join(_END_SECONDS)
        beside(lambda: factories.delivery(other, now=now)).join(_END_SECONDS)
        other_endpoint.wait_for(2)
        wire.until(lambda: Delivery.objects.filter(webhook=other, state="sent").count() == 2)
        assert row(rows[0])[0] == "waiting"
    worker.join(_END_SECONDS)
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert Attempt.objects.count() == 4


def test_one_that_cannot_be_settled_takes_no_other_with_it(
    bob: User, endpoint: wire.Endpoint, webhook: Webhook, now: datetime
) -> None:
    sound, sick = (factories.delivery(each, now=now) for each in (webhook, factories.webhook(bob)))
    claimed = dispatch.claim(line_up(now, most=2))
    assert len(claimed) == 2
    # No column is as wide as this status.
    outcomes = [
        (row, Outcome(now, 1, status=10**20 if row.pk == sick.pk else 200)) for row in claimed
    ]
    assert Dispatcher()._settle_each(outcomes) == []
    assert list(Attempt.objects.values_list("delivery", flat=True)) == [sound.pk]
    states = Delivery.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["sent", "waiting"]


def test_outcomes_are_kept_while_the_database_is_away(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, errors = delivery.settle, iter([OperationalError, InterfaceError])

    def failing(ended: Sequence[tuple[Delivery, Outcome]]) -> list[tuple[Delivery, Outcome]]:
        for error in errors:
            raise error
        return settle(ended)

    monkeypatch.setattr(delivery, "settle", failing)
    factories.delivery(webhook, now=now)
    assert deliver_due() == 1
    assert len(endpoint.received) == 1
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_lease_that_is_lost_spoils_no_batch(
    bob: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    lost = factories.delivery(webhook, now=now)
    sound = factories.delivery(factories.webhook(bob), now=now)
    claimed = dispatch.claim(line_up(now, most=2))
    Delivery.objects.filter(pk=lost.pk).update(lease="another's")
    outcomes = [(row, Outcome(now, 1, status=200)) for row in claimed]
    with pytest.raises(LeaseLost):
        delivery.settle(outcomes)
    assert Dispatcher()._settle_each(outcomes) == []
    assert (row(lost)[:2], row(sound)[:2]) == (("waiting", 0), ("sent", 1))
    assert Attempt.objects.count() == 2
    assert set(Webhook.objects.values_list("owner", "is_prompt")) == {
        (webhook.owner_id, False),
        (bob.pk, True),
    }

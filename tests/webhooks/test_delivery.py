"""Webhook delivery: times of attempts, their number, their contents, and the final failure."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
import time_machine
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from standardwebhooks.webhooks import Webhook as Verifier

from accounts.models import User
from config.celery import app
from core.ops import shares
from tests import factories, wire
from tests.outbox import address_of, content_of, rows
from tests.pages import NOW
from webhooks.domain import delivery, services
from webhooks.domain.delivery import deliver, hand_out
from webhooks.models import Delivery, Webhook
from webhooks.tasks import deliver as deliver_turn
from webhooks.tasks import sweep_deliveries

# The delays of docs/webhooks.md, in seconds.
PLAN = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
SECOND = timedelta(seconds=1)


def row(delivery: Delivery) -> tuple[str, int, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.attempts, delivery.last_error


def attempts(delivery: Delivery) -> list[tuple[bool, str, int | None]]:
    return list(delivery.attempt_rows.values_list("succeeded", "error", "response_code"))


# --- delays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("max_retries", range(10))
def test_it_is_tried_once_and_as_often_again_as_the_webhook_says(
    webhook: Webhook, endpoint: wire.Endpoint, clock: time_machine.Traveller, max_retries: int
) -> None:
    Webhook.objects.update(max_retries=max_retries)
    endpoint.always(500)
    delivery, now, waits = factories.delivery(webhook, now=NOW), NOW, []
    while deliver(webhook_id=webhook.pk):
        delivery.refresh_from_db()
        if delivery.state == "waiting":
            waits.append(delivery.due_at - now)
            clock.move_to(delivery.due_at - SECOND / 1000)
            assert deliver(webhook_id=webhook.pk) is False
            now = delivery.due_at
            clock.move_to(now)
    assert row(delivery) == ("failed", max_retries + 1, "http_500")
    assert attempts(delivery) == [(False, "http_500", 500)] * (max_retries + 1)
    for wait, usual in zip(waits, PLAN[:max_retries], strict=True):
        assert 0.8 * usual <= wait.total_seconds() <= 1.2 * usual
    clock.move_to(now + timedelta(days=30))
    assert deliver(webhook_id=webhook.pk) is False


def test_no_two_webhooks_come_back_at_the_same_moment(
    alice: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    endpoint.always(500)
    for _ in range(20):
        factories.delivery(webhook, now=now)
        deliver(webhook_id=webhook.pk)
    assert Delivery.objects.values("due_at").distinct().count() == 20


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("0", 4, 6),
        ("5", 5, 6),
        ("7", 7, 7),
        ("10", 10, 10),
        ("11", 10, 10),
        ("9999999", 10, 10),
        ("99999999999999999999", 4, 6),
        ("-5", 4, 6),
        ("\u0667", 4, 6),
        ("soon", 4, 6),
    ],
)
def test_a_wish_to_wait_is_granted_up_to_twice_the_usual(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, asked: str, least: int, most: int
) -> None:
    endpoint.always(503, Retry_After=asked.encode("utf-8").decode("latin-1"))
    delivery = factories.delivery(webhook, now=now)
    deliver(webhook_id=webhook.pk)
    delivery.refresh_from_db()
    assert least <= (delivery.due_at - now).total_seconds() <= most


@pytest.mark.parametrize(("seconds", "least", "most"), [(-60, 4, 6), (7, 7, 7), (60, 10, 10)])
def test_a_wish_to_wait_may_be_a_date(
    webhook: Webhook,
    endpoint: wire.Endpoint,
    now: datetime,
    seconds: int,
    least: int,
    most: int,
) -> None:
    until = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    endpoint.always(503, Retry_After=until)
    delivery = factories.delivery(webhook, now=now)
    deliver(webhook_id=webhook.pk)
    delivery.refresh_from_db()
    assert least <= (delivery.due_at - now).total_seconds() <= most


# --- what an answer means ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_delivers(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, status: int
) -> None:
    endpoint.always(status)
    delivery = factories.delivery(webhook, now=now)
    assert deliver(webhook_id=webhook.pk) is True
    assert row(delivery) == ("sent", 1, "")
    assert (delivery.settled_at, attempts(delivery)) == (now, [(True, "", status)])
    assert deliver(webhook_id=webhook.pk) is False


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 400, 404, 429, 500, 503])
def test_anything_else_fails_and_no_redirect_is_followed(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, status: int
) -> None:
    endpoint.always(status, Location=f"{endpoint.url}/elsewhere")
    delivery = factories.delivery(webhook, now=now)
    deliver(webhook_id=webhook.pk)
    assert row(delivery) == ("waiting", 1, f"http_{status}")
    assert attempts(delivery) == [(False, f"http_{status}", status)]
    assert [call.path for call in endpoint.received] == ["/hook"]


def test_every_attempt_sends_the_same_bytes_under_the_same_id(
    webhook: Webhook, endpoint: wire.Endpoint, clock: time_machine.Traveller
) -> None:
    Webhook.objects.update(max_retries=2)
    endpoint.always(500)
    delivery = factories.delivery(webhook, now=NOW)
    while deliver(webhook_id=webhook.pk):
        # Neither a rotation nor another address is a new message.
        services.rotate_secret(webhook=webhook, now=NOW)
        delivery.refresh_from_db()
        clock.move_to(delivery.due_at)
    assert [call.message_id for call in endpoint.received] == [delivery.event.message_id] * 3
    assert [call.body.decode() for call in endpoint.received] == [delivery.event.body] * 3
    assert len({call.headers["webhook-timestamp"] for call in endpoint.received}) == 3
    assert len({call.headers["webhook-signature"] for call in endpoint.received}) == 3


def test_a_receiver_can_verify_it_and_finds_the_owners_headers(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    services.update(webhook=webhook, now=now, headers={"X-API-Key": "my-api-key"})
    delivery = factories.delivery(webhook, now=now)
    deliver(webhook_id=webhook.pk)
    [call] = endpoint.received
    Verifier(webhook.secret).verify(call.body, call.headers)
    names = ("x-api-key", "content-type", "user-agent", "webhook-id", "webhook-timestamp")
    assert {name: call.headers[name] for name in names} == {
        "x-api-key": "my-api-key",
        "content-type": "application/json",
        "user-agent": "Parley-Webhooks/1.0",
        "webhook-id": delivery.event.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
    }


# --- giving up --------------------------------------------------------------------------------


def mails() -> list[tuple[str, str]]:
    return [(row.kind, address_of(row)) for row in rows()]


def test_410_stops_the_webhook_at_once_and_the_owner_is_told(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    endpoint.always(410)
    first, second = (factories.delivery(webhook, now=now) for _ in range(2))
    deliver(webhook_id=webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.status, webhook.disabled_reason) == ("inactive", "gone")
    assert [row(delivery)[0] for delivery in (first, second)] == ["failed", "failed"]
    assert attempts(first) == [(False, "http_410", 410)]
    assert attempts(second) == []
    assert mails() == [("webhook_disabled", "alice@example.com")]
    content = content_of(rows()[0])
    assert content["subject"] == "Your webhook Main Webhook has been stopped"
    assert "the endpoint answered 410 Gone" in content["text"]


def test_five_days_without_a_success_stop_it_and_the_owner_gets_one_email(
    webhook: Webhook, endpoint: wire.Endpoint, clock: time_machine.Traveller
) -> None:
    Webhook.objects.update(max_retries=0)
    endpoint.always(500)
    found = []
    for moment in (NOW, NOW + timedelta(days=5) - SECOND, NOW + timedelta(days=5)):
        clock.move_to(moment)
        for _ in range(2):
            factories.delivery(webhook, now=moment)
        while deliver(webhook_id=webhook.pk):
            pass
        webhook.refresh_from_db()
        found.append((webhook.status, webhook.disabled_reason, len(mails())))
    assert found == [("active", "", 0), ("active", "", 0), ("inactive", "failing", 1)]
    assert len(endpoint.received) == 5  # the sixth is not even tried


def test_a_success_starts_the_five_days_anew(
    webhook: Webhook, endpoint: wire.Endpoint, clock: time_machine.Traveller
) -> None:
    Webhook.objects.update(max_retries=0)
    for days, status in ((0, 500), (4, 200), (5, 500), (9, 500)):
        moment = NOW + timedelta(days=days)
        clock.move_to(moment)
        endpoint.always(status)
        factories.delivery(webhook, now=moment)
        deliver(webhook_id=webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.status, webhook.failing_since) == ("active", NOW + timedelta(days=5))


def test_an_inactive_webhook_is_told_nothing_and_can_catch_up_afterwards(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    waiting = factories.delivery(webhook, now=now)
    services.update(webhook=webhook, now=now, status="inactive")
    assert deliver(webhook_id=webhook.pk) is False
    assert row(waiting) == ("failed", 0, "inactive")
    services.update(webhook=webhook, now=now, status="active")
    assert deliver(webhook_id=webhook.pk) is False
    assert services.recover(webhook=webhook, since=now, now=now) == 1
    assert deliver(webhook_id=webhook.pk) is True
    assert (row(waiting), len(endpoint.received)) == (("sent", 1, ""), 1)


def test_what_waits_for_an_inactive_webhook_all_the_same_is_not_sent(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    factories.delivery(webhook, now=now)
    Webhook.objects.update(status="inactive")
    assert deliver(webhook_id=webhook.pk) is False
    assert endpoint.received == []


# --- faults in Parley -------------------------------------------------------------------------


def test_a_fault_of_ours_costs_an_attempt(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, settings: Settings
) -> None:
    """The stored secret is one that no key can decrypt any more."""
    delivery = factories.delivery(webhook, now=now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhooks_webhook SET secret = 'junk'")
    assert deliver(webhook_id=webhook.pk) is True
    assert row(delivery) == ("waiting", 1, "internal")
    assert attempts(delivery) == [(False, "internal", None)]
    assert endpoint.received == []


# --- the workers' tasks -----------------------------------------------------------------------


def test_a_sweep_hands_out_as_many_turns_as_an_account_has_places(
    alice: User,
    bob: User,
    webhook: Webhook,
    now: datetime,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    quiet, idle = (factories.webhook(alice) for _ in range(2))
    inactive = factories.webhook(alice, status="inactive")
    of_bob = factories.webhook(bob)
    for _ in range(6):
        factories.delivery(webhook, now=now)
    for told in (quiet, inactive, of_bob):
        factories.delivery(told, now=now)
    factories.delivery(idle, now=now + timedelta(seconds=1))
    app.control.purge()
    with django_capture_on_commit_callbacks(execute=True):
        sweep_deliveries()
    hints = list(sent_to_the_queue())
    assert sorted(hints) == sorted(
        f"({each.pk},)" for each in (webhook, webhook, webhook, quiet, of_bob)
    )
    assert f"({of_bob.pk},)" in hints[:2]


def test_a_turn_that_ends_hints_at_an_account_that_waits_for_its_place(
    alice: User,
    bob: User,
    webhook: Webhook,
    endpoint: wire.Endpoint,
    now: datetime,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """The other account need not wait for a sweep.

    An account with a running delivery needs no hint.
    """
    of_bob, of_carol = factories.webhook(bob), factories.webhook(factories.user("carol"))
    for told in (webhook, of_bob, of_bob, of_carol):
        factories.delivery(told, now=now)
    assert delivery._claim(of_bob.pk, ExitStack()) is not None
    app.control.purge()
    with django_capture_on_commit_callbacks(execute=True):
        deliver_turn(webhook.pk)
        deliver_turn(webhook.pk)  # it sends nothing, so it hints at nobody
    assert list(sent_to_the_queue()) == [f"({of_carol.pk},)"]


def sent_to_the_queue() -> Iterator[str]:
    """Yield the arguments of the tasks that wait for a delivery worker."""
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
            yield message.headers["argsrepr"]


def test_accounts_with_a_proven_endpoint_come_before_thousands_of_others(
    alice: User, bob: User, now: datetime
) -> None:
    """Each account gets its first turn before another gets its second.

    Nobody can fill the queue.
    """
    sick = [factories.webhook(factories.user(f"sick{number}")) for number in range(8)]
    sound = [factories.webhook(owner) for owner in (alice, bob)]
    for each in (*sick, *sound):
        for _ in range(5):
            factories.delivery(each, now=now)
    Webhook.objects.filter(pk__in=[each.pk for each in sound]).update(is_prompt=True)
    turns = hand_out(now, most=6)
    assert sorted(turns[:2]) == sorted(turns[2:4]) == sorted(each.pk for each in sound)
    assert (len(turns), len(set(turns[6:]))) == (12, 6)


def test_an_endpoint_is_proven_by_a_prompt_success_and_until_the_next_other_outcome(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Webhook.objects.update(max_retries=0)

    def proven(status: int) -> bool:
        endpoint.always(status)
        factories.delivery(webhook, now=now)
        assert deliver(webhook_id=webhook.pk)
        return Webhook.objects.get().is_prompt

    assert [proven(status) for status in (500, 200, 503, 204)] == [False, True, False, True]
    services.update(webhook=webhook, now=now, url=endpoint.url)
    assert Webhook.objects.get().is_prompt is False
    monkeypatch.setattr(delivery, "_PROMPT_MILLISECONDS", -1)
    assert proven(200) is False


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
            assert deliver(webhook_id=webhook.pk) is False
            Webhook.objects.filter(pk=of_bob.pk).update(is_prompt=True)
            assert deliver(webhook_id=of_bob.pk) is True
        finally:
            shares.divide(shares.THREADS)
    assert places == 4
    assert deliver(webhook_id=webhook.pk) is True


def test_a_turn_is_the_accounts_and_takes_proven_endpoints_first(
    alice: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    others = [factories.webhook(alice, url=f"{endpoint.url}/{number}") for number in range(3)]
    Webhook.objects.filter(pk=others[2].pk).update(is_prompt=True)
    for each in (*others, webhook):
        for _ in range(2):
            factories.delivery(each, now=now)
    deliver_turn(webhook.pk)
    assert [call.path for call in endpoint.received] == [
        *["/hook"] * 2,
        *["/hook/2"] * 2,
        *["/hook/0"] * 2,
        *["/hook/1"] * 2,
    ]


def test_an_account_that_has_its_share_gets_no_more(
    alice: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    factories.delivery(webhook, now=now)
    limits = delivery.account_share(alice.pk)
    assert limits == {f"account {alice.pk}": 2}  # of the eight of a worker that does everything
    with shares.held(limits), shares.held(limits):
        deliver_turn(webhook.pk)
    assert endpoint.received == []
    deliver_turn(webhook.pk)
    assert len(endpoint.received) == 1

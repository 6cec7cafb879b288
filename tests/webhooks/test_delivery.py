"""Webhook delivery: times of attempts, their number, their contents, and the final failure."""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
import time_machine
from django.db import connection
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook as Verifier

from accounts.models import User
from tests import factories, wire
from tests.delivering import deliver_due
from tests.outbox import address_of, content_of, rows
from tests.pages import NOW
from webhooks.domain import delivery, services
from webhooks.models import Delivery, Webhook

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
    while deliver_due():
        delivery.refresh_from_db()
        if delivery.state == "waiting":
            waits.append(delivery.due_at - now)
            clock.move_to(delivery.due_at - SECOND / 1000)
            assert deliver_due() == 0
            now = delivery.due_at
            clock.move_to(now)
    assert row(delivery) == ("failed", max_retries + 1, "http_500")
    assert attempts(delivery) == [(False, "http_500", 500)] * (max_retries + 1)
    for wait, usual in zip(waits, PLAN[:max_retries], strict=True):
        assert 0.8 * usual <= wait.total_seconds() <= 1.2 * usual
    clock.move_to(now + timedelta(days=30))
    assert deliver_due() == 0


def test_no_two_webhooks_come_back_at_the_same_moment(
    alice: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    endpoint.always(500)
    for _ in range(20):
        factories.delivery(webhook, now=now)
        deliver_due()
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
    deliver_due()
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
    deliver_due()
    delivery.refresh_from_db()
    assert least <= (delivery.due_at - now).total_seconds() <= most


# --- what an answer means ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_delivers(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, status: int
) -> None:
    endpoint.always(status)
    delivery = factories.delivery(webhook, now=now)
    assert deliver_due() == 1
    assert row(delivery) == ("sent", 1, "")
    assert (delivery.settled_at, attempts(delivery)) == (now, [(True, "", status)])
    assert deliver_due() == 0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 400, 404, 429, 500, 503])
def test_anything_else_fails_and_no_redirect_is_followed(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, status: int
) -> None:
    endpoint.always(status, Location=f"{endpoint.url}/elsewhere")
    delivery = factories.delivery(webhook, now=now)
    deliver_due()
    assert row(delivery) == ("waiting", 1, f"http_{status}")
    assert attempts(delivery) == [(False, f"http_{status}", status)]
    assert [call.path for call in endpoint.received] == ["/hook"]


def test_every_attempt_sends_the_same_bytes_under_the_same_id(
    webhook: Webhook, endpoint: wire.Endpoint, clock: time_machine.Traveller
) -> None:
    Webhook.objects.update(max_retries=2)
    endpoint.always(500)
    delivery = factories.delivery(webhook, now=NOW)
    while deliver_due():
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
    deliver_due()
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
    deliver_due()
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
        while deliver_due():
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
        deliver_due()
    webhook.refresh_from_db()
    assert (webhook.status, webhook.failing_since) == ("active", NOW + timedelta(days=5))


def test_an_inactive_webhook_is_told_nothing_and_can_catch_up_afterwards(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    waiting = factories.delivery(webhook, now=now)
    services.update(webhook=webhook, now=now, status="inactive")
    assert deliver_due() == 0
    assert row(waiting) == ("failed", 0, "inactive")
    services.update(webhook=webhook, now=now, status="active")
    assert deliver_due() == 0
    assert services.recover(webhook=webhook, since=now, now=now) == 1
    assert deliver_due() == 1
    assert (row(waiting), len(endpoint.received)) == (("sent", 1, ""), 1)


def test_what_waits_for_an_inactive_webhook_all_the_same_is_not_sent(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    factories.delivery(webhook, now=now)
    Webhook.objects.update(status="inactive")
    assert deliver_due() == 0
    assert endpoint.received == []


# --- faults in Parley -------------------------------------------------------------------------


def test_a_fault_of_ours_costs_an_attempt(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, settings: Settings
) -> None:
    """The stored secret is one that no key can decrypt any more."""
    delivery = factories.delivery(webhook, now=now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhooks_webhook SET secret = 'junk'")
    assert deliver_due() == 1
    assert row(delivery) == ("waiting", 1, "internal")
    assert attempts(delivery) == [(False, "internal", None)]
    assert endpoint.received == []


# --- the speed of an endpoint -----------------------------------------------------------------


def test_an_endpoint_is_proven_by_a_prompt_success_and_until_the_next_other_outcome(
    webhook: Webhook, endpoint: wire.Endpoint, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Webhook.objects.update(max_retries=0)

    def proven(status: int) -> bool:
        endpoint.always(status)
        factories.delivery(webhook, now=now)
        assert deliver_due() == 1
        return Webhook.objects.get().is_prompt

    assert [proven(status) for status in (500, 200, 503, 204)] == [False, True, False, True]
    services.update(webhook=webhook, now=now, url=endpoint.url)
    assert Webhook.objects.get().is_prompt is False
    monkeypatch.setattr(delivery, "_PROMPT_MILLISECONDS", -1)
    assert proven(200) is False

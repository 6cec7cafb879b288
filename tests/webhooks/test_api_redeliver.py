"""POST /api/v1/webhooks/{id}/deliveries/{id}/redeliver: resends, fresh retries and conflicts."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests import factories, wire
from tests.delivering import deliver_due
from webhooks.models import Delivery, Webhook


def again(api: Client, webhook: Webhook, key: object) -> Any:
    return api.post(f"/api/v1/webhooks/{webhook.pk}/deliveries/{key}/redeliver")


@pytest.mark.parametrize("named_by", ["uuid", "pk"])
def test_what_was_delivered_is_sent_again_as_it_was(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint, now: datetime, named_by: str
) -> None:
    delivery = factories.delivery(webhook, now=now)
    deliver_due()
    answer = again(api, webhook, getattr(delivery, named_by))
    shown = answer.json()["data"]
    assert (answer.status_code, shown["id"], shown["status"], shown["next_attempt_at"]) == (
        202,
        delivery.uuid,
        "pending",
        "2026-03-02T09:00:00Z",
    )
    assert len(shown["attempts"]) == 1
    deliver_due()
    first, second = endpoint.received
    assert (second.message_id, second.body) == (first.message_id, first.body)


def test_it_has_fresh_retries(
    api: Client, alice: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    Webhook.objects.update(max_retries=0)
    endpoint.always(500)
    delivery = factories.delivery(webhook, now=now)
    deliver_due()
    Webhook.objects.update(max_retries=1)
    again(api, webhook, delivery.uuid)
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)


def test_what_waits_already_is_a_conflict(api: Client, webhook: Webhook, now: datetime) -> None:
    answer = again(api, webhook, factories.delivery(webhook, now=now).uuid)
    body = answer.json()
    assert (answer.status_code, body["error"], body["message"], body["reason"]) == (
        409,
        "conflict",
        "This delivery is on its way already.",
        "waiting",
    )


def test_an_inactive_webhook_is_a_conflict(api: Client, webhook: Webhook, now: datetime) -> None:
    delivery = factories.delivery(webhook, now=now)
    deliver_due()
    Webhook.objects.update(status="inactive")
    body = again(api, webhook, delivery.uuid).json()
    assert (body["status_code"], body["message"], body["reason"]) == (
        409,
        "This webhook is inactive.",
        "inactive",
    )
    assert Delivery.objects.get().state == "sent"


def test_another_webhooks_delivery_is_404(
    api: Client, alice: User, webhook: Webhook, now: datetime
) -> None:
    other = factories.delivery(factories.webhook(alice), now=now)
    for key in (other.uuid, other.pk, "x", "0", "9" * 30, "%00"):
        answer = again(api, webhook, key)
        assert (answer.status_code, answer.json()["message"]) == (404, "delivery not found")

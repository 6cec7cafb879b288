"""POST /api/v1/webhooks/{id}/recover: failed deliveries since a time are sent again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core.db.outbox import OutboxState
from tests import factories, wire
from tests.delivering import deliver_due
from webhooks.domain import services
from webhooks.models import Delivery, Webhook


def recover(api: Client, webhook: Webhook, body: dict[str, Any]) -> Any:
    path = f"/api/v1/webhooks/{webhook.pk}/recover"
    return api.post(path, body, content_type="application/json")


def in_state(webhook: Webhook, state: OutboxState, created_at: datetime) -> Delivery:
    delivery = factories.delivery(webhook, now=created_at)
    Delivery.objects.filter(pk=delivery.pk).update(state=state)
    return delivery


def test_what_was_never_delivered_since_then_is_sent_again(
    api: Client, alice: User, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    since = now - timedelta(hours=1)
    in_state(webhook, OutboxState.FAILED, since - timedelta(seconds=1))
    lost = [in_state(webhook, OutboxState.FAILED, since + timedelta(minutes=n)) for n in range(2)]
    in_state(webhook, OutboxState.SENT, now)
    in_state(factories.webhook(alice), OutboxState.FAILED, now)
    answer = recover(api, webhook, {"since": "2026-03-02T08:00:00Z"})
    assert (answer.status_code, answer.json()) == (202, {"data": {"count": 2}})
    while deliver_due():
        pass
    assert [call.message_id for call in endpoint.received] == [
        delivery.event.message_id for delivery in lost
    ]


def test_asking_twice_sends_once(api: Client, webhook: Webhook, now: datetime) -> None:
    in_state(webhook, OutboxState.FAILED, now)
    counts = [
        recover(api, webhook, {"since": "2026-03-02T08:00"}).json()["data"]["count"]
        for _ in range(2)
    ]
    assert counts == [1, 0]
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("waiting", 0)


def test_what_failed_when_it_was_sent_again_has_been_delivered(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    Webhook.objects.update(max_retries=0)
    delivery = factories.delivery(webhook, now=now)
    deliver_due()
    endpoint.always(500)
    services.redeliver(found=delivery, now=now)
    deliver_due()
    assert Delivery.objects.get().state == "failed"
    assert recover(api, webhook, {"since": "2026-03-01T00:00:00Z"}).json()["data"] == {"count": 0}


def test_a_failed_test_is_not_sent_again(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    endpoint.always(500)
    services.send_test(webhook=webhook, now=now)
    assert recover(api, webhook, {"since": "2026-03-01T00:00:00Z"}).json()["data"] == {"count": 0}


def test_an_offset_is_honoured(api: Client, webhook: Webhook, now: datetime) -> None:
    in_state(webhook, OutboxState.FAILED, now)
    counts = [
        recover(api, webhook, {"since": since}).json()["data"]["count"]
        for since in ("2026-03-02T10:00:01+01:00", "2026-03-02T10:00:00+01:00")
    ]
    assert counts == [0, 1]


NO_MOMENT = "Use a date and a time such as 2026-12-15T14:00:00Z (ISO 8601)."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Since is required"),
        ({"since": None}, "This field may not be null."),
        ({"since": ""}, NO_MOMENT),
        ({"since": "yesterday"}, NO_MOMENT),
        ({"since": "2026-03-02"}, NO_MOMENT),
        ({"since": "2026-03-02T08:00:00Z\x00"}, NO_MOMENT),
        ({"since": 5}, NO_MOMENT),
        ({"since": []}, NO_MOMENT),
        ({"since": "2026-02-30T08:00:00Z"}, "There is no such date and time."),
    ],
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, webhook: Webhook, body: dict[str, Any], message: str
) -> None:
    answer = recover(api, webhook, body)
    assert (answer.status_code, answer.json()["details"]) == (
        422,
        [{"field": "since", "message": message}],
    )


def test_an_inactive_webhook_is_a_conflict(api: Client, webhook: Webhook, now: datetime) -> None:
    in_state(webhook, OutboxState.FAILED, now)
    Webhook.objects.update(status="inactive")
    answer = recover(api, webhook, {"since": "2026-03-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "inactive")
    assert Delivery.objects.get().state == "failed"

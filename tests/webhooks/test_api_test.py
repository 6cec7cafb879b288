"""POST /api/v1/webhooks/{id}/test: one attempt at once, with its result as the answer."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from core.db.outbox import OutboxState
from tests import wire
from webhooks.domain import dispatch
from webhooks.models import Delivery, Webhook


def send(api: Client, webhook: Webhook) -> Any:
    return api.post(f"/api/v1/webhooks/{webhook.pk}/test")


def shown(answer: Any) -> dict[str, Any]:
    """Return the delivery in an answer without its response time, which must be a number."""
    body: dict[str, Any] = answer.json()
    assert 0 <= body["delivery"].pop("response_time_ms") < 10_000
    return body


def test_it_is_sent_at_once_and_what_came_of_it_is_said(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint
) -> None:
    answer = send(api, webhook)
    [made] = Delivery.objects.all()
    assert answer.status_code == 200
    assert shown(answer) == {
        "message": "Test webhook sent successfully",
        "delivery": {
            "id": made.uuid,
            "status": "delivered",
            "error": None,
            "response_code": 200,
            "sent_at": "2026-03-02T09:00:00Z",
        },
    }
    [call] = endpoint.received
    assert call.event == {
        "id": call.message_id,
        "type": "webhook.test",
        "timestamp": "2026-03-02T09:00:00Z",
        "data": {"message": "A test from Parley."},
    }
    assert (made.state, made.attempts) == (OutboxState.SENT, 1)


def test_a_refusal_is_an_answer_too_and_is_not_tried_again(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    endpoint.always(500, b"an internal matter")
    answer = send(api, webhook)
    [made] = Delivery.objects.all()
    assert answer.status_code == 200
    assert shown(answer) == {
        "message": "Test webhook failed",
        "delivery": {
            "id": made.uuid,
            "status": "failed",
            "error": "http_500",
            "response_code": 500,
            "sent_at": "2026-03-02T09:00:00Z",
        },
    }
    assert (made.state, made.attempts, made.last_error) == (OutboxState.FAILED, 1, "http_500")
    assert list(dispatch.due(now)) == []


def test_that_nobody_answers_is_said_as_a_class_of_error(
    api: Client, webhook: Webhook, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    body = shown(send(api, webhook))
    assert (body["message"], body["delivery"]["error"], body["delivery"]["response_code"]) == (
        "Test webhook failed",
        "blocked_address",
        None,
    )


def test_it_counts_among_the_attempts(api: Client, webhook: Webhook) -> None:
    send(api, webhook)
    data = api.get(f"/api/v1/webhooks/{webhook.pk}").json()["data"]
    assert (data["stats"]["success_count"], data["stats"]["success_rate"]) == (1, 100.0)


@pytest.mark.parametrize("status", [410, 500])
def test_a_test_stops_no_webhook(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint, status: int
) -> None:
    endpoint.always(status)
    send(api, webhook)
    webhook.refresh_from_db()
    assert (webhook.status, webhook.failing_since) == ("active", None)


def test_one_that_is_inactive_can_be_tested(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint
) -> None:
    Webhook.objects.update(status="inactive")
    assert send(api, webhook).json()["message"] == "Test webhook sent successfully"
    assert len(endpoint.received) == 1

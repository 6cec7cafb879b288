"""POST /api/v1/webhooks/{id}/test: one attempt at once, with its result as the answer."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from jsonschema import Draft202012Validator
from pytest_django import Settings

from core.db.outbox import OutboxState
from tests import factories, wire
from tests.pages import stand_alone
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
        "timestamp": "2026-03-02T09:00:00.000Z",
        "owner_sequence": 1,
        "data": call.event["data"],
    }
    assert (made.state, made.attempts) == (OutboxState.SENT, 1)


@pytest.mark.parametrize(
    ("events", "shape"),
    [
        (["booking.cancelled", "meeting.created"], "EventDetails"),
        (["meeting.created", "booking.cancelled"], "Meeting"),
    ],
)
def test_it_carries_a_sample_of_what_the_first_event_carries(
    api: Client,
    client: Client,
    webhook: Webhook,
    endpoint: wire.Endpoint,
    events: list[str],
    shape: str,
) -> None:
    Webhook.objects.update(events=events)
    send(api, webhook)
    [call] = endpoint.received
    sample = call.event["data"]
    assert sample.pop("message") == "A test from Parley."
    document: Any = client.get("/api/schema").json()
    schema = document["components"]["schemas"][shape]
    assert list(sample) == list(schema["properties"])
    checker = Draft202012Validator({**schema, "components": document["components"]})
    assert [error.message for error in checker.iter_errors(sample)] == []


def test_the_links_of_a_sample_lead_nowhere(
    api: Client, client: Client, webhook: Webhook, endpoint: wire.Endpoint, settings: Settings
) -> None:
    stand_alone(settings)
    send(api, webhook)
    [call] = endpoint.received
    sample = call.event["data"]
    assert sample["host"]["email"] == "alice@example.com"
    for name in ("cancel_url", "reschedule_url"):
        assert client.get(urlsplit(sample[name]).path).status_code == 404


def test_tests_and_events_are_numbered_together(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    send(api, webhook)
    made = factories.delivery(webhook, now=now)
    send(api, webhook)
    first, last = (call.event["owner_sequence"] for call in endpoint.received)
    assert (first, json.loads(made.event.body)["owner_sequence"], last) == (1, 2, 3)


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

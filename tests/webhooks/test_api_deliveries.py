"""GET /api/v1/webhooks/{id}/deliveries: deliveries with their attempts, in pages."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests import factories, wire
from tests.delivering import deliver_due
from webhooks.models import Webhook


def get(api: Client, webhook: Webhook, **query: int) -> Any:
    return api.get(f"/api/v1/webhooks/{webhook.uuid}/deliveries", query).json()


def test_each_is_shown_with_its_attempts(
    api: Client, webhook: Webhook, endpoint: wire.Endpoint, now: datetime
) -> None:
    endpoint.always(500, b"an internal matter")
    failing = factories.delivery(webhook, now=now)
    deliver_due()
    failing.refresh_from_db()
    endpoint.always(204)
    told = factories.delivery(webhook, now=now, type_="meeting.confirmed")
    deliver_due()
    body = get(api, webhook)
    for shown in body["data"]:
        for attempt in shown["attempts"]:
            assert 0 <= attempt.pop("response_time_ms") < 10_000
    assert body == {
        "data": [
            {
                "id": told.uuid,
                "event_id": told.event.message_id,
                "event": "meeting.confirmed",
                "status": "delivered",
                "next_attempt_at": None,
                "attempts": [
                    {
                        "sent_at": "2026-03-02T09:00:00Z",
                        "status": "delivered",
                        "error": None,
                        "response_code": 204,
                    }
                ],
                "created_at": "2026-03-02T09:00:00Z",
            },
            {
                "id": failing.uuid,
                "event_id": failing.event.message_id,
                "event": "booking.created",
                "status": "pending",
                "next_attempt_at": f"{failing.due_at:%Y-%m-%dT%H:%M:%SZ}",
                "attempts": [
                    {
                        "sent_at": "2026-03-02T09:00:00Z",
                        "status": "failed",
                        "error": "http_500",
                        "response_code": 500,
                    }
                ],
                "created_at": "2026-03-02T09:00:00Z",
            },
        ],
        "pagination": {"page": 1, "limit": 20, "total": 2, "pages": 1},
    }


def test_they_come_newest_first_page_by_page(
    api: Client, alice: User, webhook: Webhook, now: datetime
) -> None:
    made = [factories.delivery(webhook, now=now).uuid for _ in range(3)]
    factories.delivery(factories.webhook(alice), now=now)
    pages = [get(api, webhook, page=page, limit=2) for page in (1, 2, 3)]
    assert [[shown["id"] for shown in page["data"]] for page in pages] == [
        [made[2], made[1]],
        [made[0]],
        [],
    ]
    assert pages[0]["pagination"] == {"page": 1, "limit": 2, "total": 3, "pages": 2}


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    api: Client,
    webhook: Webhook,
    now: datetime,
    rows: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(rows):
        delivery = factories.delivery(webhook, now=now)
        for minutes in range(rows):
            factories.attempt(delivery, at=now + timedelta(minutes=minutes), status=500)
    get(api, webhook)
    with django_assert_num_queries(4):  # token, webhook, rows with their count, attempts
        body = get(api, webhook)
    assert [len(shown["attempts"]) for shown in body["data"]] == [rows] * rows

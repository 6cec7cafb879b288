"""GET /api/v1/webhooks: answer shape, shortened secrets, success rates and pages."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests import factories
from webhooks.models import Webhook

URL = "/api/v1/webhooks"


def test_it_answers_as_the_document_does(alice: User, now: datetime) -> None:
    webhook = factories.webhook(
        alice,
        url="https://your-app.com/webhooks/calendar",
        events=["booking.created", "booking.cancelled"],
        headers={"X-Custom-Header": "value"},
    )
    for number in range(45):
        factories.attempt(
            factories.delivery(webhook, now=now), at=now - timedelta(hours=1, minutes=number)
        )
    for hours in (24, 48):
        factories.attempt(
            factories.delivery(webhook, now=now), at=now - timedelta(hours=hours), status=500
        )
    answer = factories.client(alice, "webhooks:read").get(URL)
    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {
                "uuid": webhook.uuid,
                "id": webhook.pk,
                "name": "Main Webhook",
                "url": "https://your-app.com/webhooks/calendar",
                "events": ["booking.created", "booking.cancelled"],
                "status": "active",
                "disabled_reason": None,
                "secret": f"{webhook.secret[:22]}...",
                "headers": {"X-Custom-Header": "value"},
                "timeout_seconds": 30,
                "max_retries": 3,
                "verify_ssl": True,
                "stats": {
                    "success_count": 45,
                    "failure_count": 2,
                    "success_rate": 95.74,
                    "last_success_at": "2026-03-02T08:00:00Z",
                    "last_failure_at": "2026-03-01T09:00:00Z",
                },
                "created_at": "2026-03-02T09:00:00Z",
                "updated_at": "2026-03-02T09:00:00Z",
            }
        ],
        "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1},
    }


def test_a_secret_is_cut_where_the_document_cuts_it(api: Client, alice: User) -> None:
    webhook = factories.webhook(alice)
    [shown] = api.get(URL).json()["data"]
    assert (len(shown["secret"]), shown["secret"][:6]) == (
        len("whsec_1234567890abcdef..."),
        "whsec_",
    )
    assert webhook.secret not in api.get(URL).content.decode()


def test_without_attempts_there_is_no_rate(api: Client, alice: User) -> None:
    factories.webhook(alice)
    [shown] = api.get(URL).json()["data"]
    assert shown["stats"] == {
        "success_count": 0,
        "failure_count": 0,
        "success_rate": None,
        "last_success_at": None,
        "last_failure_at": None,
    }


def test_each_webhook_has_its_own_attempts_counted(api: Client, alice: User) -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    for statuses in ([200, 200, 500], [500], []):
        webhook = factories.webhook(alice)
        # Two attempts of one delivery count twice.
        delivery = factories.delivery(webhook, now=now)
        for status in statuses:
            factories.attempt(delivery, at=now, status=status)
    stats = [shown["stats"] for shown in api.get(URL).json()["data"]]
    assert [(row["success_count"], row["failure_count"], row["success_rate"]) for row in stats] == [
        (2, 1, 66.67),
        (0, 1, 0.0),
        (0, 0, None),
    ]


def test_they_come_oldest_first_page_by_page(api: Client, alice: User, bob: User) -> None:
    names = [factories.webhook(alice, name=f"Webhook {number}").name for number in range(3)]
    factories.webhook(bob)
    pages = [api.get(URL, {"page": page, "limit": 2}).json() for page in (1, 2, 3)]
    assert [[shown["name"] for shown in page["data"]] for page in pages] == [
        names[:2],
        names[2:],
        [],
    ]
    assert pages[1]["pagination"] == {"page": 2, "limit": 2, "total": 3, "pages": 2}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"page": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"limit": "101"}, "Ensure this value is less than or equal to 100."),
    ],
)
def test_a_query_that_does_not_fit_is_422(api: Client, query: dict[str, str], message: str) -> None:
    answer = api.get(URL, query)
    assert answer.status_code == 422
    assert answer.json()["details"] == [{"field": next(iter(query)), "message": message}]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    api: Client, alice: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    for _ in range(rows):
        factories.attempt(factories.delivery(factories.webhook(alice), now=now), at=now)
    api.get(URL)
    with django_assert_num_queries(2):  # token, rows with their count
        answer = api.get(URL)
    assert len(answer.json()["data"]) == rows == Webhook.objects.count()

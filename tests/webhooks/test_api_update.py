"""PATCH and PUT /api/v1/webhooks/{id}: changes, refusals and reactivation."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from core.db.outbox import OutboxState
from tests import factories
from tests.pages import NOW
from webhooks.domain import services
from webhooks.models import Delivery, Webhook

OF_THE_DOCUMENT = {
    "name": "Updated Webhook Name",
    "events": ["booking.created", "booking.cancelled", "booking.rescheduled"],
    "status": "active",
}


@pytest.fixture
def webhook(alice: User) -> Webhook:
    return factories.webhook(alice, headers={"X-API-Key": "my-api-key"})


def send(api: Client, method: str, webhook: Webhook, body: Any) -> Any:
    path = f"/api/v1/webhooks/{webhook.pk}"
    return api.generic(method, path, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_documented_request_changes_what_it_names(
    api: Client, webhook: Webhook, method: str
) -> None:
    before = api.get(f"/api/v1/webhooks/{webhook.pk}").json()["data"]
    later = NOW + timedelta(days=400)
    with time_machine.travel(later, tick=False):
        answer = send(api, method, webhook, OF_THE_DOCUMENT)
    changed = {
        "name": "Updated Webhook Name",
        "events": ["booking.created", "booking.cancelled", "booking.rescheduled"],
        "updated_at": f"{later:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert (answer.status_code, answer.json()) == (200, {"data": before | changed})
    assert api.get(f"/api/v1/webhooks/{webhook.pk}").json() == answer.json()


def test_everything_can_be_changed_and_the_secret_stays(api: Client, webhook: Webhook) -> None:
    wanted = {
        "name": "Other",
        "url": "https://other.example:8443/hook?a=b",
        "events": ["meeting.expired"],
        "headers": {"X-Other": "value"},
        "timeout_seconds": 5,
        "max_retries": 9,
        "verify_ssl": False,
        "status": "inactive",
    }
    shown = send(api, "PATCH", webhook, wanted).json()["data"]
    assert {name: shown[name] for name in wanted} == wanted
    assert (shown["secret"], Webhook.objects.get().secret) == (
        f"{webhook.secret[:22]}...",
        webhook.secret,
    )


def test_nothing_at_all_changes_nothing(api: Client, webhook: Webhook) -> None:
    before = api.get(f"/api/v1/webhooks/{webhook.pk}").json()["data"]
    after = send(api, "PATCH", webhook, {}).json()["data"]
    assert after == before | {"updated_at": after["updated_at"]}


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"name": ""}, "name", "This field may not be blank."),
        ({"name": "a\x00"}, "name", "Null characters are not allowed."),
        ({"url": "https://10.0.0.1/"}, "url", "This address is not public."),
        ({"events": []}, "events", "Ensure this field has at least 1 elements."),
        ({"events": ["x"]}, "events.0", '"x" is not a valid choice.'),
        ({"status": "deleted"}, "status", '"deleted" is not a valid choice.'),
        ({"status": None}, "status", "This field may not be null."),
        ({"headers": {"Webhook-Id": "a"}}, "headers.Webhook-Id", "This header is set by Parley."),
        (
            {"timeout_seconds": 31},
            "timeout_seconds",
            "Ensure this value is less than or equal to 30.",
        ),
        ({"max_retries": 10}, "max_retries", "Ensure this value is less than or equal to 9."),
    ],
)
def test_a_value_that_does_not_fit_is_422_and_changes_nothing(
    api: Client, webhook: Webhook, change: dict[str, Any], field: str, message: str
) -> None:
    answer = send(api, "PATCH", webhook, {"max_retries": 1} | change)
    assert (answer.status_code, answer.json()["details"]) == (
        422,
        [{"field": field, "message": message}],
    )
    assert Webhook.objects.get().max_retries == 3


def test_one_that_is_made_inactive_is_not_told_what_waits(api: Client, webhook: Webhook) -> None:
    _waiting, sent = (factories.delivery(webhook, now=NOW) for _ in range(2))
    Delivery.objects.filter(pk=sent.pk).update(state=OutboxState.SENT)
    send(api, "PATCH", webhook, {"status": "inactive"})
    rows = Delivery.objects.order_by("id").values_list("state", "last_error")
    assert list(rows) == [("failed", "inactive"), ("sent", "")]


def test_one_that_parley_stopped_starts_anew(api: Client, webhook: Webhook) -> None:
    Webhook.objects.update(
        status="inactive", disabled_reason="failing", failing_since=NOW - timedelta(days=5)
    )
    shown = send(api, "PATCH", webhook, {"status": "active"}).json()["data"]
    assert (shown["status"], shown["disabled_reason"]) == ("active", None)
    assert Webhook.objects.get().failing_since is None


def test_a_change_of_something_else_does_not_count_as_a_success(
    api: Client, webhook: Webhook
) -> None:
    Webhook.objects.update(failing_since=NOW)
    send(api, "PATCH", webhook, {"name": "Other"})
    assert Webhook.objects.get().failing_since == NOW


def test_one_that_is_stopped_meanwhile_keeps_the_reason(webhook: Webhook) -> None:
    """The update has read the webhook while it was active."""
    seen = Webhook.objects.get()
    Webhook.objects.update(status="inactive", disabled_reason="gone", failing_since=NOW)
    services.update(webhook=seen, now=NOW, name="Other")
    now = Webhook.objects.get()
    assert (now.name, now.status, now.disabled_reason) == ("Other", "inactive", "gone")

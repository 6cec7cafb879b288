"""GET /api/v1/webhooks/{id}: lookup by number and UUID, and the reason of a stop."""

import pytest
from django.test import Client

from accounts.models import User
from tests import factories


def test_it_is_found_by_number_and_by_uuid(api: Client, alice: User) -> None:
    webhook = factories.webhook(alice)
    [listed] = api.get("/api/v1/webhooks").json()["data"]
    for key in (webhook.pk, webhook.uuid):
        answer = api.get(f"/api/v1/webhooks/{key}")
        assert (answer.status_code, answer.json()) == (200, {"data": listed})


def test_why_parley_stopped_it_is_said(api: Client, alice: User) -> None:
    webhook = factories.webhook(alice)
    webhook.status, webhook.disabled_reason = "inactive", "gone"
    webhook.save()
    shown = api.get(f"/api/v1/webhooks/{webhook.pk}").json()["data"]
    assert (shown["status"], shown["disabled_reason"]) == ("inactive", "gone")


@pytest.mark.parametrize("key", ["0", "9" * 30, "x", "wh_" + "a" * 20, "%00"])
def test_an_unknown_one_is_404(api: Client, key: str) -> None:
    answer = api.get(f"/api/v1/webhooks/{key}")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")

"""DELETE /api/v1/webhooks/{id}: the webhook and its deliveries disappear."""

from django.test import Client

from accounts.models import User
from tests import factories
from tests.pages import NOW
from webhooks.models import Attempt, Delivery, Webhook


def test_it_goes_with_its_deliveries(api: Client, alice: User) -> None:
    other, webhook = factories.webhook(alice), factories.webhook(alice)
    for owner in (other, webhook):
        factories.attempt(factories.delivery(owner, now=NOW), at=NOW)
    answer = api.delete(f"/api/v1/webhooks/{webhook.uuid}")
    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Webhook deleted successfully"},
    )
    assert list(Webhook.objects.all()) == [other]
    assert list(Delivery.objects.values_list("webhook", flat=True)) == [other.pk]
    assert Attempt.objects.count() == 1
    again = api.delete(f"/api/v1/webhooks/{webhook.uuid}")
    assert (again.status_code, again.json()["message"]) == (404, "webhook not found")

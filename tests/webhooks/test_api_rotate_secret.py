"""POST /api/v1/webhooks/{id}/rotate_secret: a new webhook secret, valid beside the old one."""

from datetime import timedelta

import time_machine
from django.test import Client
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from tests import factories, wire
from tests.delivering import deliver_due
from tests.pages import NOW
from webhooks.domain import services
from webhooks.models import Webhook


def verifies(secret: str, call: wire.Call) -> bool:
    try:
        Verifier(secret).verify(call.body, call.headers)
    except WebhookVerificationError:
        return False
    return True


def test_the_new_secret_is_told_once(api: Client, webhook: Webhook) -> None:
    before = api.get(f"/api/v1/webhooks/{webhook.pk}").json()["data"]
    answer = api.post(f"/api/v1/webhooks/{webhook.pk}/rotate_secret")
    rotated = Webhook.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {"data": before | {"secret": rotated.secret}},
    )
    assert rotated.secret != webhook.secret
    shown = api.get(f"/api/v1/webhooks/{webhook.pk}").json()["data"]
    assert shown["secret"] == f"{rotated.secret[:22]}..."


def test_both_sign_for_a_day(
    api: Client,
    webhook: Webhook,
    endpoint: wire.Endpoint,
    clock: time_machine.Traveller,
) -> None:
    new = api.post(f"/api/v1/webhooks/{webhook.pk}/rotate_secret").json()["data"]["secret"]
    told = []
    for later in (timedelta(0), timedelta(hours=24, seconds=-1), timedelta(hours=24)):
        clock.move_to(NOW + later)
        factories.delivery(webhook, now=NOW + later)
        deliver_due()
        call = endpoint.received[-1]
        told.append([verifies(secret, call) for secret in (webhook.secret, new)])
    assert told == [[True, True], [True, True], [False, True]]


def test_of_two_rotations_at_once_neither_secret_is_lost(webhook: Webhook) -> None:
    """The second rotation has read the webhook before the first one wrote it."""
    one, other = Webhook.objects.get(), Webhook.objects.get()
    first = services.rotate_secret(webhook=one, now=NOW).secret
    second = services.rotate_secret(webhook=other, now=NOW).secret
    assert Webhook.objects.get().secrets_at(NOW) == [second, first]

"""Language of notifications about a webhook: its owner's."""

from pathlib import Path

import pytest
from django.utils import translation
from pytest_django import Settings

from accounts.models import User
from notifications.models import Notification
from tests import factories
from tests.languages import speak_german
from tests.outbox import content_of
from tests.pages import NOW
from webhooks.domain import notices

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "subject", "reason"),
    [
        ("", "Your webhook Main Webhook has been stopped", "the endpoint answered 410 Gone"),
        ("de", "Gestoppt: Main Webhook", "die Adresse antwortet mit 410"),
    ],
)
def test_that_it_was_stopped_is_told_in_the_owners_language(
    settings: Settings, tmp_path: Path, alice: User, language: str, subject: str, reason: str
) -> None:
    words = {
        "Your webhook %(name)s has been stopped": "Gestoppt: %(name)s",
        "the endpoint answered 410 Gone": "die Adresse antwortet mit 410",
    }
    speak_german(settings, tmp_path, words)
    alice.language = language
    alice.save()
    webhook = factories.webhook(alice)
    webhook.disabled_reason = "gone"
    webhook.save()
    with translation.override("fr"):
        notices.disabled(webhook, now=NOW)
    content = content_of(Notification.objects.get())
    assert content["subject"] == subject
    assert f'webhook "Main Webhook" any more: {reason}.' in content["text"]

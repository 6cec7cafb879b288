"""Language of notifications about a webhook: its owner's."""

import json
from pathlib import Path

import pytest
from django.utils import translation
from pytest_django import Settings

from accounts.models import User
from notifications.models import Notification
from tests import factories
from tests.languages import speak_german
from tests.pages import NOW
from webhooks.messages import notifications

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
    with translation.override("fr"):
        notifications.disabled(webhook, now=NOW)
    content = json.loads(Notification.objects.get().content)
    assert content["subject"] == subject
    assert f'webhook "Main Webhook" anything: {reason}.' in content["text"]

"""Languages of meeting notifications: each person reads their own, no matter who acts."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from icalendar import Calendar
from pytest_django import Settings

from accounts.models import User
from core.errors import DomainError
from meetings.domain import services
from notifications.models import Notification, PushDevice
from tests import factories
from tests.languages import speak_german
from tests.outbox import content_of
from tests.pages import NOW, Ask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture(autouse=True)
def _german(settings: Settings, tmp_path: Path) -> None:
    words = {
        "You have received new meeting request!": "Jemand möchte sich mit dir treffen",
        "MEETING ALERT": "ANFRAGE",
        "%(name)s requested a meeting with you. Click to Confirm or Reject.": "Von %(name)s.",
        "When:": "Wann:",
        "Meeting: %(one)s and %(other)s": "Treffen: %(one)s und %(other)s",
        "Confirmed: your meeting with %(name)s": "Bestätigt: dein Treffen mit %(name)s",
        "Your meeting with %(name)s starts %(lead)s": "Gleich: %(name)s",
        "This meeting is %(status)s.": "Dieses Treffen ist %(status)s.",
        "confirmed": "bestätigt",
    }
    speak_german(settings, tmp_path, words)


@pytest.fixture
def bob(bob: User) -> User:
    """Give Bob German as his language, and a phone."""
    bob.language = "de"
    bob.save()
    PushDevice.objects.create(user=bob, token="phone", platform="ios")
    return bob


def content(person: User, kind: str) -> dict[str, Any]:
    row = Notification.objects.filter(user=person, kind=kind).latest("id")
    found: dict[str, Any] = content_of(row)
    return found


def summary(mail: dict[str, Any]) -> str:
    (event,) = Calendar.from_ical(mail["ics"]).walk("VEVENT")
    return str(event["SUMMARY"])


def test_a_request_is_told_in_the_recipients_language(bob: User, ask: Ask) -> None:
    ask()
    mail, push = content(bob, "meeting_requested"), content(bob, "meeting-created")
    assert mail["subject"] == "Jemand möchte sich mit dir treffen"
    assert "Wann:  Mittwoch, 4 März 2026, 10:00 AM – 11:00 AM\n       UTC" in mail["text"]
    assert (push["title"], push["body"]) == ("ANFRAGE", "Von Alice Ames.")


@pytest.mark.parametrize("acting", ["en", "de"])
def test_both_are_told_of_an_answer_in_their_own_language(
    alice: User, bob: User, ask: Ask, acting: str
) -> None:
    meeting = ask()
    with translation.override(acting):
        services.confirm(meeting=meeting, actor=bob, now=NOW)
    to_alice, to_bob = (content(person, "meeting_confirmed") for person in (alice, bob))
    assert to_alice["subject"] == "Confirmed: your meeting with Bob Byrd, Wed 4 Mar, 10:00 AM"
    assert to_bob["subject"] == "Bestätigt: dein Treffen mit Alice Ames, Mi 4 Mär, 10:00 AM"
    assert summary(to_alice) == "Meeting: Alice Ames and Bob Byrd"
    assert summary(to_bob) == "Treffen: Alice Ames und Bob Byrd"
    assert content(bob, "meeting_reminder")["subject"] == "Gleich: Alice Ames, Mi 4 Mär, 10:00 AM"
    assert content(alice, "meeting_reminder")["subject"] == (
        "Your meeting with Bob Byrd starts in 15 minutes, Wed 4 Mar, 10:00 AM"
    )


def test_webhooks_are_told_in_english_while_a_german_acts(bob: User, ask: Ask) -> None:
    webhook = factories.webhook(bob)
    meeting = ask()
    with translation.override("de"):
        services.confirm(meeting=meeting, actor=bob, now=NOW)
    body = json.loads(webhook.deliveries.latest("id").event.body)
    assert (body["type"], body["data"]["status"]) == ("meeting.confirmed", "confirmed")
    written = meeting.history.latest("id")
    assert (written.to_status, written.role) == ("confirmed", "recipient")


def test_a_refusal_is_in_the_language_of_the_page(alice: User, bob: User, ask: Ask) -> None:
    meeting = ask()
    services.confirm(meeting=meeting, actor=bob, now=NOW)
    with translation.override("de"), pytest.raises(DomainError) as refused:
        services.reject(meeting=meeting, actor=bob, now=NOW)
    assert refused.value.message == "Dieses Treffen ist bestätigt."

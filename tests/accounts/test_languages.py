"""Languages of account emails (the person's) and of written times (the reader's)."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from accounts.models import User
from core.text import times
from notifications.models import Notification
from tests.languages import speak_german
from tests.outbox import content_of
from tests.pages import stand_alone


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("own", "browser", "greeting"),
    [
        ("de", "en", "Hallo Alice,"),
        ("en", "de", "Hello Alice,"),
        ("", "de", "Hallo Alice,"),
        ("", "en", "Hello Alice,"),
    ],
)
def test_a_new_password_is_offered_in_the_persons_language_or_else_the_browsers(
    client: Client,
    settings: Settings,
    tmp_path: Path,
    alice: User,
    own: str,
    browser: str,
    greeting: str,
) -> None:
    stand_alone(settings)
    speak_german(settings, tmp_path, {"Hello %(short_name)s,": "Hallo %(short_name)s,"})
    alice.language = own
    alice.save()
    asked = {"email": alice.email}
    client.post("/accounts/password/reset/", asked, headers={"Accept-Language": browser})
    content = content_of(Notification.objects.get(user=alice))
    assert content["text"].splitlines()[0] == greeting


START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Wednesday, 4 March 2026, 10:00 – 11:00 UTC"),
        ("de", "Mittwoch, 4. März 2026, 10:00 – 11:00 UTC"),
        ("fr", "mercredi 4 mars 2026, 10:00 – 11:00 UTC"),
        ("es", "miércoles, 4 de marzo de 2026, 10:00 – 11:00 UTC"),
    ],
)
def test_dates_are_written_in_the_readers_language_and_its_order(language: str, told: str) -> None:
    with translation.override(language):
        assert times.utc_span(START, START + HOUR) == told


def test_what_is_told_in_utc_is_in_utc_wherever_it_comes_from() -> None:
    east = START.astimezone(timezone(timedelta(hours=14)))
    assert times.utc_span(east, east + HOUR) == "Wednesday, 4 March 2026, 10:00 – 11:00 UTC"

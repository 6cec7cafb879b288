"""Meeting messages are written when they are sent: with what holds then, or not at all."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from icalendar import Calendar
from pytest_django import Settings

from accounts.models import User
from core.db import outbox
from meetings.domain import services
from meetings.messages import links
from meetings.models import MeetingRequest
from notifications.models import Notification, PushDevice
from tests.outbox import content_of, posted, rows, sent
from tests.pages import NOW, START, Ask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

ALICE, BOB, NEW = "alice@example.com", "bob@example.com", "new@example.com"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUARTER = 15 * MINUTE
REMINDER = "meeting_reminder"


@pytest.fixture
def confirmed(ask: Ask, bob: User) -> MeetingRequest:
    return services.confirm(meeting=ask(), actor=bob, now=NOW)


def ends(**which: Any) -> set[tuple[str, str]]:
    """Return the states and errors of these messages."""
    return {(row.state, row.last_error) for row in Notification.objects.filter(**which)}


# --- what has changed since ---------------------------------------------------------------------


@pytest.mark.parametrize("at", [NOW, START - DAY, START - QUARTER], ids=["now", "day", "quarter"])
@pytest.mark.parametrize(
    ("columns", "to", "says"),
    [
        ({"first_name": "Robert"}, ALICE, "Robert Byrd"),
        ({"first_name": "Robert"}, BOB, "Hello Robert,\n"),
        ({"timezone": "Asia/Tokyo"}, BOB, "7:00 PM – 8:00 PM\n       Asia/Tokyo"),
        ({"time_format": "HH:mm"}, BOB, ", 10:00 – 11:00\n       UTC"),
        ({"language": "de"}, BOB, "Wann:"),
        ({"email": NEW}, NEW, "Hello Bob,\n"),
    ],
)
def test_an_email_says_what_holds_when_it_is_sent(
    confirmed: MeetingRequest, bob: User, columns: dict[str, str], to: str, says: str, at: datetime
) -> None:
    if at > NOW:
        sent(NOW)
    if at > START - DAY:
        sent(START - DAY)
    User.objects.filter(pk=bob.pk).update(**columns)
    found = sent(at)
    assert len(found) == 2
    assert says in found[to].body


def test_a_request_says_what_holds_when_it_is_sent(
    ask: Ask, alice: User, settings: Settings
) -> None:
    meeting = ask()
    User.objects.filter(pk=alice.pk).update(first_name="Alicia")
    settings.PUBLIC_URL = "https://parley.example"
    link = links.answer_url(meeting)
    assert link.startswith("https://parley.example/meetings/answer/")
    body = sent(NOW)[BOB].body
    assert "Alicia Ames" in body
    assert f"Confirm:\n{link}?answer=confirm\n\nDecline:\n{link}?answer=reject\n" in body


def test_a_push_message_says_what_holds_when_it_is_sent(ask: Ask, alice: User, bob: User) -> None:
    PushDevice.objects.create(user=bob, token="phone", platform="ios")
    ask()
    User.objects.filter(pk=alice.pk).update(first_name="Alicia")
    [push] = rows("push")
    assert content_of(push)["body"] == (
        "Alicia Ames requested a meeting with you. Click to Confirm or Reject."
    )


def test_what_the_change_was_stays_as_it_was(
    confirmed: MeetingRequest, alice: User, bob: User
) -> None:
    """An entry for the calendar has the sequence of its change, and the status that it had."""
    services.cancel(meeting=confirmed, actor=alice, now=NOW + MINUTE, reason="I am ill.")
    sent(NOW + HOUR)
    found = []
    for message in posted():
        if message.to == [BOB]:
            calendar: Any = Calendar.from_ical(str(message.alternatives[1][0]))
            [event] = calendar.walk("VEVENT")
            stamp = event["DTSTAMP"].dt
            found.append((calendar["METHOD"], event["SEQUENCE"], event["STATUS"], stamp))
    assert found == [
        ("REQUEST", 1, "CONFIRMED", NOW),
        ("CANCEL", 2, "CANCELLED", NOW + MINUTE),
    ]
    assert "I am ill." in posted()[-1].body


def test_an_entry_keeps_its_identity_when_the_operator_moves(
    confirmed: MeetingRequest, alice: User, settings: Settings
) -> None:
    found = [identity(sent(NOW)[BOB])]
    settings.PUBLIC_URL = "https://new.example"
    settings.PUBLIC_HOST = "new.example"
    settings.DEFAULT_FROM_EMAIL = "New <new@new.example>"
    services.cancel(meeting=confirmed, actor=alice, now=NOW)
    found.append(identity(sent(NOW)[BOB]))
    assert found == [(f"{confirmed.booking_number}@localhost", "mailto:parley@localhost")] * 2


def identity(message: EmailMultiAlternatives) -> tuple[str, str]:
    """Return UID and organizer of the calendar object in this email."""
    (event,) = Calendar.from_ical(str(message.alternatives[1][0])).walk("VEVENT")
    return str(event["UID"]), str(event["ORGANIZER"])


# --- what does not hold any more ----------------------------------------------------------------


@pytest.mark.parametrize("answer", [services.confirm, services.reject])
def test_nobody_is_asked_for_what_is_answered(ask: Ask, bob: User, answer: Any) -> None:
    PushDevice.objects.create(user=bob, token="phone", platform="ios")
    answer(meeting=ask(), actor=bob, now=NOW)
    sent(NOW)
    for kind in ("meeting_requested", "meeting-created"):
        assert ends(kind=kind) == {("withdrawn", "changed")}


def test_nobody_is_asked_for_what_has_expired(ask: Ask) -> None:
    ask()
    assert sent(START) == {}
    assert ends(kind="meeting_requested") == {("withdrawn", "changed")}


def test_a_reminder_of_a_meeting_that_was_cancelled_is_withdrawn(
    confirmed: MeetingRequest, alice: User
) -> None:
    services.cancel(meeting=confirmed, actor=alice, now=NOW)
    reminders = Notification.objects.filter(kind=REMINDER)
    assert outbox.requeue(reminders, now=timezone.now()) == 4  # as staff do
    sent(NOW)
    assert ends(kind=REMINDER) == {("withdrawn", "changed")}


def test_a_reminder_of_a_meeting_that_has_begun_is_withdrawn(confirmed: MeetingRequest) -> None:
    sent(NOW)
    assert sent(START) == {}
    assert ends(kind=REMINDER) == {("withdrawn", "late")}


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (START - DAY, "in a day"),
        (START - 4 * HOUR, "in 4 hours"),
        (START - QUARTER - MINUTE, "in 16 minutes"),
        (START - QUARTER, "in 15 minutes"),
    ],
)
def test_after_an_outage_one_reminder_comes_and_says_how_long_it_is_still(
    confirmed: MeetingRequest, at: datetime, says: str
) -> None:
    sent(NOW)
    found = sent(at)
    assert len(posted()) == 2
    assert found[BOB].subject == (
        f"Your meeting with Alice Ames starts {says}, Wed 4 Mar, 10:00 AM"
    )
    assert f"\nYour meeting with Alice Ames starts {says}.\n" in found[BOB].body


# --- whom an answer reaches ---------------------------------------------------------------------


def test_an_answer_reaches_the_other_person(confirmed: MeetingRequest) -> None:
    found = sent(NOW)
    assert found[ALICE].reply_to == ["Bob Byrd <bob@example.com>"]
    assert found[BOB].reply_to == ["Alice Ames <alice@example.com>"]


def test_an_answer_to_a_deactivated_person_is_not_asked_for(
    confirmed: MeetingRequest, alice: User
) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    found = sent(NOW)
    assert list(found) == [BOB]
    assert found[BOB].reply_to == []

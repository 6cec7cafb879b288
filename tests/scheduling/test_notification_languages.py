"""Languages of notifications: each person reads their own, and programs always get English."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from accounts.models import User
from core.errors import DomainError
from notifications.models import PushDevice
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.languages import speak_german
from tests.outbox import rows
from tests.pages import NOW, START
from tests.scheduling.conftest import Book
from tests.scheduling.mailbox import HOST, JOHN, changes_of, entry, event_of, mail, pushed, subjects
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LATER = START + timedelta(days=1)


@pytest.fixture(autouse=True)
def _german(settings: Settings, tmp_path: Path) -> None:
    words = {
        "Confirmed: %(what)s with %(name)s": "Bestätigt: %(what)s mit %(name)s",
        "Hello %(short_name)s,": "Hallo %(short_name)s,",
        "%(what)s with %(name)s is confirmed.": "%(what)s mit %(name)s ist bestätigt.",
        "The attached invitation adds it to your calendar.": "Die Einladung liegt bei.",
        "What:": "Was:",
        "With:": "Mit:",
        "When:": "Wann:",
        "Where:": "Wo:",
        "Zoom Call": "Zoom-Anruf",
        "You get the meeting link later.": "Der Link folgt.",
        "Add to calendar": "In den Kalender eintragen",
        "Reschedule or cancel": "Verschieben oder absagen",
        "It was on %(old_time)s.": "Es war am %(old_time)s.",
        "%(what)s with %(name)s starts %(lead)s.": "%(what)s mit %(name)s beginnt %(lead)s.",
        "New booking": "Neue Buchung",
        "%(name)s booked %(what)s.": "%(name)s hat %(what)s gebucht.",
        "You cancelled %(what)s with %(name)s.": "Du hast %(what)s mit %(name)s abgesagt.",
        "%(name)s cancelled %(what)s with you.": "%(name)s hat dir %(what)s abgesagt.",
        "The organisers cancelled %(what)s with %(name)s.": "%(what)s mit %(name)s: abgesagt.",
        "cancelled": "abgesagt",
        "yes": "ja",
        "That time is no longer free.": "Diese Zeit ist nicht mehr frei.",
        "%(label)s is required.": "%(label)s fehlt.",
    }
    speak_german(settings, tmp_path, words)


def speaks(person: User, language: str) -> None:
    person.language = language
    person.save()


TO_HOST = {
    "en": "Confirmed: 30 Minute Meeting with John Doe, Wed 4 Mar, 10:00 AM",
    "de": "Bestätigt: 30 Minute Meeting mit John Doe, Mi 4 Mär, 10:00 AM",
}
TO_JOHN = {
    "en": "Confirmed: 30 Minute Meeting with Alice Ames, Wed 4 Mar, 11:00",
    "de": "Bestätigt: 30 Minute Meeting mit Alice Ames, Mi 4 Mär, 11:00",
}


@pytest.mark.parametrize("acting", ["en", "de", "fr"])
@pytest.mark.parametrize(
    ("of_host", "of_invitee", "to_host", "to_invitee"),
    [
        ("", "", "en", "en"),
        ("", "de", "en", "de"),
        ("de", "en", "de", "en"),
        ("de", "", "de", "de"),  # an invitee who has said nothing reads the host's
    ],
)
def test_each_is_written_to_in_their_own_language_whoever_acts(
    alice: User,
    book: Book,
    of_host: str,
    of_invitee: str,
    to_host: str,
    to_invitee: str,
    acting: str,
) -> None:
    speaks(alice, of_host)
    with translation.override(acting):
        book(language=of_invitee)
    assert subjects("booking_confirmed") == {HOST: TO_HOST[to_host], JOHN: TO_JOHN[to_invitee]}


def test_all_of_an_email_is_in_that_language(alice: User, book: Book) -> None:
    booking = book(language="de", actor=bookings.host(alice))
    content = mail(JOHN, "booking_confirmed")
    assert content["text"] == (
        "Hallo John Doe,\n"
        "\n"
        "30 Minute Meeting mit Alice Ames ist bestätigt. Die Einladung liegt bei.\n"
        "\n"
        "In den Kalender eintragen:\n"
        f"{links.manage_url(booking)}#calendar\n"
        "\n"
        "Was:    30 Minute Meeting\n"
        "Mit:    Alice Ames\n"
        "Wann:   Mittwoch, 4 März 2026, 11:00 – 11:30\n"
        "        Europe/Berlin\n"
        "Wo:     Zoom-Anruf\n"
        "        Der Link folgt.\n"
        "\n"
        "Verschieben oder absagen:\n"
        f"{links.manage_url(booking)}\n"
    )
    assert '<html lang="de">' in content["html"]
    assert f"<title>{TO_JOHN['de']}</title>" in content["html"]


def test_the_old_time_is_told_in_that_language(booking: Booking, book: Book) -> None:
    moved = book(start=LATER, language="de")
    bookings.reschedule(booking=moved, start=LATER + timedelta(hours=1), actor=INVITEE, now=NOW)
    told = mail(JOHN, "booking_rescheduled")["text"]
    assert "Es war am Donnerstag, 5 März 2026, 11:00 – 11:30." in told
    assert "It was on Thursday, 5 March 2026, 10:00 AM" in mail(HOST, "booking_rescheduled")["text"]


def test_who_has_cancelled_is_told_in_a_sentence_of_its_own(alice: User, book: Book) -> None:
    booking = book(language="de")
    bookings.cancel(booking=booking, actor=bookings.host(alice), now=NOW)
    assert (
        "Alice Ames hat dir 30 Minute Meeting abgesagt."
        in (mail(JOHN, "booking_cancelled")["text"])
    )
    assert (
        "You cancelled 30 Minute Meeting with John Doe."
        in (mail(HOST, "booking_cancelled")["text"])
    )


def test_the_calendar_entry_is_in_the_readers_language_and_its_codes_are_not(book: Book) -> None:
    book(language="de", answers={"first": True})
    to_john, to_host = mail(JOHN, "booking_confirmed"), mail(HOST, "booking_confirmed")
    assert entry(to_john)["location"] == "Zoom-Anruf"
    assert entry(to_host)["location"] == "Zoom Call"
    assert changes_of(to_john) == changes_of(to_host) == ("REQUEST", 0, "CONFIRMED")


def test_an_answer_of_yes_is_told_in_the_readers_language(
    alice: User, event_type: EventType, book: Book
) -> None:
    event_type.custom_fields = [
        {"name": "new", "label": "Neu?", "type": "boolean", "required": False, "options": []}
    ]
    event_type.save()
    book(language="de", answers={"new": True}, actor=bookings.host(alice))
    told = [event_of(mail(to, "booking_confirmed"))["DESCRIPTION"] for to in (HOST, JOHN)]
    assert [str(text).splitlines()[0] for text in told] == ["Neu?: yes", "Neu?: ja"]


def test_a_push_message_is_in_the_language_of_the_host(alice: User, book: Book) -> None:
    PushDevice.objects.create(user=alice, token="phone", platform="ios")
    speaks(alice, "de")
    book(language="en")
    name = "30 Minute Meeting mit John Doe"
    assert ("Neue Buchung", "John Doe hat 30 Minute Meeting gebucht.") in pushed()
    assert ("Reminder", f"{name} beginnt in a day.") in pushed()  # the words of times have a test


def test_a_german_page_leaves_the_host_their_english_and_programs_theirs(
    client: Client, alice: User, book: Book
) -> None:
    factories.webhook(alice)
    booking = book(language="de")
    client.post(
        urlsplit(links.manage_url(booking)).path,
        {"act": "cancel", "sequence": 0, "reason": ""},
        headers={"Accept-Language": "de"},
    )
    assert mail(HOST, "booking_cancelled")["text"].splitlines()[2] == (
        "John Doe cancelled 30 Minute Meeting with you."
    )
    assert mail(JOHN, "booking_cancelled")["text"].splitlines()[2] == (
        "Du hast 30 Minute Meeting mit Alice Ames abgesagt."
    )
    shown = factories.client(alice).get(f"/api/v1/events/{booking.uuid}").json()["data"]
    body = json.loads(WebhookEvent.objects.latest("id").body)
    assert (body["type"], body["data"]) == ("booking.cancelled", shown)
    assert shown["status"] == "cancelled"
    written = booking.history.latest("sequence")
    assert (written.change, written.to_status, written.role) == (
        "cancelled",
        "cancelled",
        "invitee",
    )
    kinds = {row.kind for row in rows()}
    assert set(kinds) == {"booking_confirmed", "booking_reminder", "booking_cancelled"}


def test_a_refusal_is_in_the_language_of_the_page(booking: Booking, book: Book) -> None:
    with translation.override("de"), pytest.raises(DomainError) as refused:
        book()
    assert refused.value.message == "Diese Zeit ist nicht mehr frei."
    with pytest.raises(DomainError) as refused:
        book()
    assert refused.value.message == "That time is no longer free."


def test_an_unanswered_question_is_named_in_the_language_of_the_page(
    alice: User, book: Book
) -> None:
    question: dict[str, Any] = {
        "name": "why",
        "label": "Warum?",
        "type": "text",
        "required": True,
        "options": [],
    }
    asking = factories.event_type(alice, slug="asking", custom_fields=[question])
    with translation.override("de"), pytest.raises(DomainError) as refused:
        book(asking)
    assert refused.value.message == "Warum? fehlt."


def test_the_api_refuses_in_english_whatever_the_browser_or_the_person_reads(
    alice: User, booking: Booking
) -> None:
    speaks(alice, "de")
    answer = factories.client(alice).post(
        "/api/v1/events",
        {
            "event_type_id": booking.event_type_id,
            "attendee_email": JOHN,
            "attendee_name": "John Doe",
            "start_time": START.isoformat(),
        },
        content_type="application/json",
        headers={"Accept-Language": "de"},
    )
    assert (answer.status_code, answer.json()["message"]) == (409, "That time is no longer free.")

"""Calendar objects: texts that every calendar reads, and an identity that stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from icalendar import Calendar
from pytest_django import Settings

from accounts.models import User
from calendars.messages import icalendar
from calendars.messages.icalendar import Entry, Person
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE
from scheduling.models import Booking
from scheduling.models.enums import Method
from tests import factories
from tests.outbox import sent
from tests.pages import NOW, START
from tests.scheduling.conftest import Book
from tests.scheduling.mailbox import HOST, JOHN, entry, mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


# --- texts ----------------------------------------------------------------------------------------


def rendered(**fields: Any) -> str:
    """Return a calendar object with an entry that has these fields."""
    usual: dict[str, Any] = {
        "uid": "evt_1@localhost",
        "organizer": "parley@example.com",
        "sequence": 0,
        "summary": "Tea",
        "description": "",
        "url": "",
        "start": datetime(2026, 3, 4, 10, tzinfo=UTC),
        "end": datetime(2026, 3, 4, 11, tzinfo=UTC),
        "stamp": datetime(2026, 3, 2, 9, tzinfo=UTC),
    }
    attendees = [Person("Jo\x07\nRoe", "jo@münchen.de")]
    return icalendar.render(
        Entry(**{**usual, **fields}), method=Method.REQUEST, attendees=attendees
    )


def only_event(text: str) -> Any:
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert not event.errors
    return event


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("one\ntwo", "one\ntwo"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tstays", "tab\tstays"),
        ("bell\x07, NUL\x00, escape\x1b, \x7f, next line\x85", "bell, NUL, escape, , next line"),
        ("a, b; c \\ d: e", "a, b; c \\ d: e"),
        ("END:VEVENT\nBEGIN:VALARM", "END:VEVENT\nBEGIN:VALARM"),
        ("é" * 200, "é" * 200),
    ],
)
def test_a_description_is_read_as_it_was_typed_without_control_characters(
    typed: str, read: str
) -> None:
    text = rendered(description=typed)
    assert str(only_event(text)["DESCRIPTION"]) == read
    lines = text.split("\r\n")
    assert max(len(line.encode()) for line in lines) <= 75  # RFC 5545, 3.1
    assert not {ord(letter) for letter in "".join(lines)} & ({*range(32), *range(127, 160)} - {9})


@pytest.mark.parametrize("name", ["summary", "location"])
@pytest.mark.parametrize("typed", ["Room 5\nFloor 2", "Room 5\r\nFloor 2", "Room\x07 5\rFloor 2\n"])
def test_a_summary_and_a_place_are_one_line(name: str, typed: str) -> None:
    assert str(only_event(rendered(**{name: typed}))[name.upper()]) == "Room 5 Floor 2"


@pytest.mark.parametrize("empty", ["", " ", "\n\x07\n"])
def test_without_a_description_there_is_no_such_line(empty: str) -> None:
    assert "DESCRIPTION" not in rendered(description=empty)


def test_an_address_is_in_ascii_and_a_name_is_one_line() -> None:
    event = only_event(rendered(organizer="parley@bücher.example"))
    assert event["ORGANIZER"] == "mailto:parley@xn--bcher-kva.example"
    assert event["ATTENDEE"] == "mailto:jo@xn--mnchen-3ya.de"
    assert event["ATTENDEE"].params["CN"] == "Jo Roe"


# --- where to meet --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "by_host", "place"),
    [
        (HOST, False, "Phone Call: +493012"),
        (HOST, True, "Phone Call: +493012"),
        (JOHN, True, "Phone Call: +493012"),
        # A stranger may have typed it.
        (JOHN, False, "Phone Call"),
    ],
)
def test_a_call_names_the_number(
    alice: User, book: Book, to: str, by_host: bool, place: str
) -> None:
    by_phone = factories.event_type(alice, location="phone_call")
    book(by_phone, phone="+49 30 12", actor=bookings.host(alice) if by_host else INVITEE)
    assert entry(mail(to, "booking_confirmed"))["location"] == place


def test_a_place_of_two_lines_is_one(alice: User, book: Book) -> None:
    book(factories.event_type(alice, location="custom", location_custom="Room 5\nFloor 2"))
    for to in (HOST, JOHN):
        assert entry(mail(to, "booking_confirmed"))["location"] == "Room 5 Floor 2"


# --- the identity ---------------------------------------------------------------------------------


def test_an_entry_keeps_its_identity_when_the_operator_moves(
    alice: User, book: Book, settings: Settings
) -> None:
    booking = book()
    found = [entry_in(sent(NOW)[JOHN])]
    settings.PUBLIC_URL = "https://new.example"
    settings.PUBLIC_HOST = "new.example"
    settings.DEFAULT_FROM_EMAIL = "New <new@new.example>"
    host = bookings.host(alice)
    booking = bookings.reschedule(
        booking=booking, start=START + timedelta(hours=1), actor=host, now=NOW
    )
    found.append(entry_in(sent(NOW)[JOHN]))
    bookings.cancel(booking=booking, actor=host, now=NOW)
    found.append(entry_in(sent(NOW)[JOHN]))
    same = (f"{booking.uuid}@localhost", "mailto:parley@localhost")
    assert found == [("REQUEST", 0, *same), ("REQUEST", 1, *same), ("CANCEL", 2, *same)]
    # One that is made now has the new one.
    later = book(start=START + timedelta(days=1))
    new = (f"{later.uuid}@new.example", "mailto:new@new.example")
    assert entry_in(sent(NOW)[JOHN]) == ("REQUEST", 0, *new)


def test_an_entry_is_stamped_with_the_time_of_its_change(booking: Booking) -> None:
    message = sent(NOW + timedelta(hours=1))[JOHN]
    assert only_event(str(message.alternatives[1][0]))["DTSTAMP"].dt == NOW


def entry_in(message: EmailMultiAlternatives) -> tuple[str, int, str, str]:
    """Return method, sequence, UID and organizer of the calendar object in this email."""
    calendar: Any = Calendar.from_ical(str(message.alternatives[1][0]))
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event["SEQUENCE"], str(event["UID"]), str(event["ORGANIZER"])

"""Texts of booking emails, with any text that other people typed."""

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from accounts.models import User
from notifications.models import PushDevice
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE
from scheduling.messages import links
from scheduling.messages.parties import answers
from scheduling.models import Booking, EventType
from tests import factories
from tests.outbox import content_of, rows
from tests.pages import NOW, START
from tests.scheduling.conftest import Book
from tests.scheduling.mailbox import (
    HOST,
    JOHN,
    entry,
    event_of,
    mail,
)

# Links are signed with the time.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LATER = START + timedelta(days=1)
DAY, QUARTER = timedelta(days=1), timedelta(minutes=15)


@pytest.fixture
def alice(alice: User) -> User:
    """Return Alice, who reads times in New York and has a phone."""
    alice.timezone = "America/New_York"
    alice.save()
    PushDevice.objects.create(user=alice, token="phone", platform="ios")
    return alice


def test_the_text_for_the_host(alice: User, book: Book) -> None:
    paid = factories.event_type(
        alice,
        slug="paid",
        location="custom",
        location_custom="Room 1",
        location_link="https://meet.example/ada",
        price="50.00",
        payment_method="on_site",
        custom_fields=[
            {
                "name": "size",
                "label": "How many?",
                "type": "number",
                "required": False,
                "options": [],
            },
            {
                "name": "new",
                "label": "New here?",
                "type": "boolean",
                "required": False,
                "options": [],
            },
        ],
    )
    booking = book(
        paid, phone="+49 30 1234", notes="I am\nlate.", answers={"size": 3, "new": False}
    )
    assert mail(HOST, "booking_confirmed")["text"] == (
        "Hello Alice,\n"
        "\n"
        "30 Minute Meeting with John Doe is confirmed."
        " The attached invitation adds it to your calendar.\n"
        "\n"
        "Join:\n"
        "https://meet.example/ada\n"
        "\n"
        "What:   30 Minute Meeting\n"
        "With:   John Doe, john@example.com\n"
        "Phone:  +49301234\n"
        "When:   Wednesday, 4 March 2026, 5:00 AM – 5:30 AM\n"
        "        America/New_York\n"
        "Where:  Room 1\n"
        "Price:  $50.00, on site\n"
        "\n"
        "Notes\n"
        "  I am\n"
        "  late.\n"
        "\n"
        "How many?\n"
        "  3\n"
        "\n"
        "New here?\n"
        "  no\n"
        "\n"
        "The booking in Parley:\n"
        f"http://localhost/bookings/{booking.pk}\n"
    )


def test_the_text_for_the_invitee(book: Book) -> None:
    booking = book(phone="+49 30 1234")
    assert mail(JOHN, "booking_confirmed")["text"] == (
        "Hello,\n"
        "\n"
        "30 Minute Meeting with Alice Ames is confirmed."
        " The attached invitation adds it to your calendar.\n"
        "\n"
        "Add to calendar:\n"
        f"{links.manage_url(booking)}#calendar\n"
        "\n"
        "What:   30 Minute Meeting\n"
        "With:   Alice Ames\n"
        "When:   Wednesday, 4 March 2026, 11:00 – 11:30\n"
        "        Europe/Berlin\n"
        "Where:  Zoom Call\n"
        "        You get the meeting link later.\n"
        "\n"
        "Reschedule or cancel:\n"
        f"{links.manage_url(booking)}\n"
    )


def test_answers_stand_in_the_order_of_the_questions(event_type: EventType, book: Book) -> None:
    kinds = {"zone": "text", "new": "boolean", "a": "number", "b": "boolean"}
    event_type.custom_fields = [
        {"name": name, "label": name.title(), "type": kind, "required": False, "options": []}
        for name, kind in kinds.items()
    ]
    event_type.save()
    given = {"other": "o", "b": False, "a": 1, "new": True, "zone": "True", "else": "e"}
    booking = Booking.objects.with_people().get(pk=book(answers=given).pk)
    assert answers(booking) == [
        ("Zone", "True"),
        ("New", "yes"),
        ("A", 1),
        ("B", "no"),
        ("else", "e"),
        ("other", "o"),
    ]


def test_only_the_invitees_entry_holds_their_link(alice: User, book: Book) -> None:
    booking = book(notes="Tea?", answers={"company": "Acme"}, actor=bookings.host(alice))
    assert {
        address: str(event_of(mail(address, "booking_confirmed"))["DESCRIPTION"])
        for address in (HOST, JOHN)
    } == {
        HOST: f"Tea?\ncompany: Acme\nhttp://localhost/bookings/{booking.pk}",
        JOHN: f"Tea?\ncompany: Acme\n{links.manage_url(booking)}",
    }


def test_no_email_to_the_host_holds_the_link_of_the_invitee(book: Book) -> None:
    booking = book()
    bookings.reschedule(booking=booking, start=LATER, actor=INVITEE, now=NOW)
    bookings.cancel(booking=booking, actor=INVITEE, now=NOW)
    to_host = rows("email", user__email=HOST)
    told = {row.kind: str(content_of(row)) for row in to_host}
    assert set(told) == {
        "booking_confirmed",
        "booking_rescheduled",
        "booking_reminder",
        "booking_cancelled",
    }
    assert [kind for kind, content in told.items() if "/bookings/manage/" in content] == []


# --- what others have typed ---------------------------------------------------------------------

EVIL = "<img src=x onerror=\"alert(1)\"> & 'co'"


class Elements(HTMLParser):
    """Parser of the names of all elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


def through_everything(booking: Booking, alice: User) -> None:
    """Cause every notification about a booking that needs approval."""
    host = bookings.host(alice)
    bookings.confirm(booking=booking, actor=host, now=NOW)
    bookings.reschedule(booking=booking, start=LATER, actor=INVITEE, now=NOW, reason=EVIL)
    bookings.cancel(booking=booking, actor=INVITEE, now=NOW, reason=EVIL)


def test_nothing_that_others_have_typed_is_markup(alice: User, book: Book) -> None:
    alice.first_name, alice.last_name = EVIL, ""
    alice.save()
    evil = factories.event_type(
        alice,
        name=EVIL,
        slug="evil",
        requires_approval=True,
        location="custom",
        location_custom=EVIL,
        custom_fields=[
            {"name": "q", "label": EVIL, "type": "text", "required": False, "options": []}
        ],
    )
    typed: dict[str, Any] = {"name": EVIL, "notes": EVIL, "answers": {"q": EVIL}}
    through_everything(book(evil, **typed), alice)
    declined, expired = book(evil, **typed), book(evil, start=LATER, **typed)
    bookings.reject(booking=declined, actor=bookings.host(alice), now=NOW, reason=EVIL)
    bookings.record_overdue(booking=expired, now=LATER)

    mails = [row for row in rows() if row.channel == "email"]
    assert {row.kind.partition("_")[2] for row in mails} == {
        "requested",
        "confirmed",
        "rejected",
        "cancelled",
        "rescheduled",
        "expired",
        "reminder",
    }
    for row in mails:
        content = content_of(row)
        assert "img" not in Elements(content["html"]).found, row.kind
        # Text and subject are no markup: they show what was typed.
        assert EVIL in content["text"], row.kind
        assert EVIL in content["subject"], row.kind
        assert "&#x27;" not in content["text"] + content["subject"], row.kind


def test_a_name_of_several_lines_is_one(alice: User, approved: EventType, book: Book) -> None:
    forged = "John\r\nBcc: all@example.com\n\nApprove: https://evil.example"
    through_everything(book(approved, name=forged), alice)
    one_line = "John Bcc: all@example.com Approve: https://evil.example"
    for row in rows("email"):
        content = content_of(row)
        assert "\n" not in content["subject"]
        assert "\nApprove: https" not in content["text"]
        if row.user == alice:
            assert f"Interview with {one_line}" in content["subject"]
            assert f"With:   {one_line}, {JOHN}\n" in content["text"]
    names = [
        name for _address, name, _status in entry(mail(HOST, "booking_confirmed"))["attendees"]
    ]
    assert names == ["Alice Ames", one_line]


def test_what_others_have_typed_stands_apart_from_our_own_lines(
    approved: EventType, book: Book
) -> None:
    forged = "Hello\n\nApprove:\nhttps://evil.example"
    book(approved, notes=forged, answers={"question": forged})
    lines = mail(HOST, "booking_requested")["text"].splitlines()
    assert [line for line in lines if "evil" in line] == ["  https://evil.example"] * 2

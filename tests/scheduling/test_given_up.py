"""Rescheduling by an invitee: an approved time is given up, and Parley says so before and after."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from scheduling.domain import bookings
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests.pages import NOW, START, words
from tests.scheduling.conftest import Book
from tests.scheduling.mailbox import HOST, JOHN, mail, sentence
from tests.scheduling.test_pages_manage import address, move

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LATER = START + timedelta(days=1)
BEFORE = (
    "Your current time is released at once. If Alice Ames declines the new one, nothing is booked."
)
TIME = "Wednesday, 4 March 2026, 11:00 – 11:30"
OF_HOST = "Wednesday, 4 March 2026, 10:00 AM – 10:30 AM"
WAITS = (
    f"Your earlier time, {TIME}, is given up. If Alice Ames declines the new one, nothing is"
    " booked."
)
WAITS_FOR_HOST = f"John Doe gave up {OF_HOST} for this. If you decline, nothing is booked any more."
GONE = f"The earlier time, {TIME}, was given up for this one: nothing is booked now."


@pytest.fixture
def stood(book: Book, approved: EventType, alice: User) -> Booking:
    """Return a booking that Alice has approved."""
    return bookings.confirm(booking=book(approved), actor=bookings.host(alice), now=NOW)


@pytest.fixture
def moved(stood: Booking) -> Booking:
    return bookings.reschedule(booking=stood, start=LATER, actor=bookings.INVITEE, now=NOW)


def test_the_page_says_so_before(stood: Booking, book: Book) -> None:
    assert BEFORE in words(Client().get(address(stood)))
    at_once = book(start=LATER)  # nobody has to approve it
    assert "given up" not in words(Client().get(address(at_once)))


def test_a_request_that_never_stood_gives_nothing_up(book: Book, approved: EventType) -> None:
    asked = book(approved)
    assert "given up" not in words(Client().get(address(asked)))
    bookings.reschedule(booking=asked, start=LATER, actor=bookings.INVITEE, now=NOW)
    assert "given up" not in words(Client().get(address(asked)))
    assert "given up" not in sentence(JOHN, "booking_rescheduled")
    assert "gave up" not in sentence(HOST, "booking_rescheduled")


def test_both_are_told_when_it_is_moved(stood: Booking) -> None:
    page = Client().post(address(stood), move(LATER, sequence=1), follow=True)
    assert WAITS in words(page)
    assert WAITS in sentence(JOHN, "booking_rescheduled")
    assert WAITS in mail(JOHN, "booking_rescheduled")["html"]
    assert WAITS_FOR_HOST in sentence(HOST, "booking_rescheduled")


def test_the_host_reads_it_where_they_answer(client: Client, moved: Booking, alice: User) -> None:
    assert WAITS_FOR_HOST in words(client.get(links.answer_url(moved)))
    client.force_login(alice)
    assert WAITS_FOR_HOST in words(client.get(f"/bookings/{moved.pk}"))


def test_the_invitee_is_told_when_it_is_declined(moved: Booking, alice: User) -> None:
    bookings.reject(booking=moved, actor=bookings.host(alice), now=NOW)
    assert GONE in sentence(JOHN, "booking_rejected")
    assert GONE in words(Client().get(address(moved)))


def test_and_when_nobody_answers(moved: Booking) -> None:
    bookings.record_overdue(booking=moved, now=LATER)
    assert GONE in sentence(JOHN, "booking_expired")


def test_what_is_approved_has_nothing_to_say(moved: Booking, alice: User) -> None:
    bookings.confirm(booking=moved, actor=bookings.host(alice), now=NOW)
    assert "given up" not in words(Client().get(address(moved))).replace(BEFORE, "")

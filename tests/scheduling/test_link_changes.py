"""Another link of a confirmed booking: both calendars learn of it, within a limit."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from accounts.models import User
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from tests import factories
from tests.outbox import posted, rows, sent
from tests.pages import NOW, START
from tests.scheduling.conftest import Book
from tests.scheduling.mailbox import HOST, JOHN, entry, mail, sentence

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LINK, OTHER = "https://meet.example/1", "https://meet.example/2"
KIND = "booking_linked"


def test_both_get_the_entry_with_the_link(booking: Booking) -> None:
    before = entry(mail(JOHN, "booking_confirmed"))
    assert (before["sequence"], before["location"]) == (0, "Zoom Call")
    booking = bookings.update(booking=booking, join_url=LINK, now=NOW)
    assert booking.sequence == 1
    for address in (HOST, JOHN):
        found, former = entry(mail(address, KIND)), entry(mail(address, "booking_confirmed"))
        assert found == former | {"sequence": 1, "location": LINK}
    assert mail(JOHN, KIND)["subject"] == (
        "Link changed: 30 Minute Meeting with Alice Ames, Wed 4 Mar, 11:00"
    )
    assert sentence(JOHN, KIND) == (
        "30 Minute Meeting with Alice Ames has a new link to join."
        " The attached invitation updates your calendar."
    )
    assert f"\nJoin:\n{LINK}\n" in mail(JOHN, KIND)["text"]


def test_a_link_that_is_taken_away_leaves_the_entry(book: Book) -> None:
    booking = book(join_url=LINK)
    bookings.update(booking=booking, join_url="", now=NOW)
    assert entry(mail(JOHN, KIND))["location"] == "Zoom Call"
    assert sentence(HOST, KIND) == (
        "The link to join 30 Minute Meeting with John Doe was removed."
        " The attached invitation updates your calendar."
    )


def test_the_link_of_the_event_type_is_no_other_one(alice: User, book: Book) -> None:
    booking = book(factories.event_type(alice, slug="own", location_link=LINK))
    booking = bookings.update(booking=booking, join_url=LINK, notes="Tea?", now=NOW)
    assert (booking.sequence, rows(kind=KIND)) == (0, [])


def test_what_is_in_no_calendar_sends_none(alice: User, approved: EventType, book: Book) -> None:
    pending, cancelled, over = (
        book(approved),
        book(start=START + timedelta(days=1)),
        book(start=START + timedelta(days=2)),
    )
    cancelled = bookings.cancel(booking=cancelled, actor=bookings.host(alice), now=NOW)
    for booking, now in ((pending, NOW), (cancelled, NOW), (over, over.end)):
        changed = bookings.update(booking=booking, join_url=LINK, now=now)
        assert (changed.join_url, changed.sequence) == (LINK, booking.sequence)
    assert rows(kind=KIND) == []


def test_of_two_changes_that_wait_the_last_is_sent(booking: Booking) -> None:
    sent(NOW)
    for link in (LINK, OTHER):
        bookings.update(booking=booking, join_url=link, now=NOW)
    found = sent(NOW)
    assert [message.to for message in posted()] == [[HOST], [JOHN]]
    assert f"\nJoin:\n{OTHER}\n" in found[JOHN].body
    withdrawn = Notification.objects.filter(kind=KIND, state="withdrawn")
    assert set(withdrawn.values_list("last_error", flat=True)) == {"changed"}


def test_after_the_end_it_is_not_sent_any_more(booking: Booking) -> None:
    """The worker was away, and the sweep has not recorded yet that the booking is over."""
    bookings.update(booking=booking, join_url=LINK, now=NOW)
    sent(booking.end)
    late = Notification.objects.filter(kind=KIND).values_list("state", "last_error")
    assert set(late) == {("withdrawn", "changed")}


def test_a_link_changes_as_often_a_day_as_a_host_reschedules(
    settings: Settings, alice: User, booking: Booking
) -> None:
    settings.LIMITS = settings.LIMITS | {"reschedules_host": 2}
    api, url = factories.client(alice), f"/api/v1/events/{booking.pk}"

    def change(link: str) -> int:
        answer = api.patch(url, {"join_url": link}, content_type="application/json")
        return answer.status_code

    assert [change(LINK), change(OTHER), change(OTHER), change(LINK)] == [200, 200, 200, 429]
    booking.refresh_from_db()
    assert (booking.join_url, booking.sequence) == (OTHER, 2)

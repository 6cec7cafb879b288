"""Booking messages are written when they are sent: with what holds then, or not at all."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from core.db import outbox
from notifications.domain import kinds
from notifications.models import Notification, PushDevice
from scheduling.domain import bookings, erasure
from scheduling.domain.bookings import INVITEE
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests.outbox import content_of, posted, rows, sent
from tests.pages import NOW, START
from tests.scheduling.conftest import Book
from tests.scheduling.mailbox import HOST, JOHN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUARTER = 15 * MINUTE
REMINDER = "booking_reminder"


def ends(**which: Any) -> set[tuple[str, str]]:
    """Return the states and errors of these emails."""
    return {(row.state, row.last_error) for row in rows("email", **which)}


# --- what has changed since ---------------------------------------------------------------------


def change_host(booking: Booking, **columns: str) -> None:
    User.objects.filter(pk=booking.host_id).update(**columns)


def change_type(booking: Booking, **columns: str) -> None:
    EventType.objects.filter(pk=booking.event_type_id).update(**columns)


def change(booking: Booking, **columns: str) -> None:
    Booking.objects.filter(pk=booking.pk).update(**columns)


NEW = "new@example.com"


@pytest.mark.parametrize("at", [NOW, START - DAY, START - QUARTER], ids=["now", "day", "quarter"])
@pytest.mark.parametrize(
    ("act", "columns", "to", "says"),
    [
        (change_host, {"first_name": "Alicia"}, JOHN, "With:   Alicia Ames\n"),
        (change_host, {"timezone": "Asia/Tokyo"}, HOST, "7:00 PM – 7:30 PM\n        Asia/Tokyo"),
        (change_host, {"time_format": "HH:mm"}, HOST, ", 10:00 – 10:30\n        UTC"),
        (change_host, {"language": "de"}, HOST, "Wann:"),
        (change_host, {"email": NEW}, NEW, "With:   John Doe, "),
        (change, {"invitee_name": "Jo Roe"}, HOST, "With:   Jo Roe, john@example.com\n"),
        (change, {"invitee_email": NEW}, HOST, f"With:   John Doe, {NEW}\n"),
        (change, {"invitee_email": NEW}, NEW, "With:   Alice Ames\n"),
        (change, {"invitee_phone": "+49 30 12"}, HOST, "Phone:  +49 30 12\n"),
        (change, {"timezone": "Asia/Kathmandu"}, JOHN, "\n        Asia/Kathmandu\n"),
        (change, {"language": "fr"}, JOHN, "Bonjour,"),
        (change_type, {"name": "Tea"}, HOST, "What:   Tea\n"),
        (change_type, {"name": "Tea"}, JOHN, "What:   Tea\n"),
        (
            change_type,
            {"location": "custom", "location_custom": "https://meet.example/x"},
            JOHN,
            "Where:  https://meet.example/x\n",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_an_email_says_what_holds_when_it_is_sent(
    book: Book, act: Callable[..., None], columns: dict[str, str], to: str, says: str, at: datetime
) -> None:
    booking = book()
    if at > NOW:
        sent(NOW)
    if at > START - DAY:
        sent(START - DAY)
    act(booking, **columns)
    found = sent(at)
    assert len(found) == 2
    assert says in found[to].body


def test_a_push_message_says_what_holds_when_it_is_sent(alice: User, book: Book) -> None:
    PushDevice.objects.create(user=alice, token="phone", platform="ios")
    booking = book()
    change_host(booking, language="de")
    change(booking, invitee_name="Jo Roe")
    change_type(booking, name="Tea")
    told = {row.kind: content_of(row) for row in rows("push")}
    assert told["booking-created"]["title"] == "Neue Buchung"
    assert "Jo Roe" in told["booking-created"]["body"]
    assert "Tea" in told["booking-reminder"]["body"]


def test_a_link_leads_where_parley_is_when_it_is_sent(book: Book, settings: Any) -> None:
    booking = book()
    settings.PUBLIC_URL = "https://parley.example"
    link = links.manage_url(booking)
    assert link.startswith("https://parley.example/bookings/")
    assert link in sent(NOW)[JOHN].body


def test_what_the_change_was_stays_as_it_was(alice: User, book: Book) -> None:
    """Times, reason and who acted are those of the change, whatever came after it."""
    booking = book()
    host = bookings.host(alice)
    first, second = START + HOUR, START + 2 * HOUR
    bookings.reschedule(booking=booking, start=first, actor=host, now=NOW, reason="The train.")
    bookings.reschedule(booking=booking, start=second, actor=INVITEE, now=NOW)
    sent(NOW)
    *_created, moved, moved_again = [message.body for message in posted() if message.to == [JOHN]]
    assert (
        "Alice Ames rescheduled 30 Minute Meeting with you. It was on Wednesday, 4 March 2026,"
        " 11:00" in moved
    )
    assert "Reason: “The train.”" in moved
    assert "When:   Wednesday, 4 March 2026, 12:00 – 12:30\n        Europe/Berlin" in moved
    assert (
        "You rescheduled 30 Minute Meeting with Alice Ames. It was on Wednesday, 4 March 2026,"
        " 12:00" in (moved_again)
    )
    assert "When:   Wednesday, 4 March 2026, 13:00 – 13:30\n        Europe/Berlin" in moved_again


# --- what does not hold any more ----------------------------------------------------------------


def send_again(**which: Any) -> None:
    """Put these messages into the outbox again, as staff do."""
    assert outbox.requeue(Notification.objects.filter(**which), now=timezone.now())


def test_a_reminder_of_a_booking_that_was_moved_is_withdrawn(alice: User, book: Book) -> None:
    booking = book()
    old = [row.pk for row in rows("email", kind=REMINDER)]
    bookings.reschedule(booking=booking, start=START + HOUR, actor=bookings.host(alice), now=NOW)
    send_again(pk__in=old)
    sent(NOW)
    assert ends(pk__in=old) == {("withdrawn", "changed")}
    assert "starts in a day" in sent(START + HOUR - DAY)[JOHN].subject


def test_a_reminder_of_a_booking_that_was_cancelled_is_withdrawn(booking: Booking) -> None:
    bookings.cancel(booking=booking, actor=INVITEE, now=NOW)
    send_again(kind=REMINDER)
    sent(NOW)
    assert ends(kind=REMINDER) == {("withdrawn", "changed")}


def test_a_reminder_of_a_booking_that_has_begun_is_withdrawn(booking: Booking) -> None:
    sent(NOW)
    assert sent(START) == {}
    assert ends(kind=REMINDER) == {("withdrawn", "late")}


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (START - DAY, "in a day"),
        (START - DAY + MINUTE, "in a day"),
        (START - 4 * HOUR, "in 4 hours"),
        (START - QUARTER - MINUTE, "in 16 minutes"),
    ],
)
def test_after_an_outage_a_reminder_says_how_long_it_is_still(
    booking: Booking, at: datetime, says: str
) -> None:
    sent(NOW)
    found = sent(at)
    subject = f"30 Minute Meeting with Alice Ames starts {says}"
    assert found[JOHN].subject == f"{subject}, Wed 4 Mar, 11:00"
    assert f"\n{subject}.\n" in found[JOHN].body
    assert subject in str(found[JOHN].alternatives[0][0])


def test_after_an_outage_the_last_reminder_comes_alone(booking: Booking) -> None:
    sent(NOW)
    found = sent(START - QUARTER)
    assert len(posted()) == 2
    assert {message.subject.rpartition(" starts ")[2] for message in found.values()} == {
        "in 15 minutes, Wed 4 Mar, 10:00 AM",
        "in 15 minutes, Wed 4 Mar, 11:00",
    }
    assert ends(kind=REMINDER) == {("withdrawn", "late"), ("sent", "")}


def test_nobody_is_asked_for_what_is_answered(alice: User, approved: EventType, book: Book) -> None:
    booking = book(approved)
    bookings.confirm(booking=booking, actor=bookings.host(alice), now=NOW)
    found = sent(NOW)
    assert ends(kind="booking_requested", user=alice) == {("withdrawn", "changed")}
    assert found[HOST].subject == "Confirmed: Interview with John Doe, Wed 4 Mar, 10:00 AM"
    # The invitee hears of both.
    assert [message.subject for message in posted() if message.to == [JOHN]] == [
        "Request sent: Interview with Alice Ames, Wed 4 Mar, 11:00",
        "Confirmed: Interview with Alice Ames, Wed 4 Mar, 11:00",
    ]


def test_nobody_is_asked_for_what_has_expired(alice: User, approved: EventType, book: Book) -> None:
    book(approved)
    assert list(sent(START)) == [JOHN]
    assert ends(kind="booking_requested", user=alice) == {("withdrawn", "changed")}


def test_who_was_asked_and_is_asked_for_another_time_is_asked_once(
    alice: User, approved: EventType, book: Book
) -> None:
    booking = book(approved)
    booking = bookings.reschedule(booking=booking, start=START + HOUR, actor=INVITEE, now=NOW)
    found = sent(NOW)
    assert ends(kind="booking_requested", user=alice) == {("withdrawn", "changed")}
    assert found[HOST].subject == (
        "Please approve the new time: Interview with John Doe, Wed 4 Mar, 11:00 AM"
    )
    assert "The new time needs your approval." in found[HOST].body
    assert links.answer_url(booking) in found[HOST].body


def test_a_new_time_that_is_answered_is_told_and_not_asked_for(
    alice: User, approved: EventType, book: Book
) -> None:
    host = bookings.host(alice)
    booking = bookings.confirm(booking=book(approved), actor=host, now=NOW)
    sent(NOW)
    moved = bookings.reschedule(booking=booking, start=START + HOUR, actor=INVITEE, now=NOW)
    bookings.reject(booking=moved, actor=host, now=NOW)
    told = sent(NOW)[HOST]
    assert told.subject == "Rescheduled: Interview with John Doe, Wed 4 Mar, 11:00 AM"
    assert "approv" not in told.body.lower()
    assert "/bookings/answer/" not in f"{told.body}{told.alternatives}"
    # It still leaves the host's calendar.
    assert "METHOD:CANCEL" in str(told.alternatives[1][0])


def test_a_worker_that_claimed_before_an_erasure_gives_back_and_nothing_is_sent_twice(
    booking: Booking,
) -> None:
    with time_machine.travel(NOW, tick=False):
        claimed = outbox.claim(Notification.objects.filter(channel="email"), now=NOW, most=20)
        erasure.erase_invitee(booking=booking, now=NOW)
        late = kinds.write(claimed, now=NOW)
        assert {type(message) for message in late} == {kinds.Erased}
        # What it has sent already is settled, and not sent again.
        assert outbox.settle(claimed[:1], state=outbox.OutboxState.SENT, now=NOW) == 1
        assert outbox.give_back(claimed[1:]) == len(claimed) - 1
    found = sent(NOW)
    assert set(found) == {HOST, JOHN}
    assert found[HOST].subject == (
        "Cancelled: 30 Minute Meeting with John Doe, Wed 4 Mar, 10:00 AM"
    )


# --- whom an answer reaches ---------------------------------------------------------------------


def test_an_answer_reaches_the_other_party(book: Book) -> None:
    book()
    found = sent(NOW)
    assert found[HOST].reply_to == ["John Doe <john@example.com>"]
    assert found[JOHN].reply_to == ["Alice Ames <alice@example.com>"]


def test_an_answer_to_a_deactivated_host_is_not_asked_for(alice: User, book: Book) -> None:
    book()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    found = sent(NOW)
    assert list(found) == [JOHN]
    assert found[JOHN].reply_to == []


@pytest.mark.parametrize(
    ("name", "email", "header"),
    [
        ("Jo Roe", "jo@münchen.de", "Jo Roe <jo@xn--mnchen-3ya.de>"),
        ("Jürgen Roe", "jo@example.com", "=?utf-8?q?J=C3=BCrgen_Roe?= <jo@example.com>"),
        ('Roe, "Jo"', "jo@example.com", r'"Roe, \"Jo\"" <jo@example.com>'),
        (
            "Jo\r\nBcc: all@example.com",
            "jo@example.com",
            '"Jo Bcc: all@example.com" <jo@example.com>',
        ),
    ],
)
def test_a_name_and_an_address_of_any_form_are_one_header(
    book: Book, name: str, email: str, header: str
) -> None:
    book(name=name, email=email)
    assert str(sent(NOW)[HOST].message()["Reply-To"]) == header


def test_an_address_that_no_header_can_hold_costs_the_message_nothing(book: Book) -> None:
    """Such an address is refused now; rows from before may have one."""
    booking = book(name="Ünal, Ali")
    Booking.objects.filter(pk=booking.pk).update(invitee_email='""@c.co')
    message = sent(NOW)[HOST]
    assert message.message()["Reply-To"] is None
    assert "Ünal, Ali" in message.subject

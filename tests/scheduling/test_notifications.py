"""Booking notifications: recipients of emails and push messages, and calendar entries."""

from datetime import timedelta

import pytest

from accounts.models import User
from core.db.crypto import digest
from notifications.models import PushDevice
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE, Actor
from scheduling.messages import links
from scheduling.models import EventType
from scheduling.models.enums import Role
from tests import factories
from tests.outbox import rows
from tests.pages import NOW, START
from tests.scheduling.conftest import Book
from tests.scheduling.mailbox import (
    HOST,
    JOHN,
    changes_of,
    entry,
    mail,
    pushed,
    reminders,
    sentence,
    subjects,
    told,
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


PHONE = digest("phone")
REMINDED = sorted(
    [
        (HOST, "email", -DAY, "waiting"),
        (HOST, "email", -QUARTER, "waiting"),
        (JOHN, "email", -DAY, "waiting"),
        (JOHN, "email", -QUARTER, "waiting"),
        (PHONE, "push", -DAY, "waiting"),
        (PHONE, "push", -QUARTER, "waiting"),
    ]
)
NONE_LEFT = [(*reminder[:3], "withdrawn") for reminder in REMINDED]


# --- a booking that stands at once --------------------------------------------------------------


def test_both_get_the_booking_and_reminders_and_the_host_a_push_message(
    alice: User, book: Book
) -> None:
    book()
    assert subjects("booking_confirmed") == {
        HOST: "Confirmed: 30 Minute Meeting with John Doe, Wed 4 Mar, 5:00 AM",
        JOHN: "Confirmed: 30 Minute Meeting with Alice Ames, Wed 4 Mar, 11:00",
    }
    assert reminders() == REMINDED
    assert subjects("booking_reminder") == {
        HOST: "30 Minute Meeting with John Doe starts in 15 minutes, Wed 4 Mar, 5:00 AM",
        JOHN: "30 Minute Meeting with Alice Ames starts in 15 minutes, Wed 4 Mar, 11:00",
    }
    assert pushed() == [
        ("Reminder", "30 Minute Meeting with John Doe starts in a day."),
        ("Reminder", "30 Minute Meeting with John Doe starts in 15 minutes."),
        ("New booking", "John Doe booked 30 Minute Meeting."),
    ]


def test_both_get_the_entry_for_their_calendar(book: Book) -> None:
    booking = book(notes="Tea?")
    wanted = {
        "method": "REQUEST",
        "uid": f"{booking.uuid}@localhost",
        "sequence": 0,
        "status": "CONFIRMED",
        "location": "Zoom Call",
        "start": START,
        "end": START + timedelta(minutes=30),
        "organizer": "mailto:parley@localhost",
    }
    with_alice = (f"mailto:{HOST}", "Alice Ames", "ACCEPTED")
    assert entry(mail(HOST, "booking_confirmed")) == wanted | {
        "summary": "30 Minute Meeting: John Doe",
        "attendees": [with_alice, (f"mailto:{JOHN}", "John Doe", "ACCEPTED")],
    }
    assert entry(mail(JOHN, "booking_confirmed")) == wanted | {
        "summary": "30 Minute Meeting: Alice Ames",
        "attendees": [with_alice, (f"mailto:{JOHN}", JOHN, "ACCEPTED")],
    }


def test_reminders_that_would_come_too_late_are_left_out(
    alice: User, event_type: EventType
) -> None:
    soon = START - timedelta(hours=1)
    factories.booking(event_type, start=START, now=soon)
    assert [reminder[2] for reminder in reminders()] == [-QUARTER] * 3


def test_a_host_who_books_gets_no_push_message_about_it(alice: User, book: Book) -> None:
    booking = book(actor=bookings.host(alice))
    bookings.reschedule(booking=booking, start=LATER, actor=bookings.host(alice), now=NOW)
    bookings.cancel(booking=booking, actor=bookings.host(alice), now=NOW)
    assert {title for title, _body in pushed()} == {"Reminder"}


# --- a booking that the host must approve -------------------------------------------------------


def test_a_request_asks_the_host_and_tells_the_invitee(
    alice: User, approved: EventType, book: Book
) -> None:
    booking = book(approved)
    assert told() == [
        ("booking_requested", HOST, "waiting"),
        ("booking_requested", JOHN, "waiting"),
        ("booking-created", PHONE, "waiting"),
    ]
    assert subjects("booking_requested") == {
        HOST: "Please approve: Interview with John Doe, Wed 4 Mar, 5:00 AM",
        JOHN: "Request sent: Interview with Alice Ames, Wed 4 Mar, 11:00",
    }
    host, invitee = mail(HOST, "booking_requested"), mail(JOHN, "booking_requested")
    assert host["text"].endswith(
        f"\nApprove:\n{links.answer_url(booking)}?answer=confirm\n"
        f"\nDecline:\n{links.answer_url(booking)}?answer=reject\n"
        f"\nThe booking in Parley:\n{links.booking_url(booking)}\n"
    )
    assert invitee["text"].endswith(f"\nReschedule or cancel:\n{links.manage_url(booking)}\n")
    # It is in no calendar before it is approved.
    assert [sorted(content) for content in (host, invitee)] == [
        ["html", "reply_to", "subject", "text"]
    ] * 2


def test_approving_puts_it_into_both_calendars(
    alice: User, approved: EventType, book: Book
) -> None:
    booking = book(approved)
    bookings.confirm(booking=booking, actor=bookings.host(alice), now=NOW)
    assert [(kind, address) for kind, address, _state in told(3)] == [
        ("booking_confirmed", HOST),
        ("booking_reminder", HOST),
        ("booking-reminder", PHONE),
        ("booking_reminder", HOST),
        ("booking-reminder", PHONE),
        ("booking_confirmed", JOHN),
        ("booking_reminder", JOHN),
        ("booking_reminder", JOHN),
    ]
    assert reminders() == REMINDED
    for address in (HOST, JOHN):
        content = mail(address, "booking_confirmed")
        assert changes_of(content) == ("REQUEST", 1, "CONFIRMED")
    assert "/bookings/answer/" not in mail(HOST, "booking_confirmed")["text"]


def test_declining_tells_the_invitee_why(alice: User, approved: EventType, book: Book) -> None:
    booking = book(approved)
    bookings.reject(booking=booking, actor=bookings.host(alice), now=NOW, reason="Away.")
    assert told(3) == [("booking_rejected", JOHN, "waiting")]
    content = mail(JOHN, "booking_rejected")
    assert content["subject"] == "Declined: Interview with Alice Ames, Wed 4 Mar, 11:00"
    assert sentence(JOHN, "booking_rejected") == (
        "Alice Ames declined your request. They wrote: “Away.”"
    )
    assert content["text"].endswith(f"\nSee the booking:\n{links.manage_url(booking)}\n")
    assert "ics" not in content


def test_a_request_that_expires_is_told_to_both(
    alice: User, approved: EventType, book: Book
) -> None:
    bookings.record_overdue(booking=book(approved), now=START)
    assert told(3) == [
        ("booking_expired", HOST, "waiting"),
        ("booking_expired", JOHN, "waiting"),
    ]
    assert subjects("booking_expired") == {
        HOST: "Not answered in time: Interview with John Doe, Wed 4 Mar, 5:00 AM",
        JOHN: "Not answered in time: Interview with Alice Ames, Wed 4 Mar, 11:00",
    }
    assert "ics" not in mail(HOST, "booking_expired") | mail(JOHN, "booking_expired")


def test_nobody_is_told_that_it_has_taken_place(alice: User, book: Book) -> None:
    booking = book()
    before = len(rows())
    bookings.record_overdue(booking=booking, now=booking.end)
    assert told(before) == []


# --- moving it ----------------------------------------------------------------------------------


def test_moving_tells_both_what_it_was_and_moves_it_in_their_calendars(
    alice: User, book: Book
) -> None:
    booking = book()
    before = len(rows())
    bookings.reschedule(booking=booking, start=LATER, actor=INVITEE, now=NOW, reason="The train.")
    assert [(kind, address) for kind, address, _state in told(before)] == [
        ("booking_rescheduled", HOST),
        ("booking_reminder", HOST),
        ("booking-reminder", PHONE),
        ("booking_reminder", HOST),
        ("booking-reminder", PHONE),
        ("booking_rescheduled", JOHN),
        ("booking_reminder", JOHN),
        ("booking_reminder", JOHN),
        ("booking-rescheduled", PHONE),
    ]
    assert subjects("booking_rescheduled") == {
        HOST: "Rescheduled: 30 Minute Meeting with John Doe, Thu 5 Mar, 5:00 AM",
        JOHN: "Rescheduled: 30 Minute Meeting with Alice Ames, Thu 5 Mar, 11:00",
    }
    assert sentence(HOST, "booking_rescheduled") == (
        "John Doe rescheduled 30 Minute Meeting with you."
        " It was on Wednesday, 4 March 2026, 5:00 AM – 5:30 AM."
        " Reason: “The train.” The attached invitation updates your calendar."
    )
    assert sentence(JOHN, "booking_rescheduled") == (
        "You rescheduled 30 Minute Meeting with Alice Ames."
        " It was on Wednesday, 4 March 2026, 11:00 – 11:30."
        " The attached invitation updates your calendar."
    )
    for address in (HOST, JOHN):
        found = entry(mail(address, "booking_rescheduled"))
        assert (found["uid"], found["method"], found["sequence"], found["start"]) == (
            f"{booking.uuid}@localhost",
            "REQUEST",
            1,
            LATER,
        )
    assert pushed()[-1] == ("Booking rescheduled", "John Doe rescheduled 30 Minute Meeting.")


def test_an_event_type_has_reminders_of_its_own(alice: User, book: Book) -> None:
    book(factories.event_type(alice, slug="own", reminders=[120, 10]))
    assert {lead for _who, _how, lead, _state in reminders()} == {
        -timedelta(hours=2),
        -timedelta(minutes=10),
    }
    assert mail(JOHN, "booking_reminder")["subject"] == (
        "30 Minute Meeting with Alice Ames starts in 10 minutes, Wed 4 Mar, 11:00"
    )


def test_an_event_type_may_have_no_reminders(alice: User, book: Book) -> None:
    book(factories.event_type(alice, slug="own", reminders=[]))
    assert reminders() == []


def test_reminders_move_along(alice: User, book: Book) -> None:
    bookings.reschedule(booking=book(), start=LATER, actor=INVITEE, now=NOW)
    moved = [(who, how, lead + DAY, "waiting") for who, how, lead, _state in REMINDED]
    assert reminders() == sorted(NONE_LEFT + moved)


def test_reminders_tell_of_a_booking_as_it_is_when_its_notes_change(
    alice: User, book: Book
) -> None:
    bookings.update(booking=book(), notes="Bring the plans.", now=NOW)
    assert reminders() == sorted(REMINDED)
    assert "Bring the plans." in mail(HOST, "booking_reminder")["text"]


def test_what_must_be_approved_anew_leaves_the_calendars(
    alice: User, approved: EventType, book: Book
) -> None:
    booking = bookings.confirm(booking=book(approved), actor=bookings.host(alice), now=NOW)
    before = len(rows())
    booking = bookings.reschedule(booking=booking, start=LATER, actor=INVITEE, now=NOW)
    assert told(before) == [
        ("booking_rescheduled", HOST, "waiting"),
        ("booking_rescheduled", JOHN, "waiting"),
        ("booking-rescheduled", PHONE, "waiting"),
    ]
    assert subjects("booking_rescheduled") == {
        HOST: "Please approve the new time: Interview with John Doe, Thu 5 Mar, 5:00 AM",
        JOHN: "Rescheduled: Interview with Alice Ames, Thu 5 Mar, 11:00",
    }
    for address in (HOST, JOHN):
        content = mail(address, "booking_rescheduled")
        assert changes_of(content) == ("CANCEL", 2, "CANCELLED")
    of_host, of_john = (sentence(address, "booking_rescheduled") for address in (HOST, JOHN))
    assert "The new time needs your approval. John Doe gave up" in of_host
    assert (
        "Alice Ames has to approve the new time; you get another email then. Your earlier time"
        in of_john
    )
    assert links.answer_url(booking) in mail(HOST, "booking_rescheduled")["text"]
    assert reminders() == NONE_LEFT

    bookings.confirm(booking=booking, actor=bookings.host(alice), now=NOW)
    assert changes_of(mail(JOHN, "booking_confirmed")) == ("REQUEST", 3, "CONFIRMED")


def test_moving_a_request_touches_no_calendar(alice: User, approved: EventType, book: Book) -> None:
    bookings.reschedule(booking=book(approved), start=LATER, actor=bookings.host(alice), now=NOW)
    assert "ics" not in mail(HOST, "booking_rescheduled") | mail(JOHN, "booking_rescheduled")
    assert reminders() == []


def test_a_host_who_moves_a_request_is_not_asked_to_approve_it_as_if_another_had(
    alice: User, approved: EventType, book: Book
) -> None:
    bookings.reschedule(booking=book(approved), start=LATER, actor=bookings.host(alice), now=NOW)
    assert subjects("booking_rescheduled") == {
        HOST: "Rescheduled: Interview with John Doe, Thu 5 Mar, 5:00 AM",
        JOHN: "Rescheduled: Interview with Alice Ames, Thu 5 Mar, 11:00",
    }
    said = sentence(HOST, "booking_rescheduled")
    assert said.startswith("You rescheduled Interview with John Doe. It was on ")
    assert said.endswith("It still needs your approval.")


# --- cancelling it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (
            Role.INVITEE,
            {
                HOST: "John Doe cancelled 30 Minute Meeting with you. Reason: “Flu.”",
                JOHN: "You cancelled 30 Minute Meeting with Alice Ames.",
            },
        ),
        (
            Role.HOST,
            {
                HOST: "You cancelled 30 Minute Meeting with John Doe. Reason: “Flu.”",
                JOHN: "Alice Ames cancelled 30 Minute Meeting with you. Reason: “Flu.”",
            },
        ),
        (
            Role.STAFF,
            {
                HOST: "The organisers cancelled 30 Minute Meeting with John Doe. Reason: “Flu.”",
                JOHN: "The organisers cancelled 30 Minute Meeting with Alice Ames. Reason: “Flu.”",
            },
        ),
    ],
)
def test_cancelling_tells_both_and_takes_it_out_of_their_calendars(
    alice: User, book: Book, by: Role, says: dict[str, str]
) -> None:
    booking = book()
    before = len(rows())
    user = None if by is Role.INVITEE else alice
    bookings.cancel(booking=booking, actor=Actor(by, user), now=NOW, reason="Flu.")
    push = [("booking-cancelled", PHONE, "waiting")] if by is not Role.HOST else []
    assert told(before) == [
        ("booking_cancelled", HOST, "waiting"),
        ("booking_cancelled", JOHN, "waiting"),
        *push,
    ]
    assert subjects("booking_cancelled") == {
        HOST: "Cancelled: 30 Minute Meeting with John Doe, Wed 4 Mar, 5:00 AM",
        JOHN: "Cancelled: 30 Minute Meeting with Alice Ames, Wed 4 Mar, 11:00",
    }
    assert {address: sentence(address, "booking_cancelled") for address in says} == says
    for address in (HOST, JOHN):
        found = entry(mail(address, "booking_cancelled"))
        assert found["uid"] == f"{booking.uuid}@localhost"
        assert changes_of(mail(address, "booking_cancelled")) == ("CANCEL", 1, "CANCELLED")
    assert reminders() == NONE_LEFT


def test_taking_a_request_back_touches_no_calendar(approved: EventType, book: Book) -> None:
    bookings.cancel(booking=book(approved), actor=INVITEE, now=NOW)
    assert "ics" not in mail(HOST, "booking_cancelled") | mail(JOHN, "booking_cancelled")


def test_reminders_of_other_bookings_stay(alice: User, book: Book) -> None:
    one, _other = book(), book(start=LATER)
    bookings.cancel(booking=one, actor=INVITEE, now=NOW)
    states = [state for _who, _how, _lead, state in reminders()]
    assert sorted(states) == ["waiting"] * 6 + ["withdrawn"] * 6

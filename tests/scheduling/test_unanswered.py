"""Reminders of requests that nobody has answered, a day before they expire."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine

from accounts.models import User
from meetings.domain import services
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE
from scheduling.models import Booking, EventType
from tests import factories, outbox
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

DAY = timedelta(days=1)
KINDS = ("booking_unanswered", "booking-unanswered", "meeting_unanswered", "meeting-unanswered")


def reminders() -> list[tuple[str, datetime, str, str]]:
    rows = Notification.objects.filter(kind__in=KINDS).order_by("pk")
    return list(rows.values_list("kind", "due_at", "state", "last_error"))


def send(at: datetime) -> list[tuple[str, str, str]]:
    """Send all that is due by then. Return kind, state and error of the reminders by email."""
    with time_machine.travel(at, tick=False):
        outbox.send()
    return [(kind, state, error) for kind, _due, state, error in reminders() if "_" in kind]


def test_the_host_is_reminded_a_day_before_the_start(approved: EventType, book: Book) -> None:
    book(approved)
    assert reminders() == [
        ("booking_unanswered", START - DAY, "waiting", ""),
        ("booking-unanswered", START - DAY, "waiting", ""),
    ]
    assert send(START - DAY) == [("booking_unanswered", "sent", "")]
    content = outbox.content_of(Notification.objects.get(kind="booking_unanswered"))
    assert content["subject"] == "Not answered yet: Interview with John Doe, Wed 4 Mar, 10:00 AM"
    assert "The request expires when the meeting would start, in a day." in content["text"]
    assert "/bookings/answer/" in content["text"]


def confirm(booking: Booking, alice: User) -> None:
    bookings.confirm(booking=booking, actor=bookings.host(alice), now=NOW)


def move_and_confirm(booking: Booking, alice: User) -> None:
    bookings.reschedule(booking=booking, start=START + DAY, actor=INVITEE, now=NOW)
    confirm(booking, alice)


@pytest.mark.parametrize("act", [confirm, move_and_confirm])
def test_who_has_answered_is_not_reminded(
    alice: User, approved: EventType, book: Book, act: Callable[[Booking, User], None]
) -> None:
    act(book(approved), alice)
    assert not [each for each in send(START - DAY) if each[1] == "sent"]
    assert not [each for each in send(START) if each[1] == "sent"]


def test_another_time_has_another_reminder(approved: EventType, book: Book) -> None:
    bookings.reschedule(booking=book(approved), start=START + DAY, actor=INVITEE, now=NOW)
    assert [each[:3] for each in reminders() if "_" in each[0]] == [
        ("booking_unanswered", START - DAY, "withdrawn"),
        ("booking_unanswered", START, "waiting"),
    ]


def test_a_request_for_tomorrow_has_none(alice: User, approved: EventType) -> None:
    factories.booking(approved, start=START, now=START - DAY)
    assert reminders() == []


def test_the_recipient_of_a_meeting_request_is_reminded(alice: User, bob: User) -> None:
    team = factories.team("Founders", alice, bob)
    ask = {"requester": alice, "team_id": team.pk, "recipient_id": bob.pk, "link": ""}
    date = f"{START:%Y-%m-%dT%H:%M}Z"
    waits = services.request_meeting(**ask, date=date, now=NOW)  # type: ignore[arg-type]
    answered = services.request_meeting(**ask, date=date, now=NOW)  # type: ignore[arg-type]
    services.reject(meeting=answered, actor=bob, now=NOW)
    assert send(START - DAY) == [
        ("meeting_unanswered", "sent", ""),
        ("meeting_unanswered", "withdrawn", "changed"),
    ]
    content = outbox.content_of(Notification.objects.filter(kind="meeting_unanswered")[1])
    assert content["subject"] == (
        "Not answered yet: a meeting with Alice Ames, Wed 4 Mar, 10:00 AM"
    )
    assert waits.status == "pending"

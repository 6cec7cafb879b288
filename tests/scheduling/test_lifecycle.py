"""The door that bookings and meeting requests share."""

from datetime import timedelta

import pytest

from accounts.models import User
from core.errors import InvalidTransition
from scheduling.domain import bookings, lifecycle
from scheduling.models import Booking, EventType
from scheduling.models.enums import Status
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LATER = START + timedelta(days=1)


def test_a_booking_that_is_moved_while_the_sweep_waits_does_not_expire(
    book: Book, approved: EventType
) -> None:
    seen_by_sweep = book(approved)
    bookings.reschedule(booking=seen_by_sweep, start=LATER, actor=bookings.INVITEE, now=NOW)
    with pytest.raises(InvalidTransition):
        bookings.record_overdue(booking=seen_by_sweep, now=START)
    assert Booking.objects.get().status == Status.PENDING


def test_a_row_that_was_changed_meanwhile_is_skipped_and_not_counted(
    book: Book, alice: User
) -> None:
    kept, gone = book(), book(start=LATER)
    bookings.cancel(booking=gone, actor=bookings.INVITEE, now=NOW)
    count = lifecycle.move_each(
        [gone, kept],
        lambda row: bookings.cancel(booking=row, actor=bookings.host(alice), now=NOW),
    )
    assert count == 1
    assert set(Booking.objects.values_list("status", flat=True)) == {Status.CANCELLED}


def test_a_booking_is_in_one_status_at_a_time_in_sql_as_in_python(
    book: Book, approved: EventType
) -> None:
    book(approved)
    book(start=LATER)
    for now in (NOW, START, LATER, LATER + timedelta(days=1)):
        for booking in Booking.objects.all():
            found = [
                status
                for status in Status
                if Booking.objects.in_status(status, now).filter(pk=booking.pk).exists()
            ]
            assert found == [booking.status_at(now)]
            is_overdue = Booking.objects.overdue(now).filter(pk=booking.pk).exists()
            assert is_overdue == (booking.status_at(now) != booking.status)

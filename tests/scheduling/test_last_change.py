"""Newest change of a booking: who made it, why, and the time before the last reschedule."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from scheduling.models.enums import Role
from tests import factories
from tests.pages import NOW, START
from tests.scheduling.calls import call, data
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LATER = NOW + timedelta(minutes=5)
MIGRATION = "0002_links_metadata_and_last_change"


def shown(booking: Booking) -> Any:
    return data(call(factories.client(booking.host), "GET", f"/events/{booking.pk}"))


CHANGES: dict[str, Callable[[Booking], Booking]] = {
    "confirmed by host": lambda booking: bookings.confirm(
        booking=booking, actor=bookings.host(booking.host), now=LATER
    ),
    "rejected by host": lambda booking: bookings.reject(
        booking=booking, actor=bookings.host(booking.host), now=LATER, reason="Ill."
    ),
    "cancelled by invitee": lambda booking: bookings.cancel(
        booking=booking, actor=bookings.INVITEE, now=LATER, reason="Flu."
    ),
    "cancelled by staff": lambda booking: bookings.cancel(
        booking=booking, actor=bookings.Actor(Role.STAFF, booking.host), now=LATER
    ),
    "rescheduled by invitee": lambda booking: bookings.reschedule(
        booking=booking, start=START.replace(hour=14), actor=bookings.INVITEE, now=LATER
    ),
    "expired by clock": lambda booking: bookings.record_overdue(booking=booking, now=START),
}


@pytest.mark.parametrize("said", CHANGES)
def test_the_newest_change_says_who_made_it_and_why(
    book: Book, approved: EventType, said: str
) -> None:
    booking = book(approved)
    CHANGES[said](booking)
    entry = booking.history.latest("sequence")
    found = shown(booking)["last_change"]
    assert f"{found['change']} by {found['by']}" == said
    assert (found["reason"], found["at"]) == (entry.reason, f"{entry.at:%Y-%m-%dT%H:%M:%SZ}")


def test_the_time_before_the_last_move_stays(book: Book, approved: EventType, alice: User) -> None:
    booking = book(approved)
    assert shown(booking)["previous"] is None
    for hour in (12, 14):
        start = START.replace(hour=hour)
        bookings.reschedule(booking=booking, start=start, actor=bookings.INVITEE, now=LATER)
    before = {"start_time": "2026-03-04T12:00:00Z", "end_time": "2026-03-04T12:30:00Z"}
    assert shown(booking)["previous"] == before
    bookings.confirm(booking=booking, actor=bookings.host(alice), now=LATER)
    assert shown(booking)["previous"] == before


def test_a_change_of_its_details_is_no_change_of_its_history(booking: Booking) -> None:
    bookings.update(booking=booking, now=LATER, notes="Other words")
    found = shown(booking)
    assert (found["updated_at"], found["last_change"]["at"]) == (
        "2026-03-02T09:05:00Z",
        "2026-03-02T09:00:00Z",
    )


def test_bookings_of_an_earlier_version_get_both_from_their_history(
    book: Book, approved: EventType, alice: User
) -> None:
    kept = book(start=START.replace(hour=9))
    moved = book(approved)
    for hour in (12, 14):
        start = START.replace(hour=hour)
        bookings.reschedule(booking=moved, start=start, actor=bookings.INVITEE, now=LATER)
    bookings.reject(booking=moved, actor=bookings.host(alice), now=LATER, reason="Ill.")
    before = list(Booking.objects.order_by("pk").values())
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    Booking.objects.update(
        last_change="created",
        last_by="invitee",
        last_reason="",
        last_at=long_ago,
        previous_start=None,
        previous_end=None,
    )
    migrate = import_module(f"scheduling.migrations.{MIGRATION}").keep_last_changes
    state = MigrationExecutor(connection).loader.project_state([("scheduling", MIGRATION)])
    migrate(state.apps, SimpleNamespace(connection=connection))
    assert list(Booking.objects.order_by("pk").values()) == before
    assert {kept.pk, moved.pk} == {row["id"] for row in before}

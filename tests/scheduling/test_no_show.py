"""A host notes that an invitee did not come: by the API and on the booking's page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, stand_alone, words
from tests.scheduling.calls import call, conflict, data, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.django_db

DURING, AFTER = START + timedelta(minutes=5), START + timedelta(days=1)


@pytest.fixture(autouse=True)
def clock(settings: Settings) -> Iterator[time_machine.Traveller]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def mark(api: Client, booking: Booking, no_show: Any = True) -> Any:
    return call(api, "POST", f"/events/{booking.uuid}/no-show", {"no_show": no_show})


@pytest.mark.parametrize("at", [START, DURING, AFTER])
def test_it_is_marked_once_it_has_begun_and_unmarked(
    alice: User, booking: Booking, clock: time_machine.Traveller, at: Any
) -> None:
    api, mails = factories.client(alice), Notification.objects.count()
    clock.move_to(at)
    shown = data(mark(api, booking))
    assert (shown["no_show"], shown["sequence"]) == (True, 0)
    assert shown["updated_at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"
    clock.shift(60)
    assert data(mark(api, booking)) == shown
    assert data(mark(api, booking, no_show=False))["no_show"] is False
    assert data(call(api, "GET", "/events"))[0]["no_show"] is False
    assert (booking.history.count(), Notification.objects.count()) == (1, mails)


def test_what_is_to_come_or_off_is_a_conflict(
    alice: User, approved: EventType, book: Book, clock: time_machine.Traveller
) -> None:
    api = factories.client(alice)
    to_come, later = book(), START + timedelta(hours=1)
    off, pending = book(start=later), book(of=approved, start=later + timedelta(hours=1))
    bookings.cancel(booking=off, actor=bookings.INVITEE, now=NOW)
    said = "Only a confirmed event that has begun can be marked as a no-show."
    assert conflict(mark(api, to_come)) == (said, "confirmed")
    clock.move_to(AFTER)
    assert conflict(mark(api, off)) == (said, "cancelled")
    assert conflict(mark(api, pending)) == (said, "expired")


@pytest.mark.parametrize("value", [None, "true", 1])
def test_another_value_is_refused(alice: User, booking: Booking, value: Any) -> None:
    [(field, _message)] = wrong(mark(factories.client(alice), booking, value))
    assert field == "no_show"


def test_it_is_marked_on_the_page_and_shown_in_the_list(
    client: Client, booking: Booking, clock: time_machine.Traveller
) -> None:
    client.force_login(booking.host)
    page = f"/bookings/{booking.pk}"
    assert "Mark as no-show" not in words(client.get(page))
    client.post(f"{page}/no-show", {"no_show": "1"})
    assert not Booking.objects.exclude(no_show_at=None).exists()
    clock.move_to(AFTER)
    assert "Mark as no-show" in words(client.get(page))
    marked = client.post(f"{page}/no-show", {"no_show": "1"}, follow=True)
    assert "Noted: John Doe did not come." in marked.content.decode()
    assert "Completed No-show" in words(marked)
    assert "No-show" in words(client.get("/bookings?tab=completed"))
    assert "came." in client.post(f"{page}/no-show", {"no_show": "0"}, follow=True).content.decode()
    assert not Booking.objects.exclude(no_show_at=None).exists()


def test_the_invitee_does_not_see_it(
    client: Client, booking: Booking, clock: time_machine.Traveller
) -> None:
    clock.move_to(AFTER)
    bookings.mark_no_show(booking=booking, no_show=True, now=AFTER)
    assert "No-show" not in words(client.get(f"/bookings/manage/{links.manage_token(booking)}"))


def test_another_can_be_booked_at_once(client: Client, booking: Booking) -> None:
    page = client.get(f"/bookings/booked/{links.manage_token(booking)}")
    assert '<a class="button" href="/alice/30-minute-meeting">Book another</a>' in (
        page.content.decode()
    )

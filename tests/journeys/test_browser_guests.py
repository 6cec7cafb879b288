"""Bookings with guests, another one after it, and one that a host makes for somebody."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from notifications.models import Notification
from scheduling.domain import services
from scheduling.domain.services import DayChange
from scheduling.models import Booking, EventType, Guest
from tests import factories
from tests.journeys.browser import Enter, Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

EVERY_DAY: dict[str, DayChange] = {
    str(day): {"enabled": True, "start": "00:00", "end": "24:00"} for day in range(1, 8)
}


@pytest.fixture(params=["desk", "phone"])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def _open(alice: User) -> None:
    services.set_hours(user=alice, timezone="UTC", days=EVERY_DAY)
    factories.event_type(alice)


@pytest.mark.usefixtures("_open")
def test_an_invitee_brings_two_people_and_books_another(visit: Visit, size: str) -> None:
    start = int((timezone.now() + timedelta(days=2)).replace(minute=0, second=0).timestamp())
    visitor = visit(f"/alice/30-minute-meeting?start={start}&zone=UTC", size)
    page = visitor.page
    page.get_by_label("Your name").fill("Jo")
    page.get_by_label("Email", exact=True).fill("jo@example.com")
    page.get_by_label("Additional guests").fill("mary@example.com\npeter")
    page.get_by_role("button", name="Confirm booking").click()
    expect(page.get_by_text("“peter” is not an email address.")).to_be_visible()
    visitor.look("guests-refused")
    page.get_by_label("Additional guests").fill("mary@example.com\npeter@example.com")
    page.get_by_role("button", name="Confirm booking").click()
    expect(page.get_by_text("peter@example.com")).to_be_visible()
    visitor.look("guests-booked")
    assert Guest.objects.count() == 2
    page.get_by_role("link", name="Book another").click()
    expect(page).to_have_url(re.compile("/alice/30-minute-meeting$"))
    expect(page.get_by_role("heading", name="Choose a day and a time")).to_be_visible()


@pytest.mark.usefixtures("_open")
def test_a_host_books_for_somebody_and_notes_a_no_show(enter: Enter, alice: User) -> None:
    """From the list it takes five clicks: the menu, the entry, a day, a time, and the button."""
    visitor = enter(alice, "/event-types")
    page = visitor.page
    page.locator("summary", has_text="More for 30 Minute Meeting").click()
    page.get_by_role("link", name="Book for somebody").click()
    expect(page.get_by_role("heading", name="Choose a day and a time")).to_be_visible()
    page.locator(".picker button[name=day]").last.click()
    page.locator(".picker button[name=start]").last.click()
    expect(page.get_by_role("heading", name="Invitee's details")).to_be_visible()
    visitor.look("behalf-form")
    page.get_by_label("Invitee's name").fill("Jo")
    page.get_by_label("Invitee's email").fill("jo@example.com")
    page.get_by_role("button", name="Confirm booking").click()
    expect(page.get_by_text("Booked: Jo gets an email.")).to_be_visible()
    booking = Booking.objects.get()
    expect(page.get_by_role("button", name="Mark as no-show")).to_have_count(0)
    now = timezone.now()
    Booking.objects.update(start=now - timedelta(minutes=5), end=now + timedelta(minutes=25))
    page.goto(f"/bookings/{booking.pk}")
    page.get_by_role("button", name="Mark as no-show").click()
    expect(page.get_by_text("Noted: Jo did not come.")).to_be_visible()
    visitor.look("no-show")
    page.get_by_role("button", name="Undo no-show").click()
    expect(page.get_by_text("Noted: Jo came.")).to_be_visible()


@pytest.mark.usefixtures("_open")
def test_an_invitee_confirms_the_address_first(visit: Visit, size: str) -> None:
    """One click more than without: the button behind the link."""
    EventType.objects.update(confirm_email=True)
    start = int((timezone.now() + timedelta(days=2)).replace(minute=0, second=0).timestamp())
    visitor = visit(f"/alice/30-minute-meeting?start={start}&zone=UTC", size)
    page = visitor.page
    page.get_by_label("Your name").fill("Jo")
    page.get_by_label("Email", exact=True).fill("jo@example.com")
    page.get_by_role("button", name="Confirm by email").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    visitor.look("hold-placed")
    token = json.loads(Notification.objects.get(kind="hold_confirm").content)["token"]
    page.goto(f"/bookings/confirm/{token}")
    visitor.look("hold-confirm")
    page.get_by_role("button", name="Confirm booking").click()
    expect(page.get_by_role("heading", name="Booking confirmed")).to_be_visible()
    assert Booking.objects.get().invitee_email == "jo@example.com"

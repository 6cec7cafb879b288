"""Pages behind email links, and error pages, in Chromium: no accessibility faults."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from notifications.models import Notification
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories, wire
from tests.journeys.browser import Visit
from tests.outbox import content_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

Book = Callable[[EventType], Booking]


@pytest.fixture
def size() -> str:
    """Return the phone, on which people follow links in emails."""
    return "phone"


@pytest.fixture
def book(alice: User) -> Book:
    """Return a function that books Alice for John, at ten on the Monday of the week after next."""
    now = timezone.now()
    day = now.date() + timedelta(days=14 - now.weekday())

    def book(event_type: EventType) -> Booking:
        start = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
        return factories.booking(event_type, start=start, now=now, notes="I am\nlate.")

    return book


def path(link: str) -> str:
    """Return the path of a link, without its host."""
    return urlsplit(link).path


def mailed(kind: str) -> str:
    """Return the path of the link in the one email of this kind."""
    content = content_of(Notification.objects.get(kind=kind))
    (link,) = wire.links_in(content["text"])
    return path(link)


def test_an_invitee_moves_and_cancels(visit: Visit, alice: User, book: Book, size: str) -> None:
    visitor = visit(path(links.manage_url(book(factories.event_type(alice)))), size)
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_have_text("30 Minute Meeting with Alice Ames")
    visitor.look("manage")

    month = page.locator("#month")
    shown = month.inner_text()
    page.locator(".turn").last.click()
    expect(month).not_to_have_text(shown)
    page.locator("button.slot").last.click()
    expect(page.get_by_role("button", name="Reschedule to")).to_be_visible()
    page.get_by_label("Notes for Alice").last.fill("My train is late.")
    visitor.look("manage-moving")
    page.get_by_role("button", name="Reschedule to").click()
    expect(page.get_by_role("status")).to_be_visible()
    visitor.look("manage-moved")

    page.locator("summary", has_text="Cancel the booking").click()
    visitor.look("manage-cancelling")
    page.get_by_role("button", name="Cancel the booking").click()
    expect(page.get_by_role("main")).to_contain_text("You cancelled this booking.")
    visitor.look("manage-cancelled")
    changes = Booking.objects.get().history.order_by("sequence").values_list("change", "reason")
    assert list(changes) == [
        ("created", ""),
        ("rescheduled", "My train is late."),
        ("cancelled", ""),
    ]


def test_a_host_approves_by_the_link(visit: Visit, alice: User, book: Book, size: str) -> None:
    booking = book(factories.event_type(alice, requires_approval=True))
    waiting = visit(path(links.manage_url(booking)), size)
    waiting.look("manage-waits")
    visitor = visit(path(links.answer_url(booking)), size)
    page = visitor.page
    page.locator("summary", has_text="Decline").click()
    visitor.look("approve")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("main")).to_contain_text("This booking is confirmed.")
    visitor.look("approved")
    waiting.page.reload()
    expect(waiting.page.get_by_role("main")).to_contain_text("Confirmed")


def test_a_new_password(visit: Visit, alice: User, size: str) -> None:
    visitor = visit("/accounts/login/", size)
    page = visitor.page
    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password", exact=True).fill("not-hers")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("main")).to_contain_text("not correct")
    visitor.look("login-refused")

    page.get_by_role("link", name="Forgot").click()
    visitor.look("password-forgotten")
    page.get_by_label("Email").fill(alice.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")
    visitor.look("password-mailed")

    page.goto(mailed("password_reset_key"))
    new = page.get_by_label("New password", exact=True)
    again = page.get_by_label("Confirm new password", exact=True)
    new.fill("123")
    again.fill("123")
    visitor.look("password-new")
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_role("main")).to_contain_text("too short")
    visitor.look("password-new-refused")
    new.fill("battery-staple-horse")
    again.fill("battery-staple-horse")
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_role("status")).to_be_visible()
    visitor.look("password-changed")
    page.goto("/accounts/login/")
    visitor.sign_in(alice, "battery-staple-horse")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alice")


def test_an_address_is_confirmed(visit: Visit, db: None, size: str) -> None:
    visitor = visit("/accounts/signup/", size)
    page = visitor.page
    page.get_by_label("First name").fill("Dora")
    page.get_by_label("Email").fill("dora@example.com")
    page.get_by_label("Password", exact=True).fill("dora")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("Password", exact=True)).to_have_accessible_description(
        re.compile("too short")
    )
    visitor.look("signup-refused")
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")

    link = mailed("email_confirmation_signup")
    page.goto(link)
    expect(page.get_by_role("status")).to_be_visible()
    page.goto(link)
    visitor.look("address-confirmed")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/nowhere/at/all", "Page not found"),
        ("/meetings/answer/broken", "This link does not work"),
        ("/bookings/manage/broken", "This link does not work"),
    ],
)
def test_nothing_there(visit: Visit, db: None, address: str, says: str) -> None:
    visitor = visit(address, "phone")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(says)
    visitor.look("nothing" + address.replace("/", "-"))
    (complaint,) = visitor.complaints
    assert "404" in complaint
    visitor.complaints.clear()

"""Booking by an invitee on the public pages, in Chromium: mouse, keyboard, no scripts."""

import re
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from scheduling.domain import bookings, services
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.journeys.browser import Visit, Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

OFFER = "/alice/advice"


@pytest.fixture
def size() -> str:
    """Return the phone, on which strangers book."""
    return "phone"


@pytest.fixture
def offer(alice: User) -> EventType:
    """Return an hour with Alice, who works in New York and must approve it."""
    alice.timezone = "America/New_York"
    alice.save()
    services.set_hours(
        user=alice,
        timezone="America/New_York",
        days={str(day): {"enabled": True, "start": "09:00", "end": "17:00"} for day in range(1, 8)},
    )
    return factories.event_type(
        alice,
        name="Advice",
        duration=60,
        price="50.00",
        requires_approval=True,
        description="An hour about anything.",
        custom_fields=[
            {
                "name": "topic",
                "label": "What about?",
                "type": "text",
                "required": True,
                "options": [],
            },
            {
                "name": "size",
                "label": "How many of you?",
                "type": "select",
                "required": False,
                "options": ["one", "more"],
            },
            {
                "name": "first",
                "label": "First time here",
                "type": "boolean",
                "required": False,
                "options": [],
            },
        ],
    )


def test_choosing_a_day_a_zone_and_a_time(visit: Visit, offer: EventType, size: str) -> None:
    visitor = visit("/alice", size, zone="Asia/Tokyo")
    page = visitor.page
    visitor.look("host")
    page.get_by_role("link", name="Advice").click()
    # The browser knows where it is, and how times are written there.
    expect(page.get_by_label("Your time zone")).to_have_value("Tokyo")
    expect(page.get_by_text("there now (UTC+9)")).to_be_visible()
    visitor.look("times")

    page.locator("button.month-day").last.click()
    chosen = page.locator("button.month-day[aria-pressed=true]")
    expect(chosen).to_be_focused()
    spoken = page.locator("[data-said]")
    expect(spoken).to_contain_text(" open")
    page.get_by_role("button", name="24 h").click()
    expect(page.locator("button.slot").first).to_have_text(re.compile(r"^\d\d:\d\d$"))
    page.get_by_label("Your time zone").fill("lisbon")
    page.get_by_label("Your time zone").press("Enter")
    expect(page.get_by_label("Your time zone")).to_have_value("Lisbon")
    page.get_by_label("Your time zone").fill("Atlantis")
    page.get_by_label("Your time zone").press("Enter")
    expect(page.get_by_text("There is no time zone “Atlantis”.")).to_be_visible()
    visitor.look("times-no-such-zone")
    page.go_back()
    expect(page.get_by_label("Your time zone")).to_have_value("Lisbon")

    page.locator("button.slot").first.click()
    expect(page.get_by_role("heading", name="Your details")).to_be_focused()
    expect(spoken).to_contain_text("Lisbon")
    expect(page.get_by_role("link", name="Change the time")).to_have_attribute(
        "href", re.compile("zone=Europe%2FLisbon&hours=24")
    )


def test_on_a_phone_the_times_come_into_view_after_the_tap(
    visit: Visit, offer: EventType, size: str
) -> None:
    EventType.objects.update(description="An hour about anything. " * 12)
    page = visit(f"{OFFER}?zone=Asia/Tokyo&hours=24", size).page
    text = page.locator(".fold-text")
    lines = "text => Math.round(text.clientHeight / parseFloat(getComputedStyle(text).lineHeight))"
    assert text.evaluate(lines) == 2
    page.locator(".turn").last.click()
    expect(page.locator(".turn-back")).to_be_visible()
    page.locator("button.month-day").first.tap()
    heading = page.locator(".times h3")
    expect(page.locator("button.slot").first).to_be_in_viewport()
    assert heading.evaluate("day => day.getBoundingClientRect().top >= 0")
    # The day stays in sight above the last of its times.
    page.locator("button.slot").last.scroll_into_view_if_needed()
    expect(heading).to_be_in_viewport()
    page.get_by_role("button", name="Show all").click()
    assert text.evaluate(lines) > 2
    expect(page.get_by_role("button", name="Show all")).to_be_hidden()


def test_on_a_desk_nothing_is_folded_and_nothing_moves(visit: Visit, offer: EventType) -> None:
    EventType.objects.update(description="An hour about anything. " * 12)
    page = visit(f"{OFFER}?zone=Asia/Tokyo&hours=24").page
    assert page.locator(".fold-text").evaluate("text => text.scrollHeight === text.clientHeight")
    expect(page.get_by_role("button", name="Show all")).to_be_hidden()
    last = page.locator("button.month-day").last
    last.click()
    expect(page.locator("button.month-day[aria-pressed=true]")).to_have_attribute(
        "value", str(last.get_attribute("value"))
    )
    assert page.evaluate("scrollY") == 0


def test_from_a_stranger_to_a_booking_that_is_moved_and_cancelled(
    visit: Visit, offer: EventType, size: str
) -> None:
    visitor = visit(f"{OFFER}?hours=24", size, zone="Asia/Tokyo")
    page = visitor.page
    expect(page.get_by_label("Your time zone")).to_have_value("Tokyo")
    page.locator("button.slot").first.click()
    visitor.look("details")
    page.get_by_label("Your name").fill("Jo Stranger")
    page.get_by_label("Email").fill("jo@example")
    page.get_by_label("What about?").fill("Everything")
    page.get_by_label("How many of you?").select_option("more")
    page.get_by_label("First time here").check()
    page.get_by_role("button", name="Request this time").click()
    expect(page.get_by_label("Email")).to_have_accessible_description(
        re.compile("Enter a valid email address.")
    )
    visitor.look("details-again")
    page.get_by_label("Email").fill("jo@example.com")
    page.get_by_role("button", name="Request this time").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Request sent")
    visitor.look("asked-for")
    booking = Booking.objects.get()  # one, for all the clicking
    assert (booking.timezone, booking.time_format, booking.status) == (
        "Asia/Tokyo",
        "HH:mm",
        "pending",
    )
    assert booking.custom_field_values == {"topic": "Everything", "size": "more", "first": True}

    host = visit(urlsplit(links.answer_url(booking)).path, size)
    host.look("approve")
    host.page.get_by_role("button", name="Approve").click()
    expect(host.page.get_by_role("main")).to_contain_text("This booking is confirmed.")

    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Booking confirmed")
    visitor.look("booked")
    with page.expect_download() as download:
        page.get_by_role("link", name="ICS file").click()
    assert download.value.suggested_filename == "advice.ics"
    move_and_cancel(visitor)
    booking.refresh_from_db()
    assert booking.status == "cancelled"


def reschedule(page: Page) -> None:
    """Choose a day, a time, and the button that names it: three clicks."""
    was = page.get_by_text("Was: ").inner_text()
    day = page.locator("button.month-day[aria-pressed=false]").first
    value = str(day.get_attribute("value"))
    day.click()
    expect(page.locator(f'button.month-day[value="{value}"]')).to_have_attribute(
        "aria-pressed", "true"
    )
    slot = page.locator("button.slot").first
    time = slot.inner_text()
    slot.click()
    button = page.get_by_role("button", name="Reschedule to")
    expect(button).to_contain_text(f"{date.fromisoformat(value):%a} ")
    expect(button).to_contain_text(f", {time}")
    expect(page.get_by_text("Was: ")).to_have_text(was)
    button.click()


def move_and_cancel(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Reschedule or cancel").click()
    expect(page.get_by_role("heading", name="Reschedule")).to_be_visible()
    visitor.look("manage")
    reschedule(page)
    expect(page.get_by_role("status")).to_contain_text(
        "Rescheduled. Alice Ames has to approve the new time."
    )
    visitor.look("managed-moved")
    page.locator("summary", has_text="Withdraw the request").click()
    page.get_by_label("Notes for Alice").last.fill("Never mind.")
    page.get_by_role("button", name="Withdraw the request").click()
    expect(page.get_by_role("main")).to_contain_text("You cancelled this booking.")
    visitor.look("managed-cancelled")


def test_a_time_that_is_taken_meanwhile_costs_nothing_that_was_typed(
    visit: Visit, offer: EventType, size: str
) -> None:
    visitor = visit(OFFER, size)
    page = visitor.page
    page.locator("button.slot").first.click()
    page.get_by_label("Your name").fill("Jo Stranger")
    page.get_by_label("Email").fill("jo@example.com")
    page.get_by_label("What about?").fill("Everything")
    taken = int(page.locator('input[name="start"]').get_attribute("value") or 0)
    factories.booking(
        offer,
        start=datetime.fromtimestamp(taken, timezone.get_current_timezone()),
        now=timezone.now(),
        answers={"topic": "first"},
    )
    page.get_by_role("button", name="Request this time").click()
    expect(page.get_by_role("alert")).to_contain_text("That time is no longer free.")
    expect(page.get_by_label("What about?")).to_have_value("Everything")
    visitor.look("taken")
    page.locator("label.slot").first.click()
    page.get_by_role("button", name="Request this time").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Request sent")
    assert Booking.objects.count() == 2


def test_booking_by_keyboard_alone(visit: Visit, offer: EventType) -> None:
    visitor = visit("/alice", zone="Europe/Berlin")
    page, keys = visitor.page, visitor.page.keyboard
    visitor.tab_to(page.get_by_role("link", name="Advice"))
    keys.press("Enter")
    expect(page.get_by_label("Your time zone")).to_have_value("Berlin")

    first = page.locator("button.month-day[aria-pressed=true]")
    visitor.tab_to(first)
    value = str(first.get_attribute("value"))
    keys.press("ArrowRight")
    second = page.locator("button.month-day:focus")
    following = datetime.fromisoformat(value) + timedelta(days=1)
    has_next = page.locator(f'button.month-day[value="{following:%Y-%m-%d}"]').count()
    expect(second).to_have_attribute("value", f"{following:%Y-%m-%d}" if has_next else value)
    keys.press("Enter")
    expect(page.locator("button.month-day[aria-pressed=true]")).to_be_focused()
    # One stop for all the days; from there it goes on to the times.
    keys.press("Tab")
    expect(page.locator("button.slot").first).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Your details")).to_be_focused()
    visitor.tab_to(page.get_by_label("Your name"))
    keys.type("Jo Stranger")
    keys.press("Tab")
    keys.type("jo@example.com")
    keys.press("Tab")
    keys.type("Everything")
    visitor.tab_to(page.get_by_role("button", name="Request this time"))
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Request sent")
    assert Booking.objects.get().custom_field_values["topic"] == "Everything"


def test_booking_without_javascript(visit: Visit, offer: EventType) -> None:
    visitor = visit(OFFER, scripts=False)
    page = visitor.page
    page.get_by_label("Your time zone").fill("tokyo")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_label("Your time zone")).to_have_value("Tokyo")
    page.locator("button.month-day").last.click()
    page.get_by_role("button", name="24 h").click()
    page.locator("button.slot").last.click()
    page.get_by_role("link", name="Change the time").click()
    page.locator("button.slot").last.click()
    page.get_by_label("Your name").fill("Jo Stranger")
    page.get_by_label("Email").fill("jo@example.com")
    page.get_by_label("What about?").fill("Everything")
    page.get_by_role("button", name="Request this time").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Request sent")
    booking = Booking.objects.get()
    assert booking.timezone == "Asia/Tokyo"
    bookings.confirm(booking=booking, actor=bookings.host(booking.host), now=timezone.now())
    page.get_by_role("link", name="Reschedule or cancel").click()
    expect(page.get_by_role("heading", name="Reschedule")).to_be_visible()
    reschedule(page)
    expect(page.get_by_role("status")).to_contain_text("Rescheduled")


def test_a_host_with_nothing_to_book_and_an_offer_that_is_gone(
    visit: Visit, offer: EventType, bob: User
) -> None:
    visitor = visit("/bob", "phone")
    visitor.look("host-empty")
    gone = visit("/alice/no-such-thing", "phone")
    gone.complaints.clear()  # the browser itself notes the 404
    gone.look("offer-gone")

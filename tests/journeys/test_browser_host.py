"""Host's day in Chromium: pending items, the week, the bookings and one of them."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Locator, expect

from accounts.models import Team, User
from meetings.domain import services as meetings
from meetings.models import MeetingRequest
from scheduling.domain import services
from scheduling.domain.services import DayChange
from scheduling.models import Booking, EventType
from tests import factories
from tests.journeys.browser import Enter

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

NEW_YORK = ZoneInfo("America/New_York")
DAYS: dict[str, DayChange] = {
    str(day): {"enabled": True, "start": "09:00", "end": "17:00"} for day in range(1, 6)
}


def at(days: int, hour: int, minute: int = 0) -> datetime:
    """Return this time of day in New York, `days` after the Monday of the week after next."""
    today = timezone.now().astimezone(NEW_YORK).date()
    day = today + timedelta(days=14 - today.weekday() + days)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)


@pytest.fixture
def host(alice: User) -> User:
    """Return Alice, who works in New York from Monday to Friday."""
    alice.timezone = "America/New_York"
    alice.save()
    services.set_hours(user=alice, timezone="America/New_York", days=DAYS)
    return alice


@pytest.fixture
def chat(host: User) -> EventType:
    return factories.event_type(host, name="Chat", buffer_time_after=30)


@pytest.fixture
def booking(chat: EventType) -> Booking:
    """Book half an hour for John on the Monday."""
    return factories.booking(chat, start=at(0, 13), now=timezone.now(), notes="About the garden.")


@pytest.fixture
def waiting(host: User) -> Booking:
    """Book an hour for Mei on the Tuesday, which Alice must approve."""
    advice = factories.event_type(host, name="Advice", duration=60, requires_approval=True)
    return factories.booking(
        advice,
        start=at(1, 10),
        now=timezone.now(),
        notes="Could we walk while we talk?",
        name="Mei Tanaka",
        email="mei@example.com",
        timezone="Asia/Tokyo",
    )


def ask(team: Team, requester: User, recipient: User, start: datetime) -> MeetingRequest:
    return meetings.request_meeting(
        requester=requester,
        team_id=team.pk,
        recipient_id=recipient.pk,
        date=start.isoformat(),
        link="",
        now=timezone.now(),
    )


@pytest.fixture
def asked(team: Team, host: User, bob: User) -> MeetingRequest:
    """Make a meeting request of Bob's for the Wednesday."""
    return ask(team, bob, host, at(2, 11))


def test_what_waits_is_answered_from_home(
    enter: Enter, host: User, booking: Booking, waiting: Booking, asked: MeetingRequest
) -> None:
    visitor = enter(host, "/")
    page = visitor.page
    waits = page.get_by_role("region", name="Needs your answer")
    ahead = page.get_by_role("region", name="Upcoming")
    expect(waits.get_by_role("heading", level=3)).to_have_text(
        ["Advice with Mei Tanaka", "Bob Byrd requests a meeting with you"]
    )
    expect(ahead.get_by_role("heading", level=3)).to_have_text(["Chat with John Doe"])
    visitor.look("home")

    waits.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_have_text("Approved. Mei Tanaka gets an email.")
    waits.locator("summary", has_text="Decline").click()
    visitor.look("home-declining")
    waits.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status")).to_contain_text("The time is blocked for you and Bob Byrd.")
    expect(waits.get_by_role("listitem")).to_have_count(0)
    expect(ahead.get_by_role("heading", level=3)).to_have_text(
        ["Chat with John Doe", "Advice with Mei Tanaka", "Meeting with Bob Byrd"]
    )
    visitor.look("home-answered")
    waiting.refresh_from_db()
    asked.refresh_from_db()
    assert (waiting.status, asked.status) == ("confirmed", "confirmed")


def test_a_week_shows_what_is_taken_and_the_hours_around(
    enter: Enter,
    host: User,
    bob: User,
    team: Team,
    booking: Booking,
    waiting: Booking,
    asked: MeetingRequest,
) -> None:
    meetings.confirm(meeting=ask(team, bob, host, at(0, 15)), actor=host, now=timezone.now())
    services.set_override(user=host, day=at(3, 0).date(), windows=[])
    services.set_override(
        user=host, day=at(4, 0).date(), windows=[{"start": "07:00", "end": "11:30"}]
    )
    visitor = enter(host, "/")
    page = visitor.page
    week = page.get_by_role("region", name=re.compile("The next seven days|–"))
    expect(week.get_by_role("heading", level=2)).to_have_text("The next seven days")
    week.get_by_role("link", name="Later").click()
    expect(page).to_have_url(re.compile(r"\?week=[0-9-]+#week$"))
    page.goto(f"/?week={at(0, 0).date()}")
    days = week.locator(".week > li")
    monday, tuesday, wednesday, thursday, friday = (days.nth(number) for number in range(5))
    expect(monday.get_by_role("listitem")).to_contain_text(["John Doe", "Bob Byrd"])
    expect(tuesday.get_by_role("listitem")).to_contain_text(["Mei Tanaka"])
    expect(tuesday).to_contain_text("not confirmed yet")
    expect(wednesday.get_by_role("listitem")).to_contain_text(["Bob Byrd"])
    expect(thursday).to_contain_text("Day off")
    expect(friday).to_contain_text("Date-specific hours")
    expect(friday).to_contain_text("7:00 AM – 11:30 AM")
    visitor.look("week")

    week.get_by_role("link", name="Earlier").click()
    expect(week.get_by_role("link", name="John Doe")).to_have_count(0)
    visitor.look("week-free")
    week.get_by_role("link", name="Later").click()
    week.get_by_role("link", name="John Doe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chat with John Doe")


def test_a_booking_is_noted_moved_and_cancelled(
    enter: Enter, host: User, booking: Booking, waiting: Booking
) -> None:
    visitor = enter(host, "/bookings")
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Upcoming")
    visitor.look("bookings")
    page.get_by_role("link", name="Needs your answer 1").click()
    expect(page.get_by_role("article")).to_contain_text(["Advice with Mei Tanaka"])
    visitor.look("bookings-waiting")
    page.get_by_role("article").locator("summary").click()
    page.get_by_label("Notes for Mei").fill("I am away then.")
    page.get_by_role("button", name="Decline the booking").click()
    expect(page.get_by_role("status")).to_have_text("Declined. Mei Tanaka gets an email.")
    page.get_by_role("link", name="Declined 1").click()
    expect(page.get_by_role("article")).to_contain_text(["Advice with Mei Tanaka"])
    visitor.look("bookings-declined")

    page.get_by_role("link", name="Upcoming 1").click()
    page.get_by_role("link", name="Chat with John Doe", exact=True).click()
    visitor.look("booking")
    page.locator("summary", has_text="Edit the notes").click()
    page.get_by_role("textbox", name="Notes (optional)").fill("About the garden.\nAnd the shed.")
    page.get_by_role("button", name="Save the notes").click()
    expect(page.get_by_role("status")).to_have_text("The notes are saved.")

    page.get_by_role("link", name="Reschedule").click()
    expect(page.get_by_role("heading", level=2, name="Reschedule")).to_be_in_viewport()
    visitor.look("booking-picking")
    page.locator("button.month-day").last.click()
    expect(page.locator("button.month-day[aria-pressed=true]")).to_be_focused()
    slot = page.locator("button.slot").last
    chosen = int(slot.get_attribute("value") or 0)
    slot.click()
    expect(page.get_by_role("heading", level=2, name="Reschedule")).to_be_focused()
    page.get_by_label("Notes for John").last.fill("Something came up.")
    visitor.look("booking-moving")
    page.get_by_role("button", name="Reschedule to").click()
    expect(page.get_by_role("status")).to_have_text("Rescheduled. John Doe gets an email.")

    page.locator("summary", has_text="Cancel").click()
    page.get_by_label("Notes for John").fill("I am ill.")
    visitor.look("booking-cancelling")
    page.get_by_role("button", name="Cancel the booking").click()
    expect(page.get_by_role("status")).to_have_text("Cancelled. John Doe gets an email.")
    visitor.look("booking-cancelled")

    booking.refresh_from_db()
    changes = booking.history.order_by("sequence").values_list("change", "reason")
    assert (booking.start.timestamp(), booking.notes, list(changes)) == (
        chosen,
        "About the garden.\nAnd the shed.",
        [("created", ""), ("rescheduled", "Something came up."), ("cancelled", "I am ill.")],
    )


def test_on_a_phone_the_bar_covers_neither_the_times_nor_the_button(
    enter: Enter, host: User, booking: Booking
) -> None:
    page = enter(host, f"/bookings/{booking.pk}?day=#move", size="phone").page
    day, slot = page.locator("button.month-day").last, page.locator("button.slot").first
    day.tap()
    expect(day).to_have_attribute("aria-pressed", "true")
    expect(slot).to_be_in_viewport()
    assert met_at(slot) == slot.inner_text()
    slot.tap()
    button = page.get_by_role("button", name="Reschedule to")
    button.scroll_into_view_if_needed()
    assert met_at(button) == button.inner_text()


def met_at(control: Locator) -> str:
    """Return the text of what stands at the middle of a control."""
    met: str = control.evaluate(
        """control => {
            const { left, top, width, height } = control.getBoundingClientRect();
            return document.elementFromPoint(left + width / 2, top + height / 2).innerText;
        }"""
    )
    return met


def test_a_new_account_is_told_what_to_do_and_takes_its_address_along(
    enter: Enter, alice: User
) -> None:
    visitor = enter(alice, "/")
    page = visitor.page
    expect(page.get_by_role("region", name="One step until you can be booked")).to_be_visible()
    visitor.look("home-new")

    factories.event_type(alice)
    page.reload()
    steps = page.get_by_role("region", name="You can be booked")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    steps.get_by_role("button", name="Copy link").click()
    expect(steps.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{settings.PUBLIC_URL}/alice"
    visitor.look("home-begun")


def test_a_host_without_javascript(
    enter: Enter, host: User, booking: Booking, waiting: Booking, asked: MeetingRequest
) -> None:
    visitor = enter(host, "/", scripts=False)
    page = visitor.page
    said = page.get_by_role("status")
    waits = page.get_by_role("region", name="Needs your answer")
    waits.get_by_role("button", name="Approve").click()
    expect(said).to_have_text("Approved. Mei Tanaka gets an email.")
    waits.locator("summary", has_text="Decline").click()
    waits.get_by_label("Notes for Bob").fill("Not this month.")
    waits.get_by_role("button", name="Decline the request").click()
    expect(said).to_contain_text("Declined. Bob Byrd gets an email.")
    # A button that only a script could serve is not there.
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)

    page.get_by_role("link", name="Chat with John Doe").first.click()
    page.get_by_role("link", name="Reschedule").click()
    page.locator("button.month-day").last.click()
    page.locator("button.slot").last.click()
    page.get_by_role("button", name="Reschedule to").click()
    expect(said).to_have_text("Rescheduled. John Doe gets an email.")
    page.locator("summary", has_text="Edit the notes").click()
    page.get_by_role("textbox", name="Notes (optional)").fill("")
    page.get_by_role("button", name="Save the notes").click()
    expect(said).to_have_text("The notes are saved.")
    page.locator("summary", has_text="Cancel").click()
    page.get_by_role("button", name="Cancel the booking").click()
    expect(said).to_have_text("Cancelled. John Doe gets an email.")
    asked.refresh_from_db()
    statuses = Booking.objects.order_by("pk").values_list("status", flat=True)
    assert (list(statuses), asked.status) == (["cancelled", "confirmed"], "rejected")
    assert Booking.objects.get(pk=booking.pk).notes == ""

"""Home and what leads away from it, at a desk and on a phone."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import FilePayload, expect

from accounts.domain import pictures
from accounts.models import Team, User
from meetings.domain import services as meetings
from scheduling.domain import services
from scheduling.domain.services import DayChange
from tests import factories
from tests.journeys.browser import Enter

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

EVERY_DAY: dict[str, DayChange] = {
    str(day): {"enabled": True, "start": "09:00", "end": "17:00"} for day in range(1, 8)
}


@pytest.fixture(params=["desk", "phone"])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_one_inbox_for_bookings_and_meetings(
    enter: Enter, alice: User, bob: User, team: Team
) -> None:
    """Each is answered with one click."""
    now = timezone.now()
    noon = (now + timedelta(days=20)).replace(hour=12, minute=0, second=0, microsecond=0)
    advice = factories.event_type(alice, name="Advice", requires_approval=True)
    services.set_hours(user=alice, timezone="UTC", days=EVERY_DAY)
    factories.booking(advice, start=noon, now=now)
    meetings.request_meeting(
        requester=bob,
        team_id=team.pk,
        recipient_id=alice.pk,
        date=(noon + timedelta(hours=2)).isoformat(),
        link="https://meet.example/us",
        now=now,
    )
    visitor = enter(alice, "/")
    page = visitor.page
    inbox = page.get_by_role("region", name="Needs your answer")
    upcoming = page.get_by_role("region", name="Upcoming")
    expect(inbox.get_by_role("heading", level=3)).to_have_text(
        ["Advice with John Doe", "Bob Byrd requests a meeting with you"]
    )
    expect(page.locator(".week > li")).to_have_count(7)
    expect(page.locator(".week > li").first).to_contain_text("Today")
    inbox.get_by_role("button", name="Approve").click()
    expect(upcoming.get_by_role("heading", level=3)).to_have_text(["Advice with John Doe"])
    inbox.get_by_role("button", name="Confirm").click()
    expect(upcoming.get_by_role("heading", level=3)).to_have_count(2)
    expect(inbox).to_contain_text("Nothing right now.")
    join = upcoming.get_by_role("link", name="Join Meeting with Bob Byrd")
    expect(join).to_have_attribute("href", "https://meet.example/us")
    visitor.look("home-answered")


def test_the_public_page_is_shared_from_anywhere(enter: Enter, alice: User) -> None:
    visitor = enter(alice, "/event-types")
    page = visitor.page
    page.get_by_role("banner").locator("summary", has_text="Share").click()
    expect(page.get_by_role("banner").locator("#share")).to_have_text(re.compile("/alice$"))
    visitor.look("sharing")
    page.get_by_role("banner").get_by_role("link", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alice Ames")


def test_every_setting_is_two_taps_away(enter: Enter, alice: User, size: str) -> None:
    visitor = enter(alice, "/")
    page = visitor.page
    if size == "phone":
        bar = page.get_by_role("navigation", name="Main")
        names = ["Home", "Bookings", "Event types", "You"]
        expect(bar.get_by_role("link")).to_have_text(names)
        bar.get_by_role("link", name="You").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    else:
        page.locator("summary", has_text="Your account").click()
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Profile")
    settings = page.get_by_role("navigation", name="Settings")
    for group in ("You", "Scheduling", "Team", "Developer"):
        expect(settings.get_by_role("list", name=group)).to_be_visible()
    settings.get_by_role("link", name="Security").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Security")
    if size == "phone":
        expect(settings).to_be_hidden()
        page.get_by_role("link", name="All settings").click()
        visitor.look("settings")
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(re.compile("/accounts/login/$"))


def test_a_booking_is_found_by_name_and_date(enter: Enter, alice: User) -> None:
    """Two fields and a button; the row has what can be done, and cancelling is last."""
    now = timezone.now()
    noon = (now + timedelta(days=20)).replace(hour=12, minute=0, second=0, microsecond=0)
    services.set_hours(user=alice, timezone="UTC", days=EVERY_DAY)
    chat = factories.event_type(alice, name="Chat")
    factories.booking(chat, start=noon, now=now, name="Mei Tanaka", email="mei@example.com")
    factories.booking(chat, start=noon + timedelta(days=1), now=now)
    visitor = enter(alice, "/bookings")
    page = visitor.page
    rows = page.get_by_role("article")
    expect(rows).to_have_count(2)
    page.get_by_label("Search by name or email address").fill("mei")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(1)
    expect(rows.get_by_role("link", name="Reschedule Chat with Mei Tanaka")).to_be_visible()
    rows.locator("summary").click()
    expect(rows.locator(".menu-item").last).to_have_text("Cancel")
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("From").fill(f"{noon + timedelta(days=2):%Y-%m-%d}")
    visitor.look("bookings-filters")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("main")).to_contain_text("Nothing matches")
    visitor.look("bookings-nothing-found")
    page.get_by_role("link", name="Clear filters").click()
    expect(rows).to_have_count(2)


def test_what_somebody_hears_of_is_their_choice(enter: Enter, alice: User) -> None:
    visitor = enter(alice, "/settings/notifications")
    page = visitor.page
    bookings = page.get_by_role("table", name="Bookings with you")
    reminder = bookings.get_by_label("Reminder before it starts, email")
    expect(reminder).to_be_checked()
    visitor.look("notifications")
    reminder.uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Your choices have been saved.")
    expect(reminder).not_to_be_checked()
    expect(bookings.get_by_label("Reminder before it starts, push message")).to_be_checked()


def test_a_photo_that_is_too_large_is_made_small_and_shown(
    enter: Enter, alice: User, size: str
) -> None:
    noise = Image.effect_noise((2400, 1600), 100).convert("RGB")
    file = BytesIO()
    noise.save(file, "PNG")
    assert len(file.getvalue()) > pictures.MOST_BYTES
    visitor = enter(alice, "/settings/profile")
    page = visitor.page
    photo: FilePayload = {"name": "me.png", "mimeType": "image/png", "buffer": file.getvalue()}
    page.get_by_label("Choose a picture").set_input_files(photo)
    page.get_by_role("button", name="Save the picture").click()
    expect(page.get_by_role("status")).to_have_text("Your picture has been saved.")
    expect(page.locator("main img.face")).to_have_js_property("naturalWidth", pictures.SIDE)
    visitor.look("profile-with-picture")
    page.get_by_role("button", name="Remove the picture").click()
    expect(page.get_by_role("status")).to_have_text("Your picture has been removed.")
    expect(page.locator("img.face")).to_have_count(0)

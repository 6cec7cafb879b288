"""Meetings in Chromium: on a desk, on a phone, and without JavaScript."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Team, User
from meetings.domain import services
from meetings.messages import links
from meetings.models import MeetingRequest
from tests import factories
from tests.journeys.browser import Enter, Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]


@pytest.fixture
def in_three_days() -> datetime:
    return (timezone.now() + timedelta(days=3)).replace(hour=15, minute=0, second=0, microsecond=0)


Ask = Callable[..., MeetingRequest]


@pytest.fixture
def ask(team: Team, alice: User, bob: User, in_three_days: datetime) -> Ask:
    """Return a function by which Alice in London asks Bob in New York."""
    alice.timezone, bob.timezone = "Europe/London", "America/New_York"
    alice.save()
    bob.save()

    def ask(hours: float = 0, link: str = "") -> MeetingRequest:
        return services.request_meeting(
            requester=alice,
            team_id=team.pk,
            recipient_id=bob.pk,
            date=(in_three_days + timedelta(hours=hours)).isoformat(),
            link=link,
            now=timezone.now(),
        )

    return ask


def test_from_the_login_to_a_confirmed_meeting(
    visit: Visit, ask: Ask, bob: User, size: str
) -> None:
    meeting = ask(link="https://zoom.us/j/1234567890")
    collides = ask(hours=0.5)
    visitor = visit("/meetings?tab=pending-meeting", size)
    page = visitor.page
    visitor.look("login")
    visitor.sign_in(bob)

    expect(page.get_by_role("heading", level=1)).to_have_text("Needs your answer")
    expect(page.get_by_role("article")).to_have_count(2)
    visitor.look("pending")
    card = page.get_by_role("article").filter(has_text=meeting.booking_number)
    card.get_by_role("button", name="Confirm").click()

    said = "Confirmed. The time is blocked for you and Alice Ames."
    expect(page.get_by_role("status")).to_contain_text(said)
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("article")).to_contain_text("You already have something at that time.")
    visitor.look("pending-collides")
    meeting.refresh_from_db()
    assert meeting.status == "confirmed"

    page.get_by_role("link", name="Confirmed 1").click()
    page.get_by_role("link", name="Meeting with Alice Ames", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="You confirmed it.")).to_be_visible()
    visitor.look("meeting")

    page.goto(f"/meetings/{collides.pk}")
    visitor.look("meeting-collides")
    page.get_by_text("Decline", exact=False).first.click()
    page.get_by_label("Notes for Alice").fill("I am taken then.\nAn hour later?")
    visitor.look("meeting-declining")
    page.get_by_role("button", name="Decline the request").click()
    expect(page.get_by_role("status")).to_contain_text("Declined. Alice Ames gets an email.")
    visitor.look("meeting-declined")
    assert collides.history.get(to_status="rejected").reason == "I am taken then.\nAn hour later?"


@pytest.mark.parametrize("device", ["desk", "phone"])
def test_asking_for_an_hour_at_which_both_are_free(
    enter: Enter, ask: Ask, team: Team, alice: User, bob: User, device: str
) -> None:
    """Choose the team mate, a day and a time, and send: three clicks after the choice."""
    # Where the browser is, matters not.
    page = (visitor := enter(alice, "/meetings/new", zone="Pacific/Apia", size=device)).page
    page.get_by_label("Teammate").select_option(label="Bob Byrd (America/New_York)")
    expect(page.get_by_text("Below each is the time of Bob, in New York.")).to_be_visible()
    visitor.look("ask")
    page.locator(".turn").last.click()
    expect(page.locator(".turn-back")).to_be_visible()
    day = page.locator("button.month-day[aria-pressed=false]").first
    value = str(day.get_attribute("value"))
    day.click()
    expect(page.locator(f'button.month-day[value="{value}"]')).to_have_attribute(
        "aria-pressed", "true"
    )
    slot = page.locator("button.slot:not(.slot-remarked)").first
    start = int(slot.get_attribute("value") or 0)
    slot.click()
    expect(page.get_by_role("heading", name="A meeting with Bob Byrd")).to_be_focused()
    visitor.look("ask-chosen")
    page.get_by_label("Meeting link").fill("ftp://zoom.us/")
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_label("Meeting link")).to_have_accessible_description(
        "Where you meet online, for example on Zoom, Google Meet or Teams."
        " The link must be an http or https URL."
    )
    visitor.look("ask-again")
    page.get_by_label("Meeting link").fill("https://zoom.us/j/1")
    page.get_by_role("button", name="Send the request").dblclick()
    expect(page.get_by_role("status")).to_have_text("Request sent to Bob Byrd.")
    visitor.look("asked")
    meeting = MeetingRequest.objects.get()  # one, for all the clicking
    assert (meeting.start.timestamp(), meeting.link) == (start, "https://zoom.us/j/1")


def test_a_typed_time_outside_their_hours_is_told_before_it_is_sent(
    enter: Enter, ask: Ask, team: Team, alice: User, bob: User
) -> None:
    page = enter(alice, f"/meetings/new?mate={team.pk}:{bob.pk}").page
    page.locator("summary", has_text="Type a time").click()
    day = (timezone.now() + timedelta(days=9)).date()
    page.get_by_label("Date").fill(day.isoformat())
    page.get_by_label("Time", exact=True).fill("20:30")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This is outside the hours of Bob.")).to_be_visible()
    expect(page.locator(".chosen")).to_contain_text("8:30 PM – 9:30 PM New York")
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_role("status")).to_have_text("Request sent to Bob Byrd.")
    start = datetime(day.year, day.month, day.day, 20, 30, tzinfo=bob.zone)
    assert MeetingRequest.objects.get().start == start


def test_the_link_of_the_email_needs_no_login(
    visit: Visit, ask: Ask, live_server: LiveServer, size: str
) -> None:
    meeting = ask(link="https://zoom.us/j/1234567890")
    visitor = visit(urlsplit(links.answer_url(meeting)).path, size)
    page = visitor.page
    visitor.look("answer")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Confirm").click()
    # The page came with `no-referrer`, which alone would make this `null` and the answer refused.
    headers = sent.value.all_headers()
    assert headers["origin"] == live_server.url
    expect(page.get_by_role("main")).to_contain_text("You confirmed this meeting.")
    visitor.look("answered")
    meeting.refresh_from_db()
    assert meeting.status == "confirmed"


def test_the_link_of_the_email_tells_nobody_else(visit: Visit, ask: Ask) -> None:
    visitor = visit(urlsplit(links.answer_url(ask())).path)
    page, heard = visitor.page, []

    def listen(route: Route) -> None:
        heard.append(route.request.all_headers().get("referer"))
        route.fulfill(body="hello")

    page.context.route("https://elsewhere.example/", listen)
    page.evaluate("location.href = 'https://elsewhere.example/'")
    page.wait_for_url("https://elsewhere.example/")
    assert heard == [None]
    assert visitor.complaints == ["request to https://elsewhere.example/"]
    visitor.complaints.clear()


def test_everything_works_without_javascript(
    visit: Visit, ask: Ask, alice: User, bob: User, team: Team
) -> None:
    first, second, third = ask(), ask(hours=2), ask(hours=4)
    visitor = visit("/meetings", scripts=False)
    visitor.sign_in(bob)
    page = visitor.page

    def card(meeting: MeetingRequest) -> Locator:
        return page.get_by_role("article").filter(has_text=meeting.booking_number)

    card(first).get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status")).to_contain_text("Confirmed")
    card(second).locator("summary").click()
    card(second).get_by_label("Notes for Alice").fill("No.")
    card(second).get_by_role("button", name="Decline the request").click()
    expect(page.get_by_role("status")).to_contain_text("Declined")

    page.get_by_role("link", name="Request a meeting").click()
    page.get_by_label("Teammate").select_option(label="Alice Ames (Europe/London)")
    page.get_by_role("button", name="Show open times").click()
    page.locator("button.month-day").last.click()
    page.locator("button.slot").first.click()
    page.get_by_role("link", name="Change the time").click()
    page.locator("summary", has_text="Type a time").click()
    page.get_by_label("Date").fill(f"{timezone.now() + timedelta(days=9):%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill("09:00")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_role("status")).to_have_text("Request sent to Alice Ames.")
    page.locator("summary", has_text="Withdraw").click()
    page.get_by_role("button", name="Withdraw the request").click()
    expect(page.get_by_role("status")).to_contain_text("Cancelled")

    page.locator("summary", has_text="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/accounts/login/$"))

    page.goto(urlsplit(links.answer_url(third)).path)
    page.locator("summary", has_text="Decline").click()
    page.get_by_role("button", name="Decline the request").click()
    expect(page.get_by_role("main")).to_contain_text("You declined this meeting.")
    assert list(MeetingRequest.objects.order_by("pk").values_list("status", flat=True)) == [
        "confirmed",
        "rejected",
        "rejected",
        "cancelled",
    ]


def test_signing_up_tells_the_zone_of_the_browser(visit: Visit, size: str) -> None:
    visitor = visit("/", size, zone="Asia/Tokyo")
    page = visitor.page
    visitor.look("landing")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("First name").fill("Dora")
    page.get_by_label("Email").fill("dora@example.com")
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    visitor.look("signup")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")
    visitor.look("signed-up")
    assert User.objects.get(email="dora@example.com").timezone == "Asia/Tokyo"


def test_by_keyboard_alone(enter: Enter, ask: Ask, bob: User) -> None:
    meeting = ask()
    visitor = enter(bob, "/meetings")
    page, press = visitor.page, visitor.page.keyboard.press
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    menu = page.locator("summary", has_text="Your account")
    visitor.tab_to(menu)
    press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()

    visitor.tab_to(page.get_by_role("article").locator("summary"))
    press("Enter")
    press("Tab")
    page.keyboard.type("No time.")
    press("Tab")
    press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Declined")
    assert meeting.history.get(to_status="rejected").reason == "No time."


def test_in_the_dark_it_is_dark(enter: Enter, ask: Ask, bob: User) -> None:
    ask()
    visitor = enter(bob, "/meetings", scheme="dark")
    expect(visitor.page.get_by_role("article")).to_have_count(1)
    visitor.look("pending-dark")
    paper = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(24, 23, 21)"

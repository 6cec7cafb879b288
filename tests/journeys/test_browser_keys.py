"""Keys and clicks while a page waits for an answer: none is lost or goes to another control."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import Team, User
from meetings.models import MeetingRequest
from scheduling.domain import services
from scheduling.domain.services import DayChange
from scheduling.messages import links
from scheduling.models import EventType
from tests import factories, wire
from tests.journeys.browser import Enter, Visit, Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

NEW_YORK = ZoneInfo("America/New_York")
OFFER = "/alice/advice?zone=America/New_York&hours=24"
DAYS = "button.month-day"
CHOSEN = f"{DAYS}[aria-pressed=true]"


class Answers:
    """Answers to a page's own requests. The test decides when they arrive."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.held: list[Route] = []
        self.asked: list[str] = []
        page.context.route("**", self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.resource_type != "fetch":
            route.fallback()
            return
        self.asked.append(route.request.url)
        self.held.append(route)

    def _next(self) -> Route:
        # Playwright hands a route over while it is asked for something else.
        wire.until(lambda: self.page.evaluate("true") and self.held)
        return self.held.pop(0)

    def come(self) -> None:
        """Let the next answer arrive, and wait until the page shows it."""
        part = self.page.locator("[data-live]")
        before = part.locator("h2").element_handle()
        self._next().continue_()
        self.page.wait_for_function("old => !old.isConnected", arg=before)

    def fail(self) -> None:
        self._next().abort()


@pytest.fixture
def offer(alice: User) -> EventType:
    """Let people book Alice at any time of any day, for two months."""
    whole = {str(day): DayChange(enabled=True, start="00:00", end="24:00") for day in range(1, 8)}
    services.set_hours(user=alice, timezone="America/New_York", days=whole)
    return factories.event_type(alice, name="Advice", duration=60)


@pytest.fixture
def visitor(visit: Visit, offer: EventType) -> Visitor:
    """Return a visitor on the next month, in which every time is open."""
    visitor = visit(OFFER)
    month = visitor.page.locator("#month")
    shown = month.inner_text()
    visitor.page.locator("button[name=month]").last.click()
    expect(month).not_to_have_text(shown)
    return visitor


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return visitor.page


@pytest.fixture
def answers(page: Page) -> Answers:
    return Answers(page)


def test_what_is_shown_already_is_not_fetched_again(page: Page, answers: Answers) -> None:
    chosen, address, length = page.locator(CHOSEN), page.url, page.evaluate("history.length")
    handle = chosen.element_handle()
    page.keyboard.press("Tab")
    chosen.press("Enter")
    chosen.click()
    page.get_by_role("button", name="24 h").click()
    page.get_by_label("Your time zone").press("Enter")
    assert (answers.asked, page.url, page.evaluate("history.length")) == ([], address, length)
    assert handle.evaluate("day => day.isConnected && !day.ariaDisabled")
    # Another day still is.
    page.locator(DAYS).nth(5).click()
    answers.come()
    expect(page.locator(DAYS).nth(5)).to_have_attribute("aria-pressed", "true")


def test_arrow_keys_go_on_from_the_day_that_comes(page: Page, answers: Answers) -> None:
    page.locator(DAYS).nth(3).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    answers.come()
    expect(page.locator(DAYS).nth(11)).to_be_focused()
    expect(page.locator(DAYS).nth(3)).to_have_attribute("aria-pressed", "true")


def test_what_is_awaited_is_marked_until_it_comes(visitor: Visitor, answers: Answers) -> None:
    page = visitor.page
    part, day = page.locator("[data-live]"), page.locator(DAYS).nth(3)
    bar = "part => getComputedStyle(part, '::before').position"
    assert part.evaluate(bar) == "static"
    day.click()
    expect(part).to_have_attribute("aria-busy", "true")
    mark = part.locator("[data-awaited]")
    expect(mark).to_have_attribute("value", str(day.get_attribute("value")))
    assert part.evaluate(bar) == "fixed"
    # Another one that is wanted instead takes the mark over.
    page.locator(DAYS).nth(4).click()
    expect(mark).to_have_count(1)
    answers.fail()
    answers.come()
    expect(part).not_to_have_attribute("aria-busy", "true")
    expect(mark).to_have_count(0)
    visitor.complaints.clear()  # the browser itself notes what failed


def test_keys_that_are_pressed_ahead_book_that_day(page: Page, answers: Answers) -> None:
    """Enter on a day, Tab and Enter on its first time, Tab to the form, and a name with a slip."""
    day = page.locator(DAYS).nth(3)
    value = day.get_attribute("value")
    keys = page.keyboard
    day.focus()
    for key in ("Enter", "Tab", "Enter", "Enter", "Tab", "Tab"):
        keys.press(key)
    keys.type("Jo Straz")
    keys.press("Backspace")
    keys.type("nger")
    keys.press("Tab")
    keys.type("jo@example.com")
    keys.press("Shift+Tab")
    assert len(answers.asked) == 1
    answers.come()
    answers.come()
    expect(page.get_by_label("Your name")).to_have_value("Jo Stranger")
    expect(page.get_by_label("Email")).to_have_value("jo@example.com")
    expect(page.get_by_label("Your name")).to_be_focused()
    start = int(page.locator("input[name=start]").get_attribute("value") or 0)
    assert f"{datetime.fromtimestamp(start, NEW_YORK):%Y-%m-%d}" == value


def test_what_is_typed_while_the_clock_is_found_out_stays(visit: Visit, offer: EventType) -> None:
    visitor = visit("/alice", zone="Asia/Tokyo")
    page = visitor.page
    answers = Answers(page)
    page.get_by_role("link", name="Advice").click()
    zone = page.get_by_label("Your time zone")
    zone.press("End")
    zone.press_sequentially("xy")
    zone.press("ArrowLeft")
    answers.come()
    expect(zone).to_have_value("UTCxy")
    expect(zone).to_be_focused()
    assert zone.evaluate("field => field.selectionEnd") == len("UTCx")
    # What was found out holds nevertheless.
    expect(page.get_by_text("there now (UTC+9)")).to_be_visible()
    zone.fill("lisbon")
    zone.press("Enter")
    answers.come()
    expect(zone).to_have_value("Lisbon")
    expect(page.get_by_role("heading", level=2)).to_be_focused()


def test_a_form_keeps_what_was_typed_while_the_clock_is_found_out(
    visit: Visit, offer: EventType
) -> None:
    start = int((timezone.now() + timedelta(days=3)).timestamp()) // 3600 * 3600
    page = visit("/").page
    answers = Answers(page)
    page.goto(f"/alice/advice?start={start}")
    page.get_by_label("Your name").press_sequentially("Jo")
    page.keyboard.press("Tab")
    page.keyboard.type("jo@example.com")
    answers.come()
    expect(page.get_by_label("Your name")).to_have_value("Jo")
    expect(page.get_by_label("Email")).to_have_value("jo@example.com")
    expect(page.get_by_label("Email")).to_be_focused()


def test_a_click_adds_to_what_is_not_shown_yet(visitor: Visitor, answers: Answers) -> None:
    page = visitor.page
    page.get_by_role("button", name="12 h").click()
    page.locator(DAYS).nth(7).click()
    page.locator(DAYS).nth(6).click()
    for _superseded in range(2):
        answers.fail()  # and an older request that fails leads nowhere
    answers.come()
    expect(page.get_by_role("button", name="12 h")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(DAYS).nth(6)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(DAYS).nth(6)).to_be_focused()
    visitor.complaints.clear()  # the browser itself notes what failed


def test_where_the_fetch_fails_the_browser_takes_over(visitor: Visitor, answers: Answers) -> None:
    page = visitor.page
    value = page.locator(DAYS).nth(3).get_attribute("value")
    page.locator(DAYS).nth(3).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    with page.expect_navigation():
        answers.fail()
    expect(page.locator(CHOSEN)).to_have_attribute("value", str(value))
    # The keys are the new page's from now on.
    page.locator(CHOSEN).press("ArrowRight")
    expect(page.locator(DAYS).nth(4)).to_be_focused()
    (complaint,) = visitor.complaints
    assert "net::ERR_FAILED" in complaint
    visitor.complaints.clear()


@pytest.mark.parametrize("who", ["invitee", "host"])
def test_keys_that_are_pressed_ahead_reschedule_to_that_day(
    visit: Visit, enter: Enter, alice: User, offer: EventType, who: str
) -> None:
    """Enter on a day, Tab and Enter on its first time, Tab past the way back, and a reason."""
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    booking = factories.booking(offer, start=start, now=timezone.now(), timezone="UTC")
    if who == "host":
        page = enter(alice, f"/bookings/{booking.pk}?day=").page
    else:
        page = visit(urlsplit(links.manage_url(booking)).path).page
    answers, keys = Answers(page), page.keyboard
    day = page.locator(f"{DAYS}[aria-pressed=false]").last
    value = str(day.get_attribute("value"))
    day.focus()
    for key in ("Enter", "Tab", "Enter", "Tab", "Tab"):
        keys.press(key)
    keys.type("The train is latr")
    for key in ("Backspace", "e", "r", "."):
        keys.press(key)
    expect(page.locator("[data-live]")).to_have_attribute("aria-busy", "true")
    assert len(answers.asked) == 1
    answers.come()
    answers.come()
    reason = page.locator("#reason-move")
    expect(reason).to_have_value("The train is later.")
    expect(reason).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Rescheduled")
    booking.refresh_from_db()
    assert f"{booking.start:%Y-%m-%d}" == value  # both read the times of UTC
    assert booking.history.get(change="rescheduled").reason == "The train is later."


def test_keys_that_are_pressed_ahead_ask_for_that_hour(
    enter: Enter, team: Team, alice: User, bob: User
) -> None:
    page = enter(alice, f"/meetings/new?mate={team.pk}:{bob.pk}").page
    month = page.locator("#month").inner_text()
    page.locator(".turn").last.click()
    expect(page.locator("#month")).not_to_have_text(month)
    answers, keys = Answers(page), page.keyboard
    day = page.locator(DAYS).nth(3)
    value = str(day.get_attribute("value"))
    day.focus()
    for key in ("Enter", "Tab", "Enter", "Tab", "Tab"):
        keys.press(key)
    keys.type("https://zoom.us/j/1")
    assert len(answers.asked) == 1
    answers.come()
    answers.come()
    expect(page.get_by_label("Meeting link")).to_have_value("https://zoom.us/j/1")
    keys.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Request sent to Bob Byrd.")
    asked = MeetingRequest.objects.get()
    assert (f"{asked.start:%Y-%m-%d}", asked.link) == (value, "https://zoom.us/j/1")


def test_a_file_can_be_asked_for_again(enter: Enter, alice: User) -> None:
    """The download leaves the page unchanged, so the form can be sent again."""
    page = enter(alice, "/settings/data").page
    for _time in range(2):
        with page.expect_download():
            page.get_by_role("button", name="Download my data").click()

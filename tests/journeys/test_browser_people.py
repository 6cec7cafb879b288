"""Pages for special needs: forced colors, and a language with long words."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import Team, User
from meetings.domain import services as meetings
from meetings.models import MeetingRequest
from scheduling.domain import services
from scheduling.rules.hours import WindowText
from tests import factories
from tests.journeys.browser import Enter, Visit
from tests.journeys.test_browser_looks import (
    BOOKING_TABS,
    MEETING_TABS,
    at_ten,
    book_in_every_state,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

# How an element looks to somebody who sees edges, grounds and letters.
_LOOK = """
element => {
  const { color, backgroundColor, borderTopColor, borderTopStyle, borderTopWidth } =
    getComputedStyle(element);
  return [color, backgroundColor, borderTopColor, borderTopStyle, borderTopWidth].join();
}
"""


def looks(page: Page, *selectors: str) -> list[str]:
    return [page.locator(selector).first.evaluate(_LOOK) for selector in selectors]


@pytest.fixture
def forced(visit: Visit, alice: User) -> Page:
    """Return Alice's booking page in forced colors."""
    factories.event_type(alice)
    page = visit("/alice/30-minute-meeting").page
    page.emulate_media(forced_colors="active")
    return page


def test_open_closed_and_chosen_days_differ_in_forced_colours(forced: Page) -> None:
    open_, closed = 'button.month-day[aria-pressed="false"]', "span.month-day"
    forced.locator(".turn").last.click()  # a month that has weekends, whatever is left of this one
    forced.locator(open_).first.wait_for()
    found = looks(forced, open_, closed, 'button.month-day[aria-pressed="true"]')
    assert len(set(found)) == 3, found


def test_one_of_two_and_a_length_that_is_chosen_do_too(forced: Page, alice: User) -> None:
    found = looks(forced, '.either [aria-pressed="true"]', '.either [aria-pressed="false"]')
    assert len(set(found)) == 2, found
    alice.event_types.update(durations=[30, 60])
    forced.goto("/alice/30-minute-meeting")
    found = looks(forced, ".lengths [aria-current]", ".lengths .slot:not([aria-current])")
    assert len(set(found)) == 2, found


@pytest.mark.parametrize("size", ["desk"])
def test_so_do_the_dates_of_a_host(enter: Enter, alice: User) -> None:
    other, off, chosen = at_ten(8), at_ten(9), at_ten(10)
    window = WindowText(start="07:00", end="11:30")
    services.set_override(user=alice, day=other.date(), windows=[window])
    services.set_override(user=alice, day=off.date(), windows=[])
    page = enter(alice).page
    page.emulate_media(forced_colors="active")
    found = set()
    for day in (other, off, chosen):
        page.goto(f"/settings/hours/dates?month={day:%Y-%m}&date={chosen:%Y-%m-%d}")
        found |= set(looks(page, f'a.month-day[href*="date={day:%Y-%m-%d}"]'))
    assert len(found) == 3, found


@pytest.mark.parametrize("size", ["phone"])
@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_nothing_sticks_out_on_a_phone_in_any_language(
    enter: Enter, team: Team, alice: User, bob: User, language: str
) -> None:
    for person in (alice, bob):
        person.language, person.time_format = language, "hh:mm a"
        person.timezone = "America/Argentina/ComodRivadavia"
        person.save()
    book_in_every_state(alice)
    now = timezone.now()
    for days, (asks, is_asked) in enumerate([(alice, bob), (bob, alice), (bob, alice)]):
        meeting = meetings.request_meeting(
            requester=asks,
            recipient_id=is_asked.pk,
            team_id=team.pk,
            date=(at_ten(days) + timedelta(hours=6, minutes=15)).isoformat(),  # afternoon there
            link="https://zoom.us/j/1234567890?pwd=abcdefghijklmnopqrstuvwxyz",
            now=now,
        )
        if days == 2:
            meetings.confirm(meeting=meeting, actor=alice, now=now)
    visitor = enter(alice)
    pages = [
        "/",
        "/event-types",
        "/settings/profile",
        "/settings/hours",
        "/settings/hours/dates",
        "/settings/security",
        "/alice",
        "/alice/chat",
        "/meetings/new",
        *(f"/meetings?tab={tab}" for tab in MEETING_TABS),
        *(f"/bookings?tab={tab}" for tab in BOOKING_TABS),
        *(f"/meetings/{row.pk}" for row in MeetingRequest.objects.all()),
        *(f"/bookings/{row.pk}" for row in alice.bookings.all()),
    ]
    wide = []
    for path in pages:
        visitor.page.goto(path)
        root = "document.documentElement"
        if not visitor.page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"):
            wide.append(path)
    assert wide == []

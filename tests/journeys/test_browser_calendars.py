"""Outside calendars in Chromium: connected, read, shown in the week, and overruled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django import Settings

from accounts.models import Team, User
from calendars.models import Calendar, CalendarAccount
from calendars.rules.expansion import ShownAs
from config.worker import EmbeddedWorker
from meetings.domain import services as meetings
from scheduling.domain import services as hosts
from tests import factories
from tests.calendars.ics import calendar, entry
from tests.calendars.servers import (
    PASSWORD,
    USERNAME,
    Asked,
    Said,
    Scripted,
    radicale_with_password,
    scripted,
)
from tests.calendars.world import Outside, event
from tests.journeys.browser import Enter, Visit
from tests.wire import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG = "Donaudampfschifffahrtsgesellschaftskapitän"


@pytest.fixture(autouse=True)
def _servers_may_be_here(settings: Settings) -> None:
    settings.CALENDAR_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def noon() -> datetime:
    """Return noon of today, in UTC."""
    return timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def server(noon: datetime) -> Iterator[Scripted]:
    """Run a server whose calendar has an hour, a tentative hour and a whole day today."""
    hour, later = (f"{moment:%Y%m%dT%H%M%SZ}" for moment in (noon, noon + 2 * HOUR))
    text = calendar(
        "X-WR-CALNAME:Private",
        entry(f"DTSTART:{hour}", "DURATION:PT1H", "SUMMARY:Dentist", uid="1"),
        entry(f"DTSTART:{later}", "DURATION:PT1H", "SUMMARY:Choir", "STATUS:TENTATIVE", uid="2"),
        entry(f"DTSTART;VALUE=DATE:{noon:%Y%m%d}", f"SUMMARY:{LONG}", uid="3"),
    )

    def answer(asked: Asked) -> Said:
        found = asked.path == "/secret.ics"
        return Said(200 if found else 404, {"Content-Type": "text/calendar"}, text.encode())

    with scripted(answer) as server:
        yield server


def test_a_calendar_address(
    enter: Enter, worker: EmbeddedWorker, server: Scripted, alice: User, size: str
) -> None:
    visitor = enter(alice, "/settings/profile")
    page, main = visitor.page, visitor.page.get_by_role("main")
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Calendars").click()
    visitor.look("calendars-none")
    main.get_by_role("link", name="Calendar address (ICS)").click()
    visitor.look("calendar-new-ics")
    main.get_by_label("Address").fill(f"{server.url}wrong.ics")
    main.get_by_role("button", name="Connect").click()
    expect(main.locator(".errorlist")).to_have_text("There is nothing at this address.")
    visitor.look("calendar-refused")
    main.get_by_label("Address").fill(f"{server.url}secret.ics")
    main.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("status")).to_contain_text("Private is connected.")
    expect(main.get_by_text("3 entries")).to_be_visible(timeout=20_000)
    main.get_by_role("button", name="Create address").click()
    expect(main.locator("#feed-address")).to_contain_text("/calendar/feed/")
    visitor.unfold()
    visitor.look("calendars")
    main.get_by_role("switch", name="Private: Include tentative entries").click()
    tentative = main.get_by_role("switch", name="Private: Include tentative entries")
    expect(tentative).to_have_attribute("aria-checked", "false")
    tentative.click()
    expect(tentative).to_have_attribute("aria-checked", "true")
    page.goto("/")
    expect(main.get_by_text("Dentist")).to_be_visible()
    visitor.look("home-calendars")
    # It cannot be read any more: what is known stays, and the page says so.
    server.answer = lambda asked: Said(503)
    page.goto("/settings/calendars")
    main.get_by_role("button", name="Read now Private").click()
    expect(page.get_by_role("status")).to_contain_text("Private is being read.")
    expect(main.get_by_text("It has not been readable since")).to_be_visible(timeout=20_000)
    visitor.look("calendars-failing")
    page.goto("/")
    expect(main.get_by_text("Your calendar Private has not been readable since")).to_be_visible()
    expect(main.get_by_text("Dentist")).to_be_visible()
    visitor.look("home-calendar-failing")
    page.goto("/settings/calendars")
    main.get_by_role("link", name="Disconnect Private").click()
    visitor.look("calendar-disconnect")
    main.get_by_role("button", name="Disconnect").click()
    expect(main.get_by_text("No calendar is connected yet")).to_be_visible()


def test_a_booking_in_a_calendar_of_radicale(
    enter: Enter,
    visit: Visit,
    worker: EmbeddedWorker,
    alice: User,
    noon: datetime,
    size: str,
    tmp_path: Path,
) -> None:
    """Connect it, see a time close, book another, find it in the calendar, cancel it."""
    every_day = {str(day): hosts.DayChange(enabled=True) for day in range(1, 8)}
    hosts.set_hours(user=alice, days=every_day, timezone="UTC")
    factories.event_type(alice, name="Advice")
    start = noon + 2 * DAY
    with radicale_with_password(tmp_path) as server:
        outside = Outside(server, server.make_calendar("<displayname>Work</displayname>"))
        outside.put("dentist", event("dentist@example.com", start))
        host = enter(alice, "/settings/calendars")
        main = host.page.get_by_role("main")
        main.get_by_role("link", name="CalDAV").click()
        main.get_by_label("Address").fill(server.url)
        main.get_by_label("User name").fill(USERNAME)
        main.get_by_label("Password").fill(PASSWORD)
        main.get_by_role("button", name="Connect").click()
        expect(host.page.get_by_text("1 entry")).to_be_visible(timeout=20_000)
        choices = main.get_by_role("group", name="Add my bookings to")
        choices.get_by_role("radio", name="Work").check()
        main.locator("#write-to").get_by_role("button", name="Save").click()
        host.look("calendars-radicale")

        guest = visit("/alice/advice?hours=24&zone=UTC", size, zone="UTC")
        page = guest.page
        page.locator(f"button.month-day[value='{start.date()}']").click()
        expect(page.locator("button.slot", has_text="12:30")).to_be_visible()
        expect(page.locator("button.slot", has_text="12:00")).to_have_count(0)
        page.locator("button.slot", has_text="12:30").click()
        page.get_by_label("Your name").fill("Jo Stranger")
        page.get_by_label("Email").fill("jo@example.com")
        page.get_by_role("button", name="Book").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Booking confirmed")
        until(lambda: any("Advice: Jo Stranger" in each for each in outside.objects()))
        page.get_by_role("link", name="Reschedule or cancel").click()
        page.locator("summary", has_text="Cancel").click()
        page.get_by_role("button", name="Cancel the booking").click()
        expect(page.get_by_role("main")).to_contain_text("You cancelled this booking.")
        until(lambda: len(outside.objects()) == 1)


def test_several_calendars(enter: Enter, alice: User) -> None:
    """Two accounts: one written to without success, one refused, names long."""
    first = factories.read_calendar(alice, name=LONG, host="cloud.example.com")
    factories.read_calendar(alice, name="Team", host="dav.example.org")
    Calendar.objects.filter(pk=first.pk).update(
        writes=True, write_error="forbidden", blocks_all_day=False
    )
    CalendarAccount.objects.filter(name="Team").update(state="revoked", error="unauthorized")
    Calendar.objects.create(
        account=first.account, user=alice, href="/holidays/", name="Holidays", color="#33aa55"
    )
    visitor = enter(alice, "/settings/calendars")
    visitor.look("calendars-many")
    visitor.looks(
        {
            "calendar-new-caldav": "/settings/calendars/new/caldav",
            "calendar-edit": f"/settings/calendars/accounts/{first.account_id}",
        }
    )


def test_a_meeting_at_a_time_of_the_own_calendar(
    enter: Enter, team: Team, alice: User, bob: User, noon: datetime
) -> None:
    start = noon + DAY
    asked = meetings.request_meeting(
        requester=alice,
        recipient_id=bob.pk,
        team_id=team.pk,
        date=start.isoformat(),
        link="",
        now=timezone.now(),
    )
    factories.entry(factories.read_calendar(bob), start=start, end=start + HOUR)
    visitor = enter(bob, f"/meetings/{asked.pk}")
    expect(visitor.page.get_by_text("Dentist (Own)")).to_be_visible()
    visitor.looks({"meeting-clash": f"/meetings/{asked.pk}", "home-clash": "/"})
    visitor.page.get_by_role("button", name="Confirm anyway").click()
    expect(visitor.page.get_by_role("status")).to_contain_text("Confirmed")


def test_a_booking_is_moved_over_the_own_calendar(
    enter: Enter, alice: User, noon: datetime
) -> None:
    every_day = {str(day): hosts.DayChange(enabled=True) for day in range(1, 8)}
    hosts.set_hours(user=alice, days=every_day, timezone="UTC")
    offered = factories.event_type(alice, available_days=[1, 2, 3, 4, 5, 6, 7])
    booked = factories.booking(offered, start=noon + 2 * DAY, now=timezone.now())
    start = noon + 3 * DAY
    own = factories.read_calendar(alice)
    factories.entry(own, start=start, end=start + HOUR, shown_as=ShownAs.TENTATIVE)
    visitor = enter(alice, f"/bookings/{booked.pk}?day={start.date()}#move")
    page = visitor.page
    expect(page.get_by_text("Dashed: your own calendar has something then.")).to_be_visible()
    visitor.look("booking-move-clash")
    page.locator(f'button.slot[value="{int(start.timestamp())}"]').click()
    expect(page.get_by_role("alert")).to_contain_text("Dentist (Own)")
    visitor.look("booking-move-asked")
    page.get_by_role("button", name="anyway").click()
    expect(page.get_by_role("status")).to_contain_text("Rescheduled")

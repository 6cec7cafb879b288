"""GET availability with include_unavailable: what closes a slot, for the host alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from calendars.models import Calendar, CalendarAccount
from meetings.domain import services as meetings
from scheduling.models import EventType
from tests import factories
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HOUR = timedelta(hours=1)
DAY = "start_date=2026-03-04&end_date=2026-03-04"


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:read")


@pytest.fixture
def hourly(alice: User) -> EventType:
    return factories.event_type(alice, name="Hour", duration=60, slot_interval=60)


@pytest.fixture
def calendar(alice: User) -> Calendar:
    return factories.calendar(alice, now=NOW)


def ask(api: Client, event_type: EventType, query: str = "include_unavailable=true") -> Any:
    url = f"/api/v1/event_types/{event_type.pk}/availability?{DAY}&{query}"
    answer = api.get(url)
    assert answer.status_code == 200, answer.content
    return answer.json()


def sources(api: Client, event_type: EventType) -> dict[str, tuple[str, str]]:
    """Return reason and source of the closed slots, by their time."""
    [day] = ask(api, event_type)["data"]
    return {
        slot["start_time"][11:16]: (slot["reason"], slot.get("source", ""))
        for slot in day["slots"]
        if not slot["available"]
    }


def test_bookings_meetings_and_calendars(
    api: Client,
    alice: User,
    bob: User,
    team: Team,
    hourly: EventType,
    calendar: Calendar,
    book: Book,
) -> None:
    book()
    asked = meetings.request_meeting(
        requester=bob,
        recipient_id=alice.pk,
        team_id=team.pk,
        date=(START + HOUR).isoformat(),
        link="",
        now=NOW,
    )
    meetings.confirm(meeting=asked, actor=alice, now=NOW)
    factories.entry(calendar, start=START + 2 * HOUR, end=START + 3 * HOUR)
    assert sources(api, hourly) == {
        "10:00": ("busy", "booking"),
        "11:00": ("busy", "meeting"),
        "12:00": ("busy", "calendar: Work"),
    }


def test_a_buffer_names_what_it_meets(api: Client, alice: User, calendar: Calendar) -> None:
    buffered = factories.event_type(
        alice, duration=60, slot_interval=60, buffer_time_before=30, buffer_time_after=30
    )
    factories.entry(calendar, start=START, end=START + HOUR / 2)
    assert sources(api, buffered) == {
        "09:00": ("buffer", "calendar: Work"),
        "10:00": ("busy", "calendar: Work"),
    }


def test_a_booking_is_named_before_a_calendar(
    api: Client, hourly: EventType, calendar: Calendar, book: Book
) -> None:
    book(start=START + HOUR / 2)
    factories.entry(calendar, start=START - HOUR, end=START + 2 * HOUR)
    assert sources(api, hourly) == {
        "09:00": ("busy", "calendar: Work"),
        "10:00": ("busy", "booking"),
        "11:00": ("busy", "calendar: Work"),
    }


def test_a_long_entry_is_found_behind_short_ones(
    api: Client, alice: User, hourly: EventType, calendar: Calendar
) -> None:
    home = factories.calendar(alice, now=NOW, name="Home")
    factories.entry(home, start=START - HOUR, end=START + 6 * HOUR)
    for number in range(3):
        start = START + number * HOUR / 6
        factories.entry(calendar, start=start, end=start + HOUR / 6, title=f"short {number}")
    assert sources(api, hourly)["14:00"] == ("busy", "calendar: Home")


def test_other_reasons_have_no_source(api: Client, alice: User, calendar: Calendar) -> None:
    far = factories.event_type(alice, duration=60, slot_interval=60, max_advance_booking=1)
    factories.entry(calendar, start=START, end=START + HOUR)
    assert set(sources(api, far).values()) == {("horizon", "")}


def test_calendars_that_close_time_say_when_they_were_read(
    api: Client, alice: User, bob: User, hourly: EventType, calendar: Calendar
) -> None:
    factories.calendar(bob, now=NOW)
    idle = factories.calendar(alice, now=NOW, name="Idle")
    Calendar.objects.filter(pk=calendar.pk).update(read_at=NOW - HOUR, error="timeout")
    Calendar.objects.filter(pk=idle.pk).update(blocks=False)
    CalendarAccount.objects.update(read_at=NOW - HOUR / 2)
    assert ask(api, hourly)["calendars"] == [
        {
            "uuid": calendar.uuid,
            "id": calendar.pk,
            "name": "Work",
            "as_of": "2026-03-02T08:30:00Z",
            "error": "timeout",
        }
    ]


def test_the_usual_query_tells_neither(api: Client, hourly: EventType, calendar: Calendar) -> None:
    factories.entry(calendar, start=START, end=START + HOUR)
    body = ask(api, hourly, "include_unavailable=false")
    assert set(body) == {"data"}
    assert "Work" not in str(body)


@pytest.mark.parametrize("count", [1, 20])
def test_explaining_takes_two_queries_more(
    api: Client,
    hourly: EventType,
    calendar: Calendar,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(count):
        factories.entry(calendar, start=START, end=START + HOUR, title=f"entry {number}")
    ask(api, hourly)
    with django_assert_num_queries(6):  # as usual four, the claims of slots, calendars
        ask(api, hourly)


def test_an_inactive_event_type_has_calendars_and_no_slots(
    api: Client, alice: User, calendar: Calendar
) -> None:
    idle = factories.event_type(alice, is_active=False)
    body = ask(api, idle)
    assert (body["data"], len(body["calendars"])) == ([], 1)

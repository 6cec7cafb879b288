"""Slots and bookings of event types that follow a schedule of their own."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from core.errors import Invalid
from scheduling.domain import bookings, services
from scheduling.models import EventType, Schedule
from scheduling.rules.hours import WindowText
from tests import factories
from tests.pages import NOW, START
from tests.scheduling.calls import call, data, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.usefixtures("at_now")
EVENING = START + timedelta(hours=8)  # 18:00


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice)


@pytest.fixture
def late(event_type: EventType, evenings: Schedule) -> EventType:
    """Return the event type of `book`, which follows the evenings."""
    return services.update_event_type(event_type=event_type, schedule=evenings)


def starts(api: Client, event_type: EventType, day: str = "2026-03-04") -> list[str]:
    query = f"start_date={day}&end_date={day}"
    found = data(call(api, "GET", f"/event_types/{event_type.uuid}/availability?{query}"))
    return [slot["start_time"][11:16] for each in found for slot in each["slots"]]


def test_its_slots_lie_in_the_hours_of_its_schedule(
    api: Client, alice: User, late: EventType
) -> None:
    assert starts(api, late) == ["18:00", "18:30", "19:00", "19:30", "20:00", "20:30"]
    other = factories.event_type(alice, name="By day")
    assert starts(api, other)[0] == "09:00"


def test_a_single_date_wins_over_every_schedule(api: Client, alice: User, late: EventType) -> None:
    windows = [WindowText(start="10:00", end="11:00")]
    services.set_override(user=alice, day=START.date(), windows=windows)
    assert starts(api, late) == ["10:00", "10:30"]


def test_all_schedules_are_those_of_the_hosts_clock(
    api: Client, alice: User, late: EventType
) -> None:
    services.set_hours(user=alice, days={}, timezone="Asia/Tokyo")
    assert starts(api, late)[0] == "09:00"  # 18:00 there


def test_what_is_shown_is_what_can_be_booked(late: EventType, book: Book) -> None:
    with pytest.raises(Invalid, match="outside the host's availability"):
        book(start=START)
    booking = book(start=EVENING)
    moved = EVENING + timedelta(hours=1)
    bookings.reschedule(booking=booking, start=moved, actor=bookings.INVITEE, now=NOW)
    with pytest.raises(Invalid, match="outside the host's availability"):
        bookings.reschedule(booking=booking, start=START, actor=bookings.INVITEE, now=NOW)


def test_time_is_taken_in_all_schedules(api: Client, alice: User, late: EventType) -> None:
    services.set_hours(user=alice, days={"3": services.DayChange(start="09:00", end="21:00")})
    factories.booking(factories.event_type(alice, name="By day"), start=EVENING, now=NOW)
    assert starts(api, late)[0] == "18:30"


def test_availability_takes_as_many_queries_as_without_a_schedule(
    api: Client, late: EventType, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    starts(api, late)  # the token's last use is noted
    with django_assert_num_queries(4):  # token, event type with hours, overrides, claims
        assert starts(api, late)


def test_the_api_chooses_a_schedule_and_gives_it_up(
    api: Client, late: EventType, evenings: Schedule
) -> None:
    def followed(**fields: object) -> object:
        answer = data(call(api, "PATCH", f"/event_types/{late.pk}", fields))
        return answer["scheduling_settings"]["schedule_id"]

    assert followed(name="Renamed") == evenings.pk
    assert followed(schedule_id=None) is None
    assert followed(schedule_id=evenings.pk) == evenings.pk
    made = data(
        call(
            api,
            "POST",
            "/event_types",
            {"name": "New", "duration": 30, "schedule_id": evenings.pk},
        ),
        201,
    )
    assert made["scheduling_settings"]["schedule_id"] == evenings.pk


def test_a_schedule_of_somebody_else_is_422(api: Client, late: EventType, bob: User) -> None:
    for wanted in (bob.weekly_availability.default.pk, 10**18):
        answer = call(api, "PATCH", f"/event_types/{late.pk}", {"schedule_id": wanted})
        assert wrong(answer) == [("schedule_id", "You have no such schedule.")]
    answer = call(api, "PATCH", f"/event_types/{late.pk}", {"schedule_id": "1"})
    assert wrong(answer) == [("schedule_id", "A valid integer is required.")]

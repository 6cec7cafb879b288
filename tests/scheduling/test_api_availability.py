"""GET /api/v1/event_types/{id}/availability: open slots."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from scheduling.domain import services
from scheduling.models import EventType
from scheduling.rules.hours import WindowText
from tests import factories
from tests.pages import NOW
from tests.scheduling.calls import call, data, missing, wrong
from tests.scheduling.conftest import Book

# An answer of one date.
EXAMPLE = {
    "data": [
        {
            "date": "2025-06-20",
            "slots": [
                {
                    "start_time": "2025-06-20T09:00:00Z",
                    "end_time": "2025-06-20T10:00:00Z",
                    "available": True,
                },
                {
                    "start_time": "2025-06-20T10:30:00Z",
                    "end_time": "2025-06-20T11:30:00Z",
                    "available": True,
                },
            ],
        }
    ]
}
BAD_DATE = "Use a date such as 2026-12-15."
NO_DATE = "There is no such date."
BAD_YEAR = "Use a year from 1900 to 9000."

pytestmark = pytest.mark.usefixtures("at_now")

Ask = Callable[..., dict[str, list[str]]]


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:read")


@pytest.fixture
def hourly(alice: User) -> EventType:
    """Return an event type with eight starts a day: 9:00, 10:00, ... 16:00 UTC."""
    return factories.event_type(alice, name="An hour", duration=60)


def starts(answer: tuple[int, Any]) -> dict[str, list[str]]:
    """Return the starts of each date, such as `2T09:00` for 9:00 on the second of March."""
    return {
        day["date"]: [slot["start_time"].removeprefix("2026-03-")[:-4] for slot in day["slots"]]
        for day in data(answer)
    }


@pytest.fixture
def ask(api: Client, hourly: EventType) -> Ask:
    """Return a function that gets the starts of `hourly` for a query."""

    def ask(query: str = "", of: EventType = hourly) -> dict[str, list[str]]:
        return starts(call(api, "GET", f"/event_types/{of.pk}/availability?{query}"))

    return ask


def hours(day: int, first: int = 9, last: int = 16) -> list[str]:
    return [f"{day:02}T{hour:02}:00" for hour in range(first, last + 1)]


def test_it_has_the_documented_shape(api: Client, alice: User) -> None:
    made = factories.event_type(alice, duration=60, buffer_time_before=15, buffer_time_after=15)
    day = date(2025, 6, 20)
    services.set_override(user=alice, day=day, windows=[{"start": "09:00", "end": "12:00"}])
    with time_machine.travel(datetime(2025, 6, 20, 7, tzinfo=UTC), tick=False):
        for key in (made.pk, made.uuid):
            url = f"/event_types/{key}/availability"
            assert call(api, "GET", f"{url}?start_date=2025-06-20&end_date=2025-06-20") == (
                200,
                EXAMPLE,
            )


def test_without_dates_it_is_seven_days_from_today(ask: Ask) -> None:
    assert ask() == {f"2026-03-0{day}": hours(day) for day in range(2, 7)}  # no weekend
    assert ask("start_date=2026-03-05") == {
        f"2026-03-{day:02}": hours(day) for day in (5, 6, 9, 10, 11)
    }
    assert ask("end_date=2026-03-03") == {f"2026-03-0{day}": hours(day) for day in (2, 3)}
    assert ask("start_date=2026-03-04&end_date=2026-03-04") == {"2026-03-04": hours(4)}


def test_today_is_the_event_types_own(ask: Ask, hourly: EventType) -> None:
    services.update_event_type(event_type=hourly, timezone="Pacific/Honolulu")  # 10 h behind
    found = ask()
    assert list(found) == [f"2026-03-0{day}" for day in range(1, 7)]
    assert (found["2026-03-01"], found["2026-03-02"], found["2026-03-06"]) == (
        hours(2, 9, 9),
        hours(2, 10) + hours(3, 9, 9),
        hours(6, 10),
    )


def test_dates_are_those_of_the_query(ask: Ask) -> None:
    assert ask("start_date=2026-03-03&end_date=2026-03-04&timezone=Pacific/Apia") == {
        "2026-03-03": hours(2, 11) + hours(3, 9, 10),  # 13 h ahead
        "2026-03-04": hours(3, 11) + hours(4, 9, 10),
    }
    assert ask("start_date=2026-03-03&end_date=2026-03-03&timezone=Asia/Kathmandu") == {
        "2026-03-03": hours(3)  # 14:45 to 22:45
    }


def test_dates_that_are_past_have_no_slots(ask: Ask) -> None:
    assert ask("start_date=2026-02-16&end_date=2026-03-02") == {"2026-03-02": hours(2)}
    assert ask("start_date=2026-02-01&end_date=2026-03-01") == {}
    assert ask("start_date=1900-01-01&end_date=1900-01-31") == {}
    assert ask("start_date=2026-02-16&end_date=2026-03-01&include_unavailable=true") == {}


@time_machine.travel(NOW + timedelta(hours=3, minutes=1), tick=False)
def test_what_has_begun_today_is_not_shown(api: Client, hourly: EventType) -> None:
    answer = call(api, "GET", f"/event_types/{hourly.pk}/availability?end_date=2026-03-02")
    assert starts(answer) == {"2026-03-02": hours(2, 13)}


def test_a_day_with_nothing_left_is_left_out(
    ask: Ask, alice: User, hourly: EventType, book: Book
) -> None:
    services.set_override(
        user=alice, day=date(2026, 3, 4), windows=[{"start": "10:00", "end": "11:00"}]
    )
    book(of=hourly)
    assert ask("start_date=2026-03-04&end_date=2026-03-05") == {"2026-03-05": hours(5)}


def test_the_hours_of_the_week(ask: Ask, alice: User) -> None:
    apart: list[WindowText] = [
        {"start": "12:30", "end": "15:00"},
        {"start": "09:00", "end": "11:00"},
    ]
    services.set_hours(
        user=alice,
        days={
            "2": {"windows": apart},
            "3": {"enabled": False},
            "6": {"enabled": True, "start": "22:00", "end": "24:00"},
        },
    )
    assert ask("start_date=2026-03-02&end_date=2026-03-08") == {
        "2026-03-02": hours(2),
        "2026-03-03": ["03T09:00", "03T10:00", "03T12:30", "03T13:30"],
        "2026-03-05": hours(5),
        "2026-03-06": hours(6),
        "2026-03-07": hours(7, 22, 23),
    }


def test_other_hours_of_single_dates(ask: Ask, alice: User) -> None:
    others: dict[int, list[WindowText]] = {
        3: [],
        4: [{"start": "13:00", "end": "14:00"}, {"start": "06:00", "end": "07:30"}],
        7: [{"start": "09:00", "end": "10:00"}],
    }
    for day, windows in others.items():
        services.set_override(user=alice, day=date(2026, 3, day), windows=windows)
    assert ask("start_date=2026-03-03&end_date=2026-03-08") == {
        "2026-03-04": ["04T06:00", "04T13:00"],
        "2026-03-05": hours(5),
        "2026-03-06": hours(6),
        "2026-03-07": ["07T09:00"],
    }


def test_the_days_of_the_event_type_narrow_the_hours(
    ask: Ask, alice: User, hourly: EventType
) -> None:
    services.update_event_type(event_type=hourly, available_days=[2, 6])
    services.set_override(
        user=alice, day=date(2026, 3, 4), windows=[{"start": "09:00", "end": "10:00"}]
    )
    assert ask() == {"2026-03-03": hours(3)}


def test_the_host_moves_and_the_hours_stay(ask: Ask, alice: User) -> None:
    before = ask()
    data(call(factories.client(alice), "PATCH", "/users/me", {"timezone": "Asia/Tokyo"}))
    assert ask() == before


def test_a_summer_time_that_begins(ask: Ask, alice: User) -> None:
    """New York is four hours behind UTC from 8 March on, and five hours before."""
    services.set_hours(
        user=alice,
        days={"7": {"enabled": True}, "6": {"enabled": True}},
        timezone="America/New_York",
    )
    assert ask("start_date=2026-03-07&end_date=2026-03-08") == {
        "2026-03-07": hours(7, 14, 21),
        "2026-03-08": hours(8, 13, 20),
    }


def test_an_event_type_that_is_not_active_offers_nothing(ask: Ask, hourly: EventType) -> None:
    services.update_event_type(event_type=hourly, is_active=False)
    assert (ask(), ask("include_unavailable=true")) == ({}, {})


# --- the query ------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["2026-05-02", "2026-03-02"])
def test_62_dates_may_be_asked_for(ask: Ask, hourly: EventType, last: str) -> None:
    found = ask(f"start_date=2026-03-02&end_date={last}")
    assert (min(found), max(found)) == ("2026-03-02", "2026-05-01" if last > "2026-04" else last)


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("start_date=tomorrow", [("start_date", BAD_DATE)]),
        ("start_date=", [("start_date", BAD_DATE)]),
        ("start_date=2026-3-2", [("start_date", BAD_DATE)]),
        ("start_date=20260302", [("start_date", BAD_DATE)]),
        ("start_date=2026-W10-1", [("start_date", BAD_DATE)]),
        ("start_date=2026-03-02T00:00:00Z", [("start_date", BAD_DATE)]),
        ("start_date=2026-02-29", [("start_date", NO_DATE)]),
        ("start_date=2026-13-01", [("start_date", NO_DATE)]),
        ("start_date=0000-01-01", [("start_date", NO_DATE)]),
        ("start_date=0001-01-01", [("start_date", BAD_YEAR)]),
        ("start_date=9999-12-31", [("start_date", BAD_YEAR)]),
        ("end_date=9999-12-31", [("end_date", BAD_YEAR)]),
        ("end_date=x&start_date=y", [("start_date", BAD_DATE), ("end_date", BAD_DATE)]),
        (
            "start_date=2026-03-05&end_date=2026-03-04",
            [("end_date", "The end may not be before the start.")],
        ),
        ("end_date=2026-03-01", [("end_date", "The end may not be before the start.")]),
        (
            "start_date=2026-03-02&end_date=2026-05-03",
            [("end_date", "Ask for at most 62 dates.")],
        ),
        ("end_date=2026-05-03", [("end_date", "Ask for at most 62 dates.")]),
        ("timezone=Mars/Phobos", [("timezone", "“Mars/Phobos” is not a time zone.")]),
        ("timezone=UTC&timezone=UTC", [("timezone", "Give this parameter once.")]),
        *(
            (f"include_unavailable={value}", [("include_unavailable", "Use true or false.")])
            for value in ("2", "", "yes")
        ),
    ],
)
def test_a_query_that_makes_no_sense_is_422(
    api: Client, hourly: EventType, query: str, details: list[tuple[str, str]]
) -> None:
    assert wrong(call(api, "GET", f"/event_types/{hourly.pk}/availability?{query}")) == details


@pytest.mark.parametrize("day", ["1900-01-01", "9000-12-31"])
def test_far_off_dates_have_nothing_open(ask: Ask, day: str) -> None:
    assert ask(f"start_date={day}") == {}


def test_whose_it_is_not_finds_nothing(
    hourly: EventType, bob: User, charlie: User, team: Team
) -> None:
    for person in (bob, charlie):
        answer = call(factories.client(person), "GET", f"/event_types/{hourly.pk}/availability")
        assert missing(answer) == "event type not found"


@pytest.mark.parametrize("limit", [None, 5])
@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    api: Client,
    hourly: EventType,
    book: Book,
    rows: int,
    limit: int | None,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    services.update_event_type(event_type=hourly, daily_limit=limit, weekly_limit=limit)
    for number in range(rows):
        book(of=hourly, start=NOW + timedelta(days=1, hours=number))
    url = f"/event_types/{hourly.uuid}/availability?start_date=2026-03-02"
    call(api, "GET", url)  # the token's last use is noted
    for last, found in (("2026-03-03", 16 - rows), ("2026-05-02", 45 * 8 - rows)):
        with django_assert_num_queries(4):  # token, event type with hours, overrides, claims
            answer = call(api, "GET", f"{url}&end_date={last}")
        assert sum(map(len, starts(answer).values())) == found

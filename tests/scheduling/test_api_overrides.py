"""/api/v1/users/me/availability/overrides: date-specific hours."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.models import DateOverride
from tests import factories
from tests.scheduling.calls import call, data, missing, wrong

URL = "/users/me/availability/overrides"
MORNING, EVENING = {"start": "09:00", "end": "12:00"}, {"start": "18:00", "end": "24:00"}


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:write")


def put(api: Client, day: str, *windows: Any) -> Any:
    return call(api, "PUT", f"{URL}/{day}", {"windows": list(windows)})


def test_a_date_has_other_hours(api: Client) -> None:
    for _ in range(2):
        assert put(api, "2026-03-04", EVENING, MORNING) == (
            200,
            {"data": {"date": "2026-03-04", "windows": [MORNING, EVENING]}},
        )
    assert put(api, "2026-03-04", MORNING) == (
        200,
        {"data": {"date": "2026-03-04", "windows": [MORNING]}},
    )
    assert call(api, "GET", URL) == (
        200,
        {
            "data": [{"date": "2026-03-04", "windows": [MORNING]}],
            "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1},
        },
    )


def test_none_is_a_day_off(api: Client) -> None:
    assert data(put(api, "2026-03-04")) == {"date": "2026-03-04", "windows": []}


def test_they_come_by_date_and_page_by_page(api: Client) -> None:
    for day in ("2026-03-04", "2026-01-01", "2026-12-31"):
        put(api, day)
    dates = [row["date"] for row in data(call(api, "GET", URL))]
    assert dates == ["2026-01-01", "2026-03-04", "2026-12-31"]
    status, body = call(api, "GET", f"{URL}?limit=2&page=2")
    assert (status, body) == (
        200,
        {
            "data": [{"date": "2026-12-31", "windows": []}],
            "pagination": {"page": 2, "limit": 2, "total": 3, "pages": 2},
        },
    )


def test_the_usual_hours_come_back(api: Client) -> None:
    put(api, "2026-03-04")
    put(api, "2026-03-05")
    url = f"{URL}/2026-03-04"
    assert call(api, "DELETE", url) == (200, {"message": "Override deleted successfully"})
    assert missing(call(api, "DELETE", url)) == "override not found"
    assert list(DateOverride.objects.values_list("date", flat=True)) == [date(2026, 3, 5)]


def test_everybody_has_their_own(api: Client, bob: User) -> None:
    put(api, "2026-03-04", MORNING)
    other = factories.client(bob)
    assert data(call(other, "GET", URL)) == []
    assert missing(call(other, "DELETE", f"{URL}/2026-03-04")) == "override not found"
    assert data(put(other, "2026-03-04", EVENING))["windows"] == [EVENING]
    assert data(call(api, "GET", URL)) == [{"date": "2026-03-04", "windows": [MORNING]}]


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2026-02-30", "There is no such date."),
        ("2026-13-01", "There is no such date."),
        ("tomorrow", "Use a date such as 2026-12-15."),
        ("2026-3-4", "Use a date such as 2026-12-15."),
        ("20260304", "Use a date such as 2026-12-15."),
        ("2026-03-04T00:00", "Use a date such as 2026-12-15."),
        ("1", "Use a date such as 2026-12-15."),
        ("%00", "Use a date such as 2026-12-15."),
        ("0001-01-01", "Use a year from 1900 to 9000."),
        ("9999-12-31", "Use a year from 1900 to 9000."),
    ],
)
def test_what_is_no_date_is_404(api: Client, day: str, message: str) -> None:
    assert missing(put(api, day, MORNING)) == message
    assert missing(call(api, "DELETE", f"{URL}/{day}")) == message
    assert DateOverride.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, [("windows", "Windows is required")]),
        ({"windows": None}, [("windows", "This field may not be null.")]),
        ({"windows": "off"}, [("windows", 'Expected a list of items but got type "str".')]),
        (
            {"windows": [5]},
            [("windows.0", "Invalid data. Expected a dictionary, but got int.")],
        ),
        ({"windows": [{"start": "09:00"}]}, [("windows.0.end", "End is required")]),
        (
            {"windows": [MORNING, {"start": "9", "end": "10:00"}]},
            [("windows.1.start", "Use a time such as 09:30, up to 24:00.")],
        ),
        (
            {"windows": [{"start": "12:00", "end": "09:00"}]},
            [("windows.0.end", "The end must be after the start.")],
        ),
        ({"windows": [MORNING, MORNING]}, [("windows", "Time ranges of a day may not overlap.")]),
    ],
)
def test_hours_that_make_no_sense_are_422(
    api: Client, body: dict[str, Any], details: list[tuple[str, str]]
) -> None:
    put(api, "2026-03-04", EVENING)
    assert wrong(call(api, "PUT", f"{URL}/2026-03-04", body)) == details
    assert data(call(api, "GET", URL)) == [{"date": "2026-03-04", "windows": [EVENING]}]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    api: Client, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        put(api, f"2026-03-0{number + 1}", MORNING)
    with django_assert_num_queries(2):  # token, rows with their count
        answer = call(api, "GET", URL)
    assert len(data(answer)) == rows

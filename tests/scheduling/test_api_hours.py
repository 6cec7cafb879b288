"""GET, PUT and PATCH /api/v1/users/me/availability: the weekly hours and their zone."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests import factories
from tests.scheduling.calls import call, data, wrong

URL = "/users/me/availability"
NINE_TO_FIVE = {"start": "09:00", "end": "17:00"}

# Hours as they are answered, and as they are sent.
EXAMPLE = {
    "availability": {
        "1": {"enabled": True, "start": "09:00", "end": "17:00"},
        "2": {"enabled": True, "start": "09:00", "end": "17:00"},
        "3": {"enabled": True, "start": "09:00", "end": "17:00"},
        "4": {"enabled": True, "start": "09:00", "end": "17:00"},
        "5": {"enabled": True, "start": "09:00", "end": "17:00"},
        "6": {"enabled": False, "start": "09:00", "end": "17:00"},
        "7": {"enabled": False, "start": "09:00", "end": "17:00"},
    },
    "timezone": "America/New_York",
}
EXAMPLE_CHANGE: dict[str, Any] = {
    "availability": {
        "1": {"enabled": True, "start": "08:00", "end": "18:00"},
        "2": {"enabled": True, "start": "08:00", "end": "18:00"},
        "3": {"enabled": True, "start": "08:00", "end": "18:00"},
        "4": {"enabled": True, "start": "08:00", "end": "18:00"},
        "5": {"enabled": True, "start": "08:00", "end": "16:00"},
        "6": {"enabled": False, "start": "09:00", "end": "17:00"},
        "7": {"enabled": False, "start": "09:00", "end": "17:00"},
    },
    "timezone": "America/New_York",
}
NO_TIME = "Use a time such as 09:30, up to 24:00."
NO_DAY = "Days are 1 (Monday) to 7."
NO_END = "The end must be after the start."
OVERLAP = "Time ranges of a day may not overlap."


def span(start: str, end: str) -> dict[str, str]:
    return {"start": start, "end": end}


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:write")


def test_a_new_account_has_the_documented_hours_in_its_own_zone(db: None) -> None:
    dora = factories.user("dora", timezone="America/New_York")
    status, body = call(factories.client(dora, "availability:read"), "GET", URL)
    assert (status, body) == (200, {"data": EXAMPLE})
    assert list(body["data"]["availability"]) == list("1234567")
    assert list(body["data"]["availability"]["1"]) == ["enabled", "start", "end"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_documented_request_is_answered_as_it_was_sent(api: Client, method: str) -> None:
    for _ in range(2):
        assert call(api, method, URL, EXAMPLE_CHANGE) == (200, {"data": EXAMPLE_CHANGE})
    assert call(api, "GET", URL) == (200, {"data": EXAMPLE_CHANGE})


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("day", "sent", "shown"),
    [
        ("1", {"start": "08:30"}, {"enabled": True, **span("08:30", "17:00")}),
        ("1", {"end": "12:00"}, {"enabled": True, **span("09:00", "12:00")}),
        ("1", span("00:00", "24:00"), {"enabled": True, **span("00:00", "24:00")}),
        ("1", span("23:59", "24:00"), {"enabled": True, **span("23:59", "24:00")}),
        # A disabled day keeps its hours, and can be given others.
        ("1", {"enabled": False}, {"enabled": False, **NINE_TO_FIVE}),
        ("7", {"enabled": True}, {"enabled": True, **NINE_TO_FIVE}),
        ("7", span("10:00", "11:00"), {"enabled": False, **span("10:00", "11:00")}),
        ("1", {}, {"enabled": True, **NINE_TO_FIVE}),
        # The answer lists two or more windows, in order. It does not list a single one.
        (
            "1",
            {"windows": [span("13:00", "17:00"), span("09:00", "12:00")]},
            {
                "enabled": True,
                **NINE_TO_FIVE,
                "windows": [span("09:00", "12:00"), span("13:00", "17:00")],
            },
        ),
        (
            "1",
            {"windows": [span("09:00", "12:00"), span("12:00", "24:00")]},
            {
                "enabled": True,
                **span("09:00", "24:00"),
                "windows": [span("09:00", "12:00"), span("12:00", "24:00")],
            },
        ),
        ("1", {"windows": [span("10:00", "11:00")]}, {"enabled": True, **span("10:00", "11:00")}),
        # They win.
        (
            "1",
            {**span("01:00", "02:00"), "windows": [span("10:00", "11:00")]},
            {"enabled": True, **span("10:00", "11:00")},
        ),
        (
            "1",
            {"start": "24:00", "windows": [span("10:00", "11:00")]},
            {"enabled": True, **span("10:00", "11:00")},
        ),
    ],
)
def test_a_day_changes_and_the_others_stay(
    api: Client, method: str, day: str, sent: dict[str, Any], shown: dict[str, Any]
) -> None:
    before = data(call(api, "GET", URL))
    after = data(call(api, method, URL, {"availability": {day: sent}}))
    assert after == {
        "availability": before["availability"] | {day: shown},
        "timezone": "UTC",
    }
    assert data(call(api, "GET", URL)) == after


def test_what_is_read_can_be_sent_back(api: Client) -> None:
    windows = [span("09:00", "12:00"), span("13:00", "17:00")]
    data(call(api, "PUT", URL, {"availability": {"2": {"enabled": False, "windows": windows}}}))
    before = data(call(api, "GET", URL))
    assert data(call(api, "PUT", URL, before)) == before
    enabled = data(call(api, "PATCH", URL, {"availability": {"2": {"enabled": True}}}))
    assert enabled["availability"]["2"] == {"enabled": True, **NINE_TO_FIVE, "windows": windows}
    # A client that knows one window only, and sends its start and end back, removes no break.
    same = data(call(api, "PATCH", URL, {"availability": {"2": NINE_TO_FIVE}}))
    assert same["availability"]["2"] == {"enabled": True, **NINE_TO_FIVE, "windows": windows}
    # Others make it one window.
    single = data(call(api, "PATCH", URL, {"availability": {"2": span("08:00", "17:00")}}))
    assert single["availability"]["2"] == {"enabled": True, **span("08:00", "17:00")}


def test_the_zone_alone_changes(api: Client) -> None:
    before = data(call(api, "GET", URL))
    after = data(call(api, "PUT", URL, {"availability": {}, "timezone": "Asia/Kathmandu"}))
    assert after == before | {"timezone": "Asia/Kathmandu"}
    assert data(call(api, "GET", URL)) == after


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, [("availability", "Availability is required")]),
        ({"timezone": "UTC"}, [("availability", "Availability is required")]),
        ({"availability": None}, [("availability", "This field may not be null.")]),
        (
            {"availability": []},
            [("availability", "Invalid data. Expected a dictionary, but got list.")],
        ),
        (
            {"availability": "x"},
            [("availability", "Invalid data. Expected a dictionary, but got str.")],
        ),
        *(
            ({"availability": {day: {}}}, [(f"availability.{day}", NO_DAY)])
            for day in ("0", "8", "monday", "01", "")
        ),
        ({"availability": {"x" * 50: {}}}, [(f"availability.{'x' * 20}", NO_DAY)]),
        (
            {"availability": {}, "timezone": "Mars/Phobos"},
            [("timezone", "“Mars/Phobos” is not a time zone.")],
        ),
        ({"availability": {}, "timezone": None}, [("timezone", "This field may not be null.")]),
    ],
)
def test_what_is_no_week_is_422(
    api: Client, body: dict[str, Any], details: list[tuple[str, str]]
) -> None:
    assert wrong(call(api, "PUT", URL, body)) == details


@pytest.mark.parametrize(
    ("day", "details"),
    [
        (None, [("", "This field may not be null.")]),
        ("09:00-17:00", [("", "Invalid data. Expected a dictionary, but got str.")]),
        ({"enabled": "yes"}, [(".enabled", "Must be a valid boolean.")]),
        ({"enabled": None}, [(".enabled", "This field may not be null.")]),
        ({"start": 9}, [(".start", "Not a valid string.")]),
        ({"start": ""}, [(".start", "This field may not be blank.")]),
        ({"end": None}, [(".end", "This field may not be null.")]),
        *(
            ({"start": text}, [(".start", NO_TIME)])
            for text in ("9:00", "09:60", "25:00", "24:01", "0900", "09:00:00", "9 am", "٠٩:٠٠")
        ),
        ({"end": "17"}, [(".end", NO_TIME)]),
        (span("17:00", "09:00"), [(".end", NO_END)]),
        (span("09:00", "09:00"), [(".end", NO_END)]),
        ({"start": "17:00"}, [(".end", NO_END)]),
        ({"end": "09:00"}, [(".end", NO_END)]),
        (span("24:00", "24:00"), [(".end", NO_END)]),
        ({"windows": None}, [(".windows", "This field may not be null.")]),
        ({"windows": {}}, [(".windows", 'Expected a list of items but got type "dict".')]),
        ({"windows": []}, [(".windows", "Give at least one time range, or disable the day.")]),
        ({"windows": [{"end": "10:00"}]}, [(".windows.0.start", "Start is required")]),
        (
            {"windows": [span("09:00", "10:00"), span("x", "12:00")]},
            [(".windows.1.start", NO_TIME)],
        ),
        ({"windows": [span("10:00", "09:00")]}, [(".windows.0.end", NO_END)]),
        ({"windows": [span("09:00", "12:00"), span("11:59", "13:00")]}, [(".windows", OVERLAP)]),
        ({"windows": [span("09:00", "17:00"), span("10:00", "11:00")]}, [(".windows", OVERLAP)]),
        ({"windows": [span("09:00", "10:00")] * 2}, [(".windows", OVERLAP)]),
        (
            {
                "windows": [
                    span(f"{n // 2:02}:{n % 2 * 30:02}", f"{n // 2:02}:{n % 2 * 30 + 29:02}")
                    for n in range(25)
                ]
            },
            [(".windows", "Use at most 24 time ranges a day.")],
        ),
    ],
)
def test_a_day_that_makes_no_sense_is_422(
    api: Client, day: Any, details: list[tuple[str, str]]
) -> None:
    before = data(call(api, "GET", URL))
    body = {"availability": {"3": {"start": "08:00"}, "1": day}, "timezone": "Asia/Tokyo"}
    assert wrong(call(api, "PUT", URL, body)) == [
        (f"availability.1{path}", message) for path, message in details
    ]
    assert data(call(api, "GET", URL)) == before


def test_everybody_has_their_own(api: Client, bob: User) -> None:
    data(call(api, "PUT", URL, EXAMPLE_CHANGE))
    assert data(call(factories.client(bob), "GET", URL)) == EXAMPLE | {"timezone": "UTC"}


def test_it_takes_two_queries(
    api: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call(api, "GET", URL)  # the token's last use is noted
    with django_assert_num_queries(2):  # token, hours
        call(api, "GET", URL)

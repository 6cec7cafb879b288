"""Written times: AM and PM, hours that occur twice, and zone names."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from core.templatetags.words import one_stop
from core.text import times


@dataclass(frozen=True)
class Someone:
    zone: ZoneInfo
    time_format: str = "hh:mm a"
    date_format: str = "yyyy-MM-dd"


LONDON = Someone(ZoneInfo("Europe/London"))
BERLIN = Someone(ZoneInfo("Europe/Berlin"), "HH:mm")


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_am_and_pm_are_the_same_in_every_language(language: str) -> None:
    with translation.override(language):
        shown = [
            times.time(datetime(2026, 1, 5, hour, 5, tzinfo=UTC), LONDON) for hour in (0, 9, 12, 23)
        ]
        assert shown == ["12:05 AM", "9:05 AM", "12:05 PM", "11:05 PM"]
        minutes = [times.time_of_day(minute, LONDON) for minute in (0, 570, 720, 1440)]
        assert minutes == ["12:00 AM", "9:30 AM", "12:00 PM", "12:00 AM"]
        assert times.time_of_day(1440, BERLIN) == "24:00"


@pytest.mark.parametrize(
    ("hour", "shown"),
    [(23, "01:30"), (0, "02:30 CEST"), (1, "02:30 CET"), (2, "03:30")],
)
def test_an_hour_that_comes_twice_names_its_offset(hour: int, shown: str) -> None:
    day = 24 if hour == 23 else 25
    assert times.time(datetime(2026, 10, day, hour, 30, tzinfo=UTC), BERLIN) == shown


def test_a_skipped_hour_needs_no_name() -> None:
    moments = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [times.time(moment, BERLIN) for moment in moments] == ["01:30", "03:30"]


def test_a_span_in_it_tells_both_ends_apart() -> None:
    start, end = (datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (0, 1))
    assert times.span(start, end, BERLIN) == (
        "Sunday, 25 October 2026, 02:00 CEST – 02:00 CET (Europe/Berlin)"
    )


def test_a_span_names_an_offset_as_people_write_it() -> None:
    start, end = (datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in (8, 9))
    ahead = Someone(ZoneInfo("Etc/GMT-2"), "HH:mm")
    assert times.span(start, end, ahead) == "Monday, 5 January 2026, 10:00 – 11:00 (UTC+2)"


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_a_clock_of_twelve_hours_is_read_alike_in_every_language(language: str) -> None:
    person = Someone(ZoneInfo("UTC"), "hh:mm a")
    hours = [datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in (0, 9, 12, 21)]
    with translation.override(language):
        shown = [times.time(hour, person) for hour in hours]
    assert shown == ["12:00 AM", "9:00 AM", "12:00 PM", "9:00 PM"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("This link is for Jo Jr..", "This link is for Jo Jr."),
        ("Ask Jo Jr... and wait", "Ask Jo Jr... and wait"),
        ("One. Two.", "One. Two."),
        ("Wait…", "Wait…"),
    ],
)
def test_a_sentence_ends_with_one_full_stop(text: str, shown: str) -> None:
    assert one_stop(text) == shown

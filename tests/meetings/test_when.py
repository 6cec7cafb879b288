"""`date` of a v3 meeting request: accepted forms, and the instant that each one names."""

import re
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil.parser import parse as dateutil_parse
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from meetings.domain.when import LONGEST, UnreadableDate, read

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")
UTC_ZONE = ZoneInfo("UTC")

AT_14_IN_NEW_YORK = datetime(2025, 12, 15, 19, tzinfo=UTC)
AT_14_UTC = datetime(2025, 12, 15, 14, tzinfo=UTC)


def test_two_in_the_afternoon_in_new_york_is_seven_in_the_evening_in_utc() -> None:
    assert int(read("2025-12-15 14:00:00", NEW_YORK).timestamp()) == 1765825200


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-15 14:00:00",
        "2025-12-15T14:00:00",
        "2025-12-15T14:00",
        "2025-12-15 14:00",
        "2025-12-15t14:00",
        "2025-12-15T14:00:00.999999",
        "2025-12-15T14:00:00,5",
        "2025-12-15T14:00:00.123456789",
        "20251215T140000",
        "20251215T1400",
        "20251215 140000",
        "20251215T140000.5",
        "20251215T14:00",
        "2025-12-15 2:00 PM",
        "2025/12/15 14:00",
        "2025.12.15 14:00",
        "12/15/2025 14:00",
        "12/15/2025 2:00 PM",
        "12/15/2025, 2:00:00 PM",
        "12/15/2025, 2:00:00\u202fPM",
        "15-12-2025 14:00",
        "15.12.2025 14:00",
        "15.12.2025, 14:00:00",
        "December 15, 2025 2:00 PM",
        "December 15, 2025 at 2:00 PM",
        "December 15, 2025, 2 p.m.",
        "december 15 2025 2pm",
        "Dec 15, 2025 14:00",
        "Dec. 15, 2025 14:00",
        "Dec-15-2025 14:00",
        "15 Dec 2025 14:00",
        "15 DEC 2025 14:00",
        "15-Dec-2025 14:00",
        "15th of December 2025 at 14:00",
        "December 15th, 2025 14:00",
        "2025 Dec 15 14:00",
        "2025-Dec-15 14:00",
        "Monday, December 15, 2025 2:00 PM",
        "Mon, 15 Dec 2025 14:00:00",
        "Mon 2025-12-15 14:00:00",
        "Mon Dec 15 14:00:00 2025",
        "14:00 15 Dec 2025",
        "2 PM on December 15, 2025",
        "14:00, Monday, 15 Dec 2025",
        "  2025-12-15   14:00  ",
    ],
)
def test_a_time_without_an_offset_is_the_wall_clock_of_the_zone(text: str) -> None:
    assert read(text, NEW_YORK) == AT_14_IN_NEW_YORK


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-15T14:00:00Z",
        "2025-12-15T14:00:00z",
        "2025-12-15 14:00 Z",
        "2025-12-15T14:00:00.000Z",
        "20251215T140000Z",
        "2025-12-15T14:00:00+00:00",
        "2025-12-15T14:00:00-00:00",
        "2025-12-15T14:00+00",
        "2025-12-15 14:00 UTC",
        "2025-12-15 14:00 utc",
        "Mon, 15 Dec 2025 14:00:00 GMT",
        "2:00 PM UTC December 15, 2025",
        "Mon Dec 15 14:00:00 UTC 2025",
        "Mon, 15 Dec 2025 19:30:00 +0530",
        "2025-12-15T19:45:00+05:45",
        "20251215T194500+0545",
        "2025-12-15T09:00:00-05:00",
        "2025-12-15T09:00-05",
        "2025-12-15 9:00 AM -0500",
        "12/15/2025 09:00 -05:00",
        "2025-12-16T04:00:00+14:00",
        "2025-12-15T02:00:00-12:00",
    ],
)
def test_an_offset_or_utc_gmt_or_z_wins_over_the_zone(text: str) -> None:
    assert read(text, NEW_YORK) == AT_14_UTC


def test_the_answer_is_in_utc_with_whole_seconds() -> None:
    instant = read("2025-12-15T14:00:00.999999-05:00", KATHMANDU)
    assert instant.tzinfo is UTC
    assert instant.isoformat() == "2025-12-15T19:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "month", "day"),
    [
        ("03/04/2026 10:00", 3, 4),
        ("3/4/2026 10:00", 3, 4),
        ("03-04-2026 10:00", 4, 3),
        ("03.04.2026 10:00", 4, 3),
        ("3.4.2026 10:00", 4, 3),
        ("2026-03-04 10:00", 3, 4),
        ("2026/03/04 10:00", 3, 4),
        ("2026.03.04 10:00", 3, 4),
        ("20260304 10:00", 3, 4),
    ],
)
def test_slashes_are_month_first_dashes_and_dots_day_first(text: str, month: int, day: int) -> None:
    assert read(text, UTC_ZONE) == datetime(2026, month, day, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("12 AM", 0, 0),
        ("12:30 AM", 0, 30),
        ("1 AM", 1, 0),
        ("11:59 am", 11, 59),
        ("12 PM", 12, 0),
        ("12:30pm", 12, 30),
        ("11:59 PM", 23, 59),
        ("00:00", 0, 0),
        ("23:59", 23, 59),
    ],
)
def test_am_and_pm(text: str, hour: int, minute: int) -> None:
    assert read(f"Dec 15, 2025 {text}", UTC_ZONE) == datetime(
        2025, 12, 15, hour, minute, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        (NEW_YORK, "2025-03-09 01:59:59", "2025-03-09T06:59:59+00:00"),
        (NEW_YORK, "2025-03-09 02:00:00", "2025-03-09T07:00:00+00:00"),
        (NEW_YORK, "2025-03-09 02:30:00", "2025-03-09T07:30:00+00:00"),
        (NEW_YORK, "2025-03-09 03:00:00", "2025-03-09T07:00:00+00:00"),
        (LONDON, "2025-03-30 01:30", "2025-03-30T01:30:00+00:00"),
        (LORD_HOWE, "2025-10-05 02:15", "2025-10-04T15:45:00+00:00"),
        (APIA, "2011-12-30 12:00", "2011-12-30T22:00:00+00:00"),
    ],
)
def test_a_time_that_the_clock_skips_is_read_with_the_offset_before_the_gap(
    zone: ZoneInfo, text: str, utc: str
) -> None:
    assert read(text, zone).isoformat() == utc


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        (NEW_YORK, "2025-11-02 01:30", "2025-11-02T05:30:00+00:00"),
        (NEW_YORK, "2025-11-02 02:00", "2025-11-02T07:00:00+00:00"),
        (LONDON, "2025-10-26 01:30", "2025-10-26T00:30:00+00:00"),
        (LORD_HOWE, "2025-04-06 01:45", "2025-04-05T14:45:00+00:00"),
        (LORD_HOWE, "2025-04-06 02:00", "2025-04-05T15:30:00+00:00"),
    ],
)
def test_a_time_that_the_clock_repeats_is_the_first(zone: ZoneInfo, text: str, utc: str) -> None:
    assert read(text, zone).isoformat() == utc


def test_the_second_of_two_times_is_named_by_its_offset() -> None:
    assert read("2025-11-02 01:30 -05:00", NEW_YORK) == datetime(2025, 11, 2, 6, 30, tzinfo=UTC)


def test_zones_off_the_hour() -> None:
    assert read("2025-12-15 14:00", KATHMANDU) == datetime(2025, 12, 15, 8, 15, tzinfo=UTC)


def test_the_days_around_the_day_that_apia_left_out() -> None:
    assert read("2011-12-29 23:59", APIA) == datetime(2011, 12, 30, 9, 59, tzinfo=UTC)
    assert read("2011-12-31 00:00", APIA) == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


REFUSED = {
    "a part is missing": [
        "",
        " ",
        "2025-12-15",
        "2025-12",
        "2025",
        "2025-12 14:00",
        "12/15 14:00",
        "December 2025 14:00",
        "15 Dec 14:00",
        "Monday 14:00",
        "14:00",
        "14:00:00Z",
        "T14:00",
        "2025-12-15T",
        "2025-12-15T14",
        "2025-12-15 14",
        "December 15, 2025 14",
        "20251215T14",
        "20251215",
    ],
    "day and month are never swapped": [
        "2026-16-03 10:00",
        "16/03/2026 10:00",
        "03-16-2026 10:00",
        "03.16.2026 10:00",
        "2026/16/03 10:00",
        "20261603T1000",
    ],
    "no such day": [
        "2025-02-29 10:00",
        "2025-02-30T10:00",
        "2025-04-31 10:00",
        "2025-00-10 10:00",
        "2025-10-00 10:00",
        "32 Dec 2025 10:00",
        "Feb 29, 2025 10:00",
    ],
    "no such time": [
        "2025-12-15 25:00",
        "2025-12-15 24:00",
        "2025-12-15T24:00:00Z",
        "20251215T240000",
        "2025-12-15 14:60",
        "2025-12-15 14:00:60",
        "2025-12-15 23:59:60Z",
        "2025-12-15 14:00 PM",
        "2025-12-15 0:30 AM",
        "2025-12-15 13 PM",
        "2025-12-15 2:00 XM",
        "2025-12-15 2:00 PMZ",
        "2025-12-15 14:0",
        "2025-12-15 14:000",
        "2025-12-15T14:00:",
        "2025-12-15 -14:00",
    ],
    "zones by name": [
        "2025-12-15 14:00 EST",
        "2025-12-15 14:00 CET",
        "2025-12-15 14:00 BST",
        "2025-12-15 14:00 UT",
        "2025-12-15 14:00 A",
        "2025-12-15 14:00 America/New_York",
        "2025-12-15T14:00:00[America/New_York]",
        "2025-12-15T14:00:00-05:00[America/New_York]",
        "14:00 EST 15 Dec 2025",
        "Mon Dec 15 14:00:00 EST 2025",
        "2025-12-15 14:00 GMT+3",
        "2025-12-15 14:00 UTC+3",
        "2025-12-15 14:00 UTC+03:00",
        "Mon Dec 15 2025 14:00:00 GMT+0530 (India Standard Time)",
        "2025-12-15 14:00 Z UTC",
    ],
    "no such offset": [
        "2025-12-15T14:00+24:00",
        "2025-12-15T14:00+99:99",
        "2025-12-15T14:00+05:60",
        "2025-12-15T14:00+14:01",
        "2025-12-15T14:00-12:01",
        "2025-12-15T14:00+5",
        "2025-12-15T14:00+05:3",
        "2025-12-15T14:00+05:30:15",
        "2025-12-15T14:00\u221205:00",
    ],
    "ranges": [
        "2025-12-15 14:00-15:00",
        "2025-12-15 14:00 - 15:00",
        "2025-12-15T14:00/2025-12-15T15:00",
        "2025-12-15T14:00/PT1H",
    ],
    "years that are not four digits": [
        "03/04/26 10:00",
        "15-12-25 14:00",
        "15.12.25 14:00",
        "25-12-15 14:00",
        "15 Dec 25 14:00",
        "Dec 15, '25 14:00",
        "Monday, 15-Dec-25 14:00:00 GMT",
        "12025-12-15 14:00",
        "+12025-12-15T14:00",
        "99999999-12-15 14:00",
    ],
    "outside what can be represented": [
        "0000-12-15 14:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
    ],
    "bare numbers": [
        "0",
        "1",
        "1765825200",
        "1765825200000",
        "1765825200.5",
        "@1765825200",
        "-1765825200",
        "20251215140000",
        "202512151400",
        "2025121514",
        "1e9",
        "inf",
        "nan",
    ],
    "relative words": [
        "now",
        "today",
        "tomorrow",
        "tomorrow 14:00",
        "next Monday 14:00",
        "in 2 hours",
        "+1 day",
        "noon",
        "2025-12-15 noon",
    ],
    "the weekday of another date": [
        "Tue, 15 Dec 2025 14:00:00 +0000",
        "Sunday, December 15, 2025 2:00 PM",
        "Monde, 15 Dec 2025 14:00:00",
        "Mon Tue 15 Dec 2025 14:00:00",
    ],
    "week and ordinal dates, which name no month": [
        "2025-W51-1T14:00",
        "2025W511T1400",
        "2025-349T14:00",
        "2025349T1400",
        "2025-366T14:00",
    ],
    "mixed or doubled": [
        "2025-1215 14:00",
        "2025-12/15 14:00",
        "12/15-2025 14:00",
        "15-12.2025 14:00",
        "15.12-2025 14:00",
        "2025-12-15 14:0000",
        "2025-12-15 1400",
        "2025-12-15 14:00 15:00",
        "2025-12-15 2025-12-16 14:00",
        "14:00 2025-12-15 14:00",
        "2025-12-15 14:00 2025",
        "Dec 15 Dec 2025 14:00",
        "2025-12-15T14:00junk",
        "please 2025-12-15 14:00",
        "2025-12-15 14h30",
        "2025-12-15 14.30",
        "Foo 15, 2025 14:00",
        "15 12 2025 14:00",
        "12-2025-15 14:00",
        "XV Dec 2025 14:00",
    ],
    "characters that dates do not have": [
        "2025-12-15 14:00\x00",
        "\x002025-12-15 14:00",
        "2025-12-15\x0014:00",
        "2025-12-15 14:00\n",
        "2025-12-15\t14:00",
        "2025-12-15\x1f14:00",
        "2025-12-15\u200b14:00",
        "2025\u201312\u201315 14:00",
        "\ud800",
        "\u0662\u0660\u0662\u0665-\u0661\u0662-\u0661\u0665 14:00",
        "2025-12-15 \uff11\uff14:00",
        "\u00b2025-12-15 14:00",
        "15 Augu\u017ft 2025 14:00",
        "'; DROP TABLE meetings; --",
        "{}",
        "null",
        "\U0001f4c5 14:00",
    ],
}


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, id=f"{why}: {text!a}") for why, texts in REFUSED.items() for text in texts],
)
def test_anything_partial_ambiguous_or_impossible_is_refused(text: str) -> None:
    with pytest.raises(UnreadableDate, match=r"^Invalid date: [^\n]+\.$"):
        read(text, NEW_YORK)


def test_the_longest_text_is_64_characters() -> None:
    text = "2025-12-15 14:00"
    assert read(text.ljust(LONGEST), NEW_YORK) == AT_14_IN_NEW_YORK
    with pytest.raises(UnreadableDate, match=r"^Invalid date: it is longer than 64 characters\.$"):
        read(text.ljust(LONGEST + 1), NEW_YORK)
    with pytest.raises(UnreadableDate):
        read("9" * 1_000_000, NEW_YORK)


FULL_DATE_AND_TIME = (
    'give a full date and a time, such as "2025-12-15 14:00:00" or "2025-12-15T14:00:00Z".'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tomorrow", f"Invalid date: {FULL_DATE_AND_TIME}"),
        ("2026-16-03 10:00", "Invalid date: there is no such day, time or offset."),
        ("Tue, 15 Dec 2025 14:00", "Invalid date: the weekday is not that of the date."),
        ("15 Foo 2025 14:00", "Invalid date: there is no month of that name."),
        ("2025-12-15 14:00 PM", "Invalid date: with AM or PM the hour is 1 to 12."),
        ("2025-12-15T14:00+15:00", "Invalid date: there is no such offset from UTC."),
        ("9999-12-15 14:00", "Invalid date: it is too far in the future."),
    ],
)
def test_the_refusal_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(UnreadableDate) as refusal:
        read(text, UTC_ZONE)
    assert str(refusal.value) == message


# What follows are properties: they hold for every text, zone and wall time, not for chosen ones.

WRITTEN: dict[str, Callable[[datetime], str]] = {
    "ISO 8601": lambda wall: wall.isoformat(),
    "ISO 8601 with a space": lambda wall: wall.isoformat(" "),
    "ISO 8601 basic": lambda wall: wall.strftime("%Y%m%dT%H%M%S"),
    "month/day/year": lambda wall: wall.strftime("%m/%d/%Y %H:%M:%S"),
    "day-month-year": lambda wall: wall.strftime("%d-%m-%Y %H:%M:%S"),
    "day.month.year": lambda wall: wall.strftime("%d.%m.%Y %H:%M:%S"),
    "American": lambda wall: wall.strftime("%A, %B %d, %Y %I:%M:%S %p"),
    "time first": lambda wall: wall.strftime("%I:%M:%S %p on %b %d, %Y"),
    "RFC 2822": lambda wall: wall.strftime("%a, %d %b %Y %H:%M:%S"),
    "asctime": lambda wall: wall.strftime("%a %b %d %H:%M:%S %Y"),
}
DAY_FIRST = re.compile(r"(?<!\d)\d\d?([-.])\d\d?\1\d{4}")

zones = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})).map(ZoneInfo)
seconds = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)
spellings = st.sampled_from(sorted(WRITTEN))


@st.composite
def walls_near_a_change(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    """Draw a zone and a wall time within a day or so of a clock change in that zone."""
    zone = draw(zones)
    year = datetime(draw(st.integers(1900, 2100)), 1, 1, tzinfo=UTC)
    days = [year + timedelta(days=count) for count in range(367)]
    changes = [
        day
        for day, following in pairwise(days)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset()
    ]
    assume(changes)
    early = draw(st.sampled_from(changes))
    late = early + timedelta(days=1)
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    wall = late.astimezone(zone).replace(tzinfo=None, microsecond=0)
    span = draw(st.sampled_from([60 * 60, 3 * 60 * 60, 26 * 60 * 60]))
    return zone, wall + timedelta(seconds=draw(st.integers(-span, span)))


def instants_that_show(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return every instant at which the zone's clock shows `wall`, in order. A gap gives none."""
    nearby = (wall.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in range(-38, 39))
    offsets = {moment.astimezone(zone).utcoffset() or timedelta() for moment in nearby}
    candidates = sorted(wall.replace(tzinfo=UTC) - offset for offset in offsets)
    return [
        instant
        for instant in candidates
        if instant.astimezone(zone).replace(tzinfo=None, fold=0) == wall
    ]


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.one_of(walls_near_a_change(), st.tuples(zones, seconds)), spellings)
@example((APIA, datetime(2011, 12, 30, 12)), "ISO 8601")
@example((LORD_HOWE, datetime(2025, 10, 5, 2, 15)), "RFC 2822")
@example((NEW_YORK, datetime(2025, 11, 2, 1, 30)), "American")
def test_every_wall_time_is_its_first_instant_or_the_offset_before_the_gap(
    zone_and_wall: tuple[ZoneInfo, datetime], spelling: str
) -> None:
    zone, wall = zone_and_wall
    instant = read(WRITTEN[spelling](wall), zone)
    if showing := instants_that_show(wall, zone):
        assert instant == showing[0]
    else:
        # The clock shows the wall time moved on by what it skipped; that much earlier the gap
        # had not begun, and the offset of then is the one that the text was read with.
        skipped = instant.astimezone(zone).replace(tzinfo=None) - wall
        assert skipped > timedelta()
        assert (instant - skipped).astimezone(zone).utcoffset() == wall - instant.replace(
            tzinfo=None
        )


@given(seconds, st.integers(-12 * 60, 14 * 60), zones, st.sampled_from(["", " "]))
def test_an_offset_says_it_all(wall: datetime, minutes: int, zone: ZoneInfo, space: str) -> None:
    clock = timezone(timedelta(minutes=minutes))
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{wall.isoformat()}{space}{sign}{hours:02}:{rest:02}"
    assert read(text, zone) == wall.replace(tzinfo=clock)


@given(
    st.sampled_from("/-."),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(1, 9998),
    st.booleans(),
)
def test_day_and_month_keep_their_places_whatever_the_numbers(
    mark: str, first: int, second: int, year: int, padded: bool
) -> None:
    width = 2 if padded else 1
    text = f"{first:0{width}}{mark}{second:0{width}}{mark}{year:04} 10:00"
    month, day = (first, second) if mark == "/" else (second, first)
    try:
        expected = datetime(year, month, day, 10, tzinfo=UTC)
    except ValueError:
        with pytest.raises(UnreadableDate):
            read(text, UTC_ZONE)
    else:
        assert read(text, UTC_ZONE) == expected


@given(st.integers(1, 9998), st.integers(0, 99), st.integers(0, 99), st.sampled_from("/-."))
def test_a_year_in_front_is_followed_by_the_month(
    year: int, month: int, day: int, mark: str
) -> None:
    text = f"{year:04}{mark}{month:02}{mark}{day:02} 10:00"
    try:
        expected = datetime(year, month, day, 10, tzinfo=UTC)
    except ValueError:
        with pytest.raises(UnreadableDate):
            read(text, UTC_ZONE)
    else:
        assert read(text, UTC_ZONE) == expected


@st.composite
def nearly_dates(draw: st.DrawFn) -> str:
    """Draw a valid date with a few characters changed, added, dropped or moved."""
    text = WRITTEN[draw(spellings)](draw(seconds))
    text += draw(st.sampled_from(["", "Z", " UTC", " GMT", "+05:45", " -0500", " EST", " GMT+3"]))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        dropped = draw(st.integers(0, 3))
        added = draw(
            st.text(string.digits + string.ascii_letters + " :/-.,+T\x00\u0663", max_size=3)
        )
        text = text[:at] + added + text[at + dropped :]
    return text


@settings(max_examples=1000)
@given(
    st.one_of(st.text(), st.text("0123456789/-.:, TZapmAPMDec+", max_size=70), nearly_dates()),
    zones,
)
@example("0001-01-01T00:00", ZoneInfo("Asia/Tokyo"))
@example("9998-12-31T23:59:59", ZoneInfo("Pacific/Niue"))
def test_any_text_is_an_instant_in_utc_or_refused_in_a_short_sentence(
    text: str, zone: ZoneInfo
) -> None:
    try:
        instant = read(text, zone)
    except UnreadableDate as refusal:
        assert str(refusal).startswith("Invalid date: ")
        assert len(str(refusal)) < 120
    else:
        assert instant.tzinfo is UTC
        assert instant.microsecond == 0
        assert instant.astimezone(KATHMANDU) + timedelta(hours=1) > instant


@settings(max_examples=1000)
@given(nearly_dates())
def test_whatever_is_accepted_dateutil_reads_alike(text: str) -> None:
    try:
        instant = read(text, UTC_ZONE)
    except UnreadableDate:
        return
    # dateutil takes the M of "p.m." for the name of a zone, and warns.
    assume(".m" not in text.lower())
    reading = dateutil_parse(text, dayfirst=bool(DAY_FIRST.search(text))).replace(microsecond=0)
    assert instant == (reading if reading.tzinfo else reading.replace(tzinfo=UTC))

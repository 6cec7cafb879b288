"""Slot rule: one test for each of its sentences."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.rules.slots import (
    Hours,
    Interval,
    Offer,
    Query,
    Reason,
    Slot,
    Terms,
    find_slots,
    judge_start,
)

NEW_YORK = ZoneInfo("America/New_York")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
UTC_ZONE = ZoneInfo("UTC")

MINUTE, HOUR, DAY = 60, 3600, 86_400
ALL_DAY = (0, 1440)
MONDAY = date(2026, 6, 1)
SUNDAY = MONDAY - timedelta(days=1)
TUESDAY = MONDAY + timedelta(days=1)
LONG_AGO = 0
HALF_HOURS = Terms(duration=30 * MINUTE, step=30 * MINUTE, horizon=99_999)


def clock(text: str) -> int:
    """Return the minute of the day of a time such as `09:30`."""
    return int(text[:2]) * 60 + int(text[3:])


def windows(text: str) -> list[Interval]:
    """Return the intervals of a text such as `09:00-12:00 13:00-17:00`."""
    return [(clock(pair[:5]), clock(pair[6:])) for pair in text.split()]


def hours(text: str, zone: ZoneInfo = NEW_YORK, **overrides: str) -> Hours:
    """Return equal hours on all weekdays.

    Overrides name dates, such as d2026_06_01="10:00-11:00".
    """
    return Hours(
        zone,
        weekly={weekday: windows(text) for weekday in range(1, 8)},
        overrides={
            date.fromisoformat(day[1:].replace("_", "-")): windows(text)
            for day, text in overrides.items()
        },
    )


def at(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def days(first: date, last: date | None = None, zone: ZoneInfo = NEW_YORK) -> Query:
    return Query(zone, first, last or first)


def find(
    query: Query,
    hours: Hours,
    terms: Terms = HALF_HOURS,
    *,
    busy: Collection[Interval] = (),
    booked: Mapping[date, int] | None = None,
    now: int = LONG_AGO,
) -> list[Slot]:
    return find_slots(Offer(hours, terms, busy, booked or {}, now), query)


def judge(start: int, hours: Hours, terms: Terms = HALF_HOURS) -> Reason:
    return judge_start(Offer(hours, terms, busy=(), booked={}, now=LONG_AGO), start)


def starts(slots: Iterable[Slot], zone: ZoneInfo = NEW_YORK, style: str = "%H:%M") -> list[str]:
    return [f"{datetime.fromtimestamp(slot.start, zone):{style}}" for slot in slots]


def reasons(slots: Iterable[Slot]) -> list[str]:
    return [slot.reason.value for slot in slots]


def every(minutes: int, *, lasting: int | None = None) -> Terms:
    return replace(HALF_HOURS, step=minutes * MINUTE, duration=(lasting or minutes) * MINUTE)


# Hours


def test_a_slot_is_a_start_and_an_end_in_epoch_seconds() -> None:
    assert find(days(MONDAY), hours("09:00-10:00")) == [
        (at("2026-06-01 09:00"), at("2026-06-01 09:30"), ""),
        (at("2026-06-01 09:30"), at("2026-06-01 10:00"), ""),
    ]


@pytest.mark.parametrize(
    ("of_the_day", "terms", "expected"),
    [
        ("09:00-10:00", every(30), "09:00 09:30"),
        ("09:00-10:29", every(30), "09:00 09:30"),
        ("09:00-10:00", every(30, lasting=60), "09:00"),
        ("09:00-10:00", every(30, lasting=61), ""),
        ("09:00-10:00", every(20, lasting=30), "09:00 09:20"),
        ("", every(30), ""),
        ("23:00-24:00", every(30), "23:00 23:30"),
        # Each window has a grid of its own.
        ("09:10-10:00 11:05-12:00", every(20), "09:10 09:30 11:05 11:25"),
        # Windows of a date that touch or overlap are one, in whatever order they are given.
        ("09:00-09:20 09:20-10:30", every(30), "09:00 09:30 10:00"),
        ("09:40-10:30 09:00-10:00", every(30), "09:00 09:30 10:00"),
        ("09:00-10:30 09:20-09:40", every(30), "09:00 09:30 10:00"),
        ("09:20-09:20 09:00-10:30", every(30), "09:00 09:30 10:00"),
        # A window that is empty is no window.
        ("08:00-08:00 09:00-10:00", every(30), "09:00 09:30"),
    ],
)
def test_a_meeting_lies_within_a_window(of_the_day: str, terms: Terms, expected: str) -> None:
    one_day = hours("", d2026_06_01=of_the_day)
    assert starts(find(days(MONDAY), one_day, terms)) == expected.split()


def test_every_weekday_has_its_own_hours() -> None:
    weekly = {1: windows("09:00-10:00"), 2: windows("14:00-14:30"), 7: windows("20:00-20:30")}
    assert starts(
        find(days(MONDAY, date(2026, 6, 7)), Hours(NEW_YORK, weekly)), style="%a %H:%M"
    ) == ["Mon 09:00", "Mon 09:30", "Tue 14:00", "Sun 20:00"]


def test_an_override_replaces_the_hours_of_its_date() -> None:
    week = hours("09:00-09:30", d2026_06_01="11:00-12:00", d2026_06_02="")
    assert starts(find(days(MONDAY, date(2026, 6, 3)), week), style="%a %H:%M") == [
        "Mon 11:00",
        "Mon 11:30",
        "Wed 09:00",
    ]


def test_the_available_days_of_the_event_type_narrow_overrides_as_well() -> None:
    week = hours("09:00-09:30", d2026_06_01="11:00-11:30", d2026_06_02="11:00-11:30")
    narrow = replace(week, available_days={1, 3})
    assert starts(find(days(MONDAY, date(2026, 6, 7)), narrow), style="%a %H:%M") == [
        "Mon 11:00",
        "Wed 09:00",
    ]


def test_hours_are_the_hosts_local_times_resolved_on_each_date() -> None:
    around_the_change = days(date(2026, 3, 7), date(2026, 3, 9))
    assert starts(find(around_the_change, hours("09:00-09:30")), UTC_ZONE, "%d %H:%M") == [
        "07 14:00",
        "08 13:00",
        "09 13:00",
    ]


def test_windows_that_meet_at_midnight_are_continuous_and_each_has_its_grid() -> None:
    two_days = hours("", d2026_06_01="22:10-24:00", d2026_06_02="00:00-02:00")
    both = days(MONDAY, TUESDAY)
    assert starts(find(both, two_days, every(30, lasting=60))) == [
        "22:10",
        "22:40",
        "23:10",
        "23:40",
        "00:00",
        "00:30",
        "01:00",
    ]
    assert starts(find(both, hours("", d2026_06_01="22:10-24:00"), every(30, lasting=60))) == [
        "22:10",
        "22:40",
    ]


def test_hours_around_the_clock_begin_their_grid_anew_every_day() -> None:
    """Otherwise earlier days would shift the grid, since no working minute would be the first."""
    for day in (MONDAY, TUESDAY, date(2026, 11, 1)):
        found = find(days(day), hours("00:00-24:00"), every(7 * 60, lasting=8 * 60))
        expected = "00:00 07:00 14:00 21:00" if day.month == 6 else "00:00 06:00 13:00 20:00"
        assert starts(found) == expected.split()


def test_a_meeting_may_last_for_days() -> None:
    terms = every(24 * 60, lasting=5 * 24 * 60)
    for zone in (NEW_YORK, ZoneInfo("Pacific/Kiritimati")):
        host = hours("00:00-24:00", zone, d2026_06_06="00:00-00:30")
        assert starts(find(days(MONDAY, TUESDAY, zone), host, terms), zone, "%d") == ["01"]
        assert judge(at("2026-06-01 00:30", zone), host, terms) == Reason.OFF_GRID
        assert judge(at("2026-06-01 00:31", zone), host, terms) == Reason.OUTSIDE_HOURS


def test_queries_may_be_centuries_away() -> None:
    for day in (date(2, 1, 1), date(9998, 12, 31)):
        found = find(days(day), hours("09:00-10:00"), now=at("0001-06-01"))
        assert starts(found) == ["09:00", "09:30"]


def test_a_query_that_ends_before_it_begins_selects_nothing() -> None:
    assert find(days(TUESDAY, MONDAY), hours("00:00-24:00")) == []


# Clocks that change

IN_WINDOWS = [
    # America/New_York: 02:00-03:00 does not exist on 8 March, 01:00-02:00 comes twice on
    # 1 November.
    (
        "America/New_York",
        "2026-03-08",
        "01:00-04:00",
        every(30),
        "01:00-0500 01:30-0500 03:00-0400 03:30-0400",
    ),
    ("America/New_York", "2026-03-08", "01:00-04:00", every(45), "01:00-0500 01:45-0500"),
    (
        "America/New_York",
        "2026-03-08",
        "01:00-04:15",
        every(45),
        "01:00-0500 01:45-0500 03:30-0400",
    ),
    ("America/New_York", "2026-03-08", "02:30-04:00", every(25), "03:00-0400 03:25-0400"),
    ("America/New_York", "2026-03-08", "01:00-02:30", every(30), "01:00-0500 01:30-0500"),
    ("America/New_York", "2026-03-08", "02:00-03:00", every(30), ""),
    (
        "America/New_York",
        "2026-03-08",
        "01:10-01:50 02:10-02:50 03:10-03:50",
        every(20),
        "01:10-0500 01:30-0500 03:10-0400 03:30-0400",
    ),
    # Windows on both sides of the gap touch: the meeting may last from one into the other.
    (
        "America/New_York",
        "2026-03-08",
        "01:00-02:00 03:00-04:00",
        every(60, lasting=90),
        "01:00-0500",
    ),
    (
        "America/New_York",
        "2026-11-01",
        "00:30-02:30",
        every(30),
        "00:30-0400 01:00-0400 01:30-0400 01:00-0500 01:30-0500 02:00-0500",
    ),
    (
        "America/New_York",
        "2026-11-01",
        "00:30-02:30",
        every(40),
        "00:30-0400 01:10-0400 01:50-0400 01:30-0500",
    ),
    # It ends in the repeated hour: an hour of break lies between its two parts.
    (
        "America/New_York",
        "2026-11-01",
        "00:00-01:30",
        every(30),
        "00:00-0400 00:30-0400 01:00-0400 01:00-0500",
    ),
    (
        "America/New_York",
        "2026-11-01",
        "00:00-01:30",
        every(25),
        "00:00-0400 00:25-0400 00:50-0400 01:05-0500",
    ),
    (
        "America/New_York",
        "2026-11-01",
        "01:15-01:45",
        every(15),
        "01:15-0400 01:30-0400 01:15-0500 01:30-0500",
    ),
    (
        "America/New_York",
        "2026-11-01",
        "01:30-03:00",
        every(30, lasting=60),
        "01:30-0500 02:00-0500",
    ),
    # Half an hour only.
    ("Australia/Lord_Howe", "2026-10-04", "01:00-04:00", every(60), "01:00+1030 02:30+1100"),
    ("Australia/Lord_Howe", "2026-04-05", "01:00-03:00", every(60), "01:00+1100 01:30+1030"),
    # Two hours.
    (
        "Antarctica/Troll",
        "2026-03-29",
        "00:30-04:00",
        every(30),
        "00:30+0000 03:00+0200 03:30+0200",
    ),
    (
        "Antarctica/Troll",
        "2026-10-25",
        "01:00-02:00",
        every(30),
        "01:00+0200 01:30+0200 01:00+0000 01:30+0000",
    ),
    # At midnight: the date begins at 01:00, or its last hour comes twice.
    ("Asia/Beirut", "2026-03-29", "00:00-02:00", every(45), "01:00+0300"),
    ("America/Sao_Paulo", "2018-11-04", "00:30-02:00", every(30), "01:00-0200 01:30-0200"),
    (
        "America/Sao_Paulo",
        "2018-02-17",
        "22:30-24:00",
        every(30),
        "22:30-0200 23:00-0200 23:30-0200 23:00-0300 23:30-0300",
    ),
    # A minute after midnight: midnight itself is undone.
    (
        "America/St_Johns",
        "2010-11-06",
        "23:00-24:00",
        every(15, lasting=1),
        "23:00-0230 23:15-0230 23:30-0230 23:45-0230 23:15-0330 23:30-0330 23:45-0330",
    ),
    # Summer time is interrupted for Ramadan.
    (
        "Africa/Casablanca",
        "2026-02-15",
        "02:00-03:00",
        every(30),
        "02:00+0100 02:30+0100 02:00+0000 02:30+0000",
    ),
    ("Africa/Casablanca", "2026-03-22", "01:00-04:00", every(60), "01:00+0000 03:00+0100"),
    # The whole date is left out.
    ("Pacific/Apia", "2011-12-30", "00:00-24:00", every(30), ""),
    # Offsets that are no whole hours, or minutes.
    ("Asia/Kathmandu", "2026-06-01", "09:00-10:00", every(30), "09:00+0545 09:30+0545"),
    ("Africa/Monrovia", "1971-06-01", "09:00-10:00", every(30), "09:00-004430 09:30-004430"),
]


@pytest.mark.parametrize(("name", "day", "of_the_day", "terms", "expected"), IN_WINDOWS)
def test_skipped_minutes_do_not_exist_and_repeated_ones_count_twice(
    name: str, day: str, of_the_day: str, terms: Terms, expected: str
) -> None:
    zone = ZoneInfo(name)
    host = Hours(zone, {}, {date.fromisoformat(day): windows(of_the_day)})
    found = find(days(date.fromisoformat(day), zone=zone), host, terms, now=-10 * 365 * DAY)
    assert starts(found, zone, "%H:%M%z") == expected.split()


def test_the_date_before_a_skipped_one_meets_the_date_after_it() -> None:
    apia = ZoneInfo("Pacific/Apia")
    host = hours("00:00-24:00", apia, d2011_12_30="12:00-13:00")
    found = find(
        days(date(2011, 12, 29), date(2011, 12, 31), apia), host, every(11 * 60, lasting=3 * 60)
    )
    assert starts(found, apia, "%d %H:%M") == [
        "29 00:00",
        "29 11:00",
        "29 22:00",
        "31 00:00",
        "31 11:00",
        "31 22:00",
    ]
    assert find(days(date(2011, 12, 30), zone=apia), host) == []


def test_a_date_that_a_clock_shows_once_more_is_selected_as_a_whole() -> None:
    """Newfoundland's clock went from 00:01 on 7 November 2010 back to 23:01 on the 6th."""
    zone = ZoneInfo("America/St_Johns")
    around_the_clock = hours("00:00-24:00", zone)
    terms = every(25, lasting=90)
    sixth = find(days(date(2010, 11, 6), zone=zone), around_the_clock, terms)
    seventh = find(days(date(2010, 11, 7), zone=zone), around_the_clock, terms)
    assert starts(sixth, zone)[-4:] == ["23:20", "23:45", "23:10", "23:35"]
    assert starts(seventh, zone)[:3] == ["00:00", "00:15", "00:40"]
    assert seventh[0].start < sixth[-1].start < seventh[1].start


# Notice, horizon and daily limit


def test_notice_is_exact() -> None:
    terms = replace(HALF_HOURS, notice=24 * HOUR)
    nine = at("2026-06-01 09:00")
    for now, reason in ((nine - 24 * HOUR, ""), (nine - 24 * HOUR + 1, "notice")):
        assert find(days(MONDAY), hours("09:00-09:30"), terms, now=now) == [
            (nine, nine + 1800, reason)
        ]


def test_what_has_begun_is_closed_by_notice() -> None:
    now = at("2026-06-01 09:00:01")
    assert reasons(find(days(MONDAY), hours("09:00-10:00"), now=now)) == ["notice", ""]


@pytest.mark.parametrize(("zone", "first"), [(NEW_YORK, 31), (KATHMANDU, 32)])
def test_horizon_and_daily_limit_speak_of_the_hosts_dates(zone: ZoneInfo, first: int) -> None:
    """New York has late evening on Sunday, Monday and Tuesday. Elsewhere it is the next day."""
    start = date(2026, 5, 1) + timedelta(days=first - 1)
    query = Query(zone, start, start + timedelta(days=2))
    late, now = hours("23:30-24:00"), at("2026-05-31 23:00")
    tomorrow = replace(HALF_HOURS, horizon=1)
    assert reasons(find(query, late, tomorrow, now=now)) == ["", "", "horizon"]
    twice, booked = replace(HALF_HOURS, daily_limit=2), {MONDAY: 1, TUESDAY: 2}
    assert reasons(find(query, late, twice, booked=booked)) == ["", "", "daily_limit"]


@pytest.mark.parametrize(
    ("booked", "expected"),
    [
        ({}, ["", "", ""]),
        ({SUNDAY: 2, MONDAY: 1}, ["weekly_limit", "", ""]),  # two weeks: one is full, one is not
        ({MONDAY: 1, date(2026, 6, 7): 1}, ["", "weekly_limit", "weekly_limit"]),
        ({MONDAY: 1, date(2026, 6, 8): 1}, ["", "", ""]),  # the next week
    ],
)
def test_a_weekly_limit_counts_from_monday_to_sunday(
    booked: dict[date, int], expected: list[str]
) -> None:
    twice = replace(HALF_HOURS, weekly_limit=2)
    query = Query(UTC_ZONE, SUNDAY, TUESDAY)
    assert reasons(find(query, hours("09:00-09:30"), twice, booked=booked)) == expected


def test_a_week_has_one_number_wherever_the_year_ends() -> None:
    """2026-12-28 to 2027-01-03 is one ISO week."""
    once = replace(HALF_HOURS, weekly_limit=1)
    booked, query = {date(2026, 12, 28): 1}, Query(UTC_ZONE, date(2027, 1, 2), date(2027, 1, 4))
    found = find(query, hours("09:00-09:30"), once, booked=booked)
    assert reasons(found) == ["weekly_limit", "weekly_limit", ""]


def test_without_a_limit_any_number_may_be_booked() -> None:
    assert reasons(find(days(MONDAY), hours("09:00-09:30"), booked={MONDAY: 99})) == [""]


# What is busy


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        # The meeting is 12:00-12:30, with its buffers 11:50-12:50.
        ("11:00 11:50", ""),
        ("11:00 11:51", "buffer"),
        ("11:50 12:00", "buffer"),
        ("11:50 12:01", "busy"),
        ("12:10 12:20", "busy"),
        ("12:10 12:10:01", "busy"),
        ("12:00 12:30", "busy"),
        ("11:00 14:00", "busy"),
        ("12:29 12:50", "busy"),
        ("12:30 12:50", "buffer"),
        ("12:49 14:00", "buffer"),
        ("12:50 14:00", ""),
        # An empty interval blocks nothing.
        ("12:10 12:10", ""),
        ("11:55 11:55", ""),
    ],
)
def test_busy_rows_are_half_open(row: str, reason: str) -> None:
    start, end = (at(f"2026-06-01 {text}") for text in row.split())
    terms = replace(HALF_HOURS, before=10 * MINUTE, after=20 * MINUTE)
    # Buffers may lie outside working hours.
    found = find(days(MONDAY), hours("12:00-12:30"), terms, busy=[(start, end)])
    assert reasons(found) == [reason]


def test_a_long_row_counts_however_many_short_ones_begin_after_it() -> None:
    rows = [(at("2026-05-20 00:00"), at("2026-06-01 10:00"))]
    rows += [(at("2026-06-01 08:00") + n, at("2026-06-01 08:00") + n + 1) for n in range(100)]
    found = find(days(MONDAY), hours("09:30-10:30"), busy=rows)
    assert reasons(found) == ["busy", ""]


def test_the_first_reason_that_holds_is_given() -> None:
    """All reasons hold at first. Then they are removed one after the other."""
    nine = at("2026-06-01 09:00")
    terms = replace(
        HALF_HOURS,
        notice=DAY,
        horizon=0,
        daily_limit=1,
        weekly_limit=1,
        before=10 * MINUTE,
        after=10 * MINUTE,
    )
    now, booked, busy = nine - 12 * HOUR, {MONDAY: 1}, [(nine, nine + 60), (nine - 60, nine)]

    def reason() -> str:
        nine_only = hours("09:00-09:30")
        return reasons(find(days(MONDAY), nine_only, terms, busy=busy, booked=booked, now=now))[0]

    assert reason() == "notice"
    terms = replace(terms, notice=0)
    assert reason() == "horizon"
    terms = replace(terms, horizon=1)
    assert reason() == "daily_limit"
    booked = {TUESDAY: 1}
    assert reason() == "weekly_limit"
    booked = {}
    assert reason() == "busy"
    busy = busy[1:]
    assert reason() == "buffer"
    busy = []
    assert reason() == ""


# One start


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("09:00", ""),
        ("09:40", "off_grid"),
        ("09:00:30", "off_grid"),
        ("10:30", ""),
        ("10:40", "off_grid"),
        ("10:41", "outside_hours"),
        ("11:00", "outside_hours"),
        ("08:30", "outside_hours"),
        ("23:30", ""),
        ("23:15", "off_grid"),
        ("22:59", "outside_hours"),
    ],
)
def test_a_start_that_is_not_offered_has_a_reason(start: str, reason: str) -> None:
    """A start is "off_grid" only if every minute of the meeting is working time."""
    host = hours("00:00-01:00 09:00-11:10 23:00-24:00")
    assert judge(at(f"2026-06-01 {start}"), host) == reason


def test_a_start_shortly_before_midnight_may_last_into_the_next_date() -> None:
    host = hours("00:00-01:00 09:00-11:10 23:00-24:00")
    terms = every(30, lasting=60)
    assert judge(at("2026-06-01 23:30"), host, terms) == Reason.OPEN
    assert judge(at("2026-06-02 00:30"), host, terms) == Reason.OUTSIDE_HOURS

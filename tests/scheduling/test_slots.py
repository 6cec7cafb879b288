"""The slot rule, sentence by sentence, and the engine against a naive oracle of it."""

import random
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduling.slots import (
    Hours,
    Interval,
    Offer,
    Query,
    Reason,
    Slot,
    Terms,
    find_slots,
    judge_start,
)  # fmt: skip
from tests.scheduling import oracle
from tests.torture.conftest import FULL, sized

NEW_YORK = ZoneInfo("America/New_York")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
UTC_ZONE = ZoneInfo("UTC")

MINUTE, HOUR, DAY = 60, 3600, 86_400
ALL_DAY = (0, 1440)
MONDAY = date(2026, 6, 1)
TUESDAY = MONDAY + timedelta(days=1)
LONG_AGO = 0
HALF_HOURS = Terms(duration=30 * MINUTE, step=30 * MINUTE, horizon=99_999)


def clock(text: str) -> int:
    """The minute of the day."""
    return int(text[:2]) * 60 + int(text[3:])


def windows(text: str) -> list[Interval]:
    """`09:00-12:00 13:00-17:00`"""
    return [(clock(pair[:5]), clock(pair[6:])) for pair in text.split()]


def hours(text: str, zone: ZoneInfo = NEW_YORK, **overrides: str) -> Hours:
    """The same on all weekdays; overrides by ISO date, such as d2026_06_01="10:00-11:00"."""
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
        "Mon 11:00", "Mon 11:30", "Wed 09:00",
    ]  # fmt: skip


def test_the_available_days_of_the_event_type_narrow_overrides_as_well() -> None:
    week = hours("09:00-09:30", d2026_06_01="11:00-11:30", d2026_06_02="11:00-11:30")
    narrow = replace(week, available_days={1, 3})
    assert starts(find(days(MONDAY, date(2026, 6, 7)), narrow), style="%a %H:%M") == [
        "Mon 11:00", "Wed 09:00",
    ]  # fmt: skip


def test_hours_are_the_hosts_local_times_resolved_on_each_date() -> None:
    around_the_change = days(date(2026, 3, 7), date(2026, 3, 9))
    assert starts(find(around_the_change, hours("09:00-09:30")), UTC_ZONE, "%d %H:%M") == [
        "07 14:00", "08 13:00", "09 13:00",
    ]  # fmt: skip


def test_windows_that_meet_at_midnight_are_continuous_and_each_has_its_grid() -> None:
    two_days = hours("", d2026_06_01="22:10-24:00", d2026_06_02="00:00-02:00")
    both = days(MONDAY, TUESDAY)
    assert starts(find(both, two_days, every(30, lasting=60))) == [
        "22:10", "22:40", "23:10", "23:40", "00:00", "00:30", "01:00",
    ]  # fmt: skip
    assert starts(find(both, hours("", d2026_06_01="22:10-24:00"), every(30, lasting=60))) == [
        "22:10", "22:40",
    ]  # fmt: skip


def test_hours_around_the_clock_begin_their_grid_anew_every_day() -> None:
    """Else the days before would move it: there is no first working minute."""
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
    ("America/New_York", "2026-03-08", "01:00-04:00", every(30),
     "01:00-0500 01:30-0500 03:00-0400 03:30-0400"),
    ("America/New_York", "2026-03-08", "01:00-04:00", every(45),
     "01:00-0500 01:45-0500"),
    ("America/New_York", "2026-03-08", "01:00-04:15", every(45),
     "01:00-0500 01:45-0500 03:30-0400"),
    ("America/New_York", "2026-03-08", "02:30-04:00", every(25),
     "03:00-0400 03:25-0400"),
    ("America/New_York", "2026-03-08", "01:00-02:30", every(30), "01:00-0500 01:30-0500"),
    ("America/New_York", "2026-03-08", "02:00-03:00", every(30), ""),
    ("America/New_York", "2026-03-08", "01:10-01:50 02:10-02:50 03:10-03:50", every(20),
     "01:10-0500 01:30-0500 03:10-0400 03:30-0400"),
    # Windows on both sides of the gap touch: the meeting may last from one into the other.
    ("America/New_York", "2026-03-08", "01:00-02:00 03:00-04:00", every(60, lasting=90),
     "01:00-0500"),
    ("America/New_York", "2026-11-01", "00:30-02:30", every(30),
     "00:30-0400 01:00-0400 01:30-0400 01:00-0500 01:30-0500 02:00-0500"),
    ("America/New_York", "2026-11-01", "00:30-02:30", every(40),
     "00:30-0400 01:10-0400 01:50-0400 01:30-0500"),
    # It ends in the repeated hour: an hour of break lies between its two parts.
    ("America/New_York", "2026-11-01", "00:00-01:30", every(30),
     "00:00-0400 00:30-0400 01:00-0400 01:00-0500"),
    ("America/New_York", "2026-11-01", "00:00-01:30", every(25),
     "00:00-0400 00:25-0400 00:50-0400 01:05-0500"),
    ("America/New_York", "2026-11-01", "01:15-01:45", every(15),
     "01:15-0400 01:30-0400 01:15-0500 01:30-0500"),
    ("America/New_York", "2026-11-01", "01:30-03:00", every(30, lasting=60),
     "01:30-0500 02:00-0500"),
    # Half an hour only.
    ("Australia/Lord_Howe", "2026-10-04", "01:00-04:00", every(60),
     "01:00+1030 02:30+1100"),
    ("Australia/Lord_Howe", "2026-04-05", "01:00-03:00", every(60),
     "01:00+1100 01:30+1030"),
    # Two hours.
    ("Antarctica/Troll", "2026-03-29", "00:30-04:00", every(30),
     "00:30+0000 03:00+0200 03:30+0200"),
    ("Antarctica/Troll", "2026-10-25", "01:00-02:00", every(30),
     "01:00+0200 01:30+0200 01:00+0000 01:30+0000"),
    # At midnight: the date begins at 01:00, or its last hour comes twice.
    ("Asia/Beirut", "2026-03-29", "00:00-02:00", every(45), "01:00+0300"),
    ("America/Sao_Paulo", "2018-11-04", "00:30-02:00", every(30), "01:00-0200 01:30-0200"),
    ("America/Sao_Paulo", "2018-02-17", "22:30-24:00", every(30),
     "22:30-0200 23:00-0200 23:30-0200 23:00-0300 23:30-0300"),
    # A minute after midnight: midnight itself is undone.
    ("America/St_Johns", "2010-11-06", "23:00-24:00", every(15, lasting=1),
     "23:00-0230 23:15-0230 23:30-0230 23:45-0230 23:15-0330 23:30-0330 23:45-0330"),
    # Summer time is interrupted for Ramadan.
    ("Africa/Casablanca", "2026-02-15", "02:00-03:00", every(30),
     "02:00+0100 02:30+0100 02:00+0000 02:30+0000"),
    ("Africa/Casablanca", "2026-03-22", "01:00-04:00", every(60),
     "01:00+0000 03:00+0100"),
    # The whole date is left out.
    ("Pacific/Apia", "2011-12-30", "00:00-24:00", every(30), ""),
    # Offsets that are no whole hours, or minutes.
    ("Asia/Kathmandu", "2026-06-01", "09:00-10:00", every(30), "09:00+0545 09:30+0545"),
    ("Africa/Monrovia", "1971-06-01", "09:00-10:00", every(30),
     "09:00-004430 09:30-004430"),
]  # fmt: skip


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
        "29 00:00", "29 11:00", "29 22:00", "31 00:00", "31 11:00", "31 22:00",
    ]  # fmt: skip
    assert find(days(date(2011, 12, 30), zone=apia), host) == []


def test_a_date_that_a_clock_shows_once_more_is_selected_as_a_whole() -> None:
    """In Newfoundland 00:01 on 7 November 2010 was followed by 23:01 on the 6th."""
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
    """Late on Sunday, Monday and Tuesday evening in New York, which is the next day elsewhere."""
    start = date(2026, 5, 1) + timedelta(days=first - 1)
    query = Query(zone, start, start + timedelta(days=2))
    late, now = hours("23:30-24:00"), at("2026-05-31 23:00")
    tomorrow = replace(HALF_HOURS, horizon=1)
    assert reasons(find(query, late, tomorrow, now=now)) == ["", "", "horizon"]
    twice, booked = replace(HALF_HOURS, daily_limit=2), {MONDAY: 1, TUESDAY: 2}
    assert reasons(find(query, late, twice, booked=booked)) == ["", "", "daily_limit"]


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
    """All hold at first; then, one after the other, they cease to."""
    nine = at("2026-06-01 09:00")
    terms = replace(
        HALF_HOURS, notice=DAY, horizon=0, daily_limit=1, before=10 * MINUTE, after=10 * MINUTE
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
    """Off the grid only where every minute of the meeting is working."""
    host = hours("00:00-01:00 09:00-11:10 23:00-24:00")
    assert judge(at(f"2026-06-01 {start}"), host) == reason


def test_a_start_shortly_before_midnight_may_last_into_the_next_date() -> None:
    host = hours("00:00-01:00 09:00-11:10 23:00-24:00")
    terms = every(30, lasting=60)
    assert judge(at("2026-06-01 23:30"), host, terms) == Reason.OPEN
    assert judge(at("2026-06-02 00:30"), host, terms) == Reason.OUTSIDE_HOURS


# Against the oracle

NASTY = [
    "Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Caracas", "America/Havana",
    "America/New_York", "America/Nuuk", "America/Recife", "America/Santiago", "America/Sao_Paulo",
    "America/Scoresbysund", "America/St_Johns", "Antarctica/Casey", "Antarctica/Troll",
    "Asia/Amman", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu", "Asia/Pyongyang", "Asia/Tehran",
    "Australia/Lord_Howe", "Europe/Dublin", "Europe/London", "Pacific/Apia", "Pacific/Chatham",
    "Pacific/Fakaofo", "Pacific/Kiritimati", "Pacific/Niue",
]  # fmt: skip
ALL_ZONES = sorted(available_timezones() - {"localtime"})


@lru_cache
def change_days(name: str) -> list[date]:
    """The UTC dates of 2000 to 2040 near which this zone's clock changes."""
    zone = ZoneInfo(name)
    looks = range(at("2000-01-01", UTC_ZONE), at("2040-12-31", UTC_ZONE), 3 * DAY)
    offsets = [datetime.fromtimestamp(look, zone).utcoffset() for look in looks]
    return [
        datetime.fromtimestamp(_change(zone, look), UTC).date()
        for look, (before, after) in zip(looks, pairwise(offsets), strict=False)
        if before != after
    ] or [MONDAY]


def _change(zone: ZoneInfo, look: int) -> int:
    offset = datetime.fromtimestamp(look, zone).utcoffset()
    while datetime.fromtimestamp(look, zone).utcoffset() == offset:
        look += HOUR
    return look


@dataclass(frozen=True)
class Case:
    """A question, near a change of the host's clock; `midnight` is that of UTC on the day of it."""

    midnight: int
    offer: Offer
    query: Query


zone_names = st.one_of(st.sampled_from(NASTY), st.sampled_from(ALL_ZONES))
minutes_of_day = st.one_of(
    st.integers(0, 16).map(lambda n: n * 15),  # clocks mostly change at night
    st.integers(0, 48).map(lambda n: n * 30),
    st.integers(0, 1440),
)
some_windows = st.one_of(
    st.just([ALL_DAY]),
    st.lists(
        st.one_of(
            st.tuples(minutes_of_day, minutes_of_day).map(lambda pair: (min(pair), max(pair))),
            minutes_of_day.map(lambda end: (0, end)),
            minutes_of_day.map(lambda start: (start, 1440)),
        ),
        max_size=3,
    ),
)
lengths = st.sampled_from([15, 20, 25, 30, 45, 60, 90, 100, 480])
buffers = st.sampled_from([0, 5, 10, 30, 61])
busy_rows = st.tuples(
    st.one_of(
        st.integers(-72, 96).map(lambda n: n * HOUR // 2),
        st.integers(-2 * DAY, 3 * DAY),
    ),
    st.one_of(
        st.sampled_from([0, 15 * MINUTE, 30 * MINUTE, HOUR, 8 * HOUR]),
        st.integers(0, DAY),
    ),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name = draw(zone_names)
    changes = change_days(name)
    day = changes[draw(st.integers(0, len(changes) - 1))]
    midnight = at(day.isoformat(), UTC_ZONE)
    near = st.integers(-2, 2).map(lambda n: day + timedelta(days=n))
    first = draw(near)
    usual, other = draw(some_windows), draw(some_windows)
    query = Query(
        ZoneInfo(draw(st.one_of(st.just(name), zone_names))),
        first,
        first + timedelta(days=draw(st.integers(0, 2))),
    )
    offer = Offer(
        hours=Hours(
            ZoneInfo(name),
            {n: other if n in (2, 5) else usual for n in range(1, 8)},
            draw(st.dictionaries(near, some_windows, max_size=2)),
            draw(st.one_of(st.just({1, 2, 3, 4, 5, 6, 7}), st.sets(st.integers(1, 7)))),
        ),
        terms=Terms(
            duration=MINUTE * draw(st.one_of(lengths, st.integers(15, 480))),
            step=MINUTE * draw(st.one_of(lengths, st.integers(10, 480))),
            before=MINUTE * draw(buffers),
            after=MINUTE * draw(buffers),
            notice=HOUR * draw(st.sampled_from([0, 0, 1, 24])),
            horizon=draw(st.sampled_from([60, 0, 1, 2, 3])),
            daily_limit=draw(st.sampled_from([None, 0, 1, 2])),
        ),
        busy=[
            (midnight + start, midnight + start + length)
            for start, length in draw(st.lists(busy_rows, max_size=6))
        ],
        booked=draw(st.dictionaries(near, st.integers(0, 2), max_size=3)),
        now=midnight + draw(st.one_of(st.integers(-4 * DAY, 2 * DAY), st.just(-3 * DAY))),
    )
    return Case(midnight, offer, query)


def near_a_change(full: int) -> settings:
    """A tenth as many examples outside of `make torture`."""
    return settings(
        deadline=None, max_examples=sized(full), suppress_health_check=[HealthCheck.too_slow]
    )


@pytest.mark.torture
@near_a_change(20_000)
@given(cases())
def test_the_engine_finds_what_the_oracle_finds(case: Case) -> None:
    found = find_slots(case.offer, case.query)
    assert found == oracle.slots(case.offer, case.query)
    # No duplicate instant, and in order.
    assert all(slot.start < following.start for slot, following in pairwise(found))


@pytest.mark.torture
@near_a_change(5_000)
@given(cases(), st.integers(-24 * 12, 48 * 12))
def test_one_start_is_judged_as_the_oracle_judges_it(case: Case, fives: int) -> None:
    start = case.midnight + fives * 5 * MINUTE
    assert judge_start(case.offer, start) == oracle.judge(case.offer, start)


@pytest.mark.torture
@near_a_change(10_000)
@given(cases(), st.randoms(use_true_random=False), zone_names)
def test_nothing_but_the_rule_matters(case: Case, dice: random.Random, viewer: str) -> None:
    offer, query = case.offer, case.query
    found = find_slots(offer, query)
    length = (query.last - query.first).days
    dates = [query.first + timedelta(days=n) for n in range(length + 1)]

    shuffled = replace(offer, busy=dice.sample(list(offer.busy), len(offer.busy)))
    assert find_slots(shuffled, query) == found

    # Each date by itself.
    one_by_one = [find_slots(offer, Query(query.zone, day, day)) for day in dates]
    assert sorted(slot for part in one_by_one for slot in part) == found

    # Another viewer, who asks from another start, sees the same.
    two_days = timedelta(days=2)
    wider = Query(ZoneInfo(viewer), query.first - two_days, query.last + two_days)
    assert [
        slot
        for slot in find_slots(offer, wider)
        if datetime.fromtimestamp(slot.start, query.zone).date() in dates
    ] == found

    # One start is judged as it is shown.
    for slot in dice.sample(found, min(len(found), 5)):
        assert judge_start(offer, slot.start) == slot.reason

    # What lies beyond the reach of the query is of no account.
    since, until = query.reach(offer.terms)
    beyond = replace(offer, busy=[*offer.busy, (since - DAY, since), (until, until + DAY)])
    assert find_slots(beyond, query) == found
    for slot in found:
        whole_date = days(offer.hours.date_at(slot.start), zone=offer.hours.zone).instants()
        assert since <= whole_date[0][0]
        assert whole_date[-1][1] <= until


@pytest.mark.torture
def test_every_zone_agrees_with_the_oracle_near_its_changes() -> None:
    """One change of each zone of the tz database (ten at full size), with hours at night."""
    for seed in range(10 if FULL else 1):
        dice = random.Random(seed)
        for name in ALL_ZONES:
            zone, day = ZoneInfo(name), dice.choice(change_days(name))
            closed = dice.randrange(0, 240, 5)
            night = [(0, closed), (closed + 35, 1440)]
            terms = every(dice.choice([20, 45, 50]), lasting=dice.choice([15, 60, 480]))
            offer = Offer(Hours(zone, dict.fromkeys(range(1, 8), night)), terms, [], {}, LONG_AGO)
            query = Query(zone, day - timedelta(days=1), day + timedelta(days=1))
            found = find_slots(offer, query)
            assert found
            assert found == oracle.slots(offer, query), (name, day)

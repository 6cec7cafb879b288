"""Week view: one week of claimed time, drawn on a clock."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from meetings.pages.week import Block, Claim, Day, Week, first_day, instants, week_of
from scheduling.rules.slots import Hours, Interval

MONDAY = date(2026, 3, 2)
NINE_TO_FIVE = {weekday: [(540, 1020)] for weekday in range(1, 6)}
UTC_ZONE, BERLIN, NEW_YORK = (
    ZoneInfo("UTC"),
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("America/New_York"),
)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def instant(day: date, hour: int, minute: int = 0, zone: ZoneInfo = UTC_ZONE, fold: int = 0) -> int:
    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold)
    return int(wall.timestamp())


def claim(start: int, end: int, before: int = 0, after: int = 0, who: str = "John") -> Claim:
    """Return a claim. `start` and `end` are epoch seconds; the buffers are minutes."""
    return Claim(start, end, kept=(start - before * 60, end + after * 60), who=who)


def drawn(
    *claims: Claim,
    first: date = MONDAY,
    zone: ZoneInfo = UTC_ZONE,
    hours_zone: ZoneInfo | None = None,
    weekly: Mapping[int, list[Interval]] = NINE_TO_FIVE,
    overrides: Mapping[date, list[Interval]] | None = None,
    now: datetime = LONG_AGO,
) -> Week:
    hours = Hours(hours_zone or zone, weekly, overrides or {})
    return week_of(first, zone=zone, hours=hours, claims=claims, now=now)


def clock(week: Week) -> list[int]:
    """Return the hours that the scale shows."""
    return [minute // 60 for minute, _block in week.scale]


def shown(day: Day) -> list[tuple[str, str]]:
    return [(f"{entry.start:%H:%M}", f"{entry.end:%H:%M}") for entry in day.entries]


# --- which week ----------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["2026-03-04", "2026-02-01", "2027-03-04"])
def test_seven_days_begin_on_the_wanted_date(wanted: str) -> None:
    assert first_day(wanted, today=MONDAY) == date.fromisoformat(wanted)


@pytest.mark.parametrize("wanted", ["", "nonsense", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_date_that_is_none_or_far_off_is_today(wanted: str) -> None:
    assert first_day(wanted, today=date(2026, 3, 4)) == date(2026, 3, 4)


def test_the_weeks_beside_it_are_seven_days_off() -> None:
    week = drawn()
    assert (week.first, week.last) == (MONDAY, date(2026, 3, 8))
    assert (week.earlier, week.later) == (date(2026, 2, 23), date(2026, 3, 9))


@pytest.mark.parametrize(("first", "hours"), [(date(2026, 3, 23), 167), (date(2026, 10, 19), 169)])
def test_a_week_in_which_the_clock_changes_is_an_hour_shorter_or_longer(
    first: date, hours: int
) -> None:
    since, until = instants(first, BERLIN)
    assert (until - since) / 3600 == hours


# --- what is drawn, and where --------------------------------------------------------------------


def test_the_scale_covers_the_working_hours() -> None:
    week = drawn()
    assert clock(week) == list(range(9, 17))
    assert [day.open for day in week.days] == [[Block(1, 32)]] * 5 + [[], []]


def test_the_scale_covers_what_is_claimed_outside_them_in_whole_hours() -> None:
    early = claim(instant(MONDAY, 7, 30), instant(MONDAY, 8))
    late = claim(instant(MONDAY, 18), instant(MONDAY, 19), after=15)
    assert clock(drawn(early, late)) == list(range(7, 20))


def test_without_hours_and_claims_it_is_the_usual_day() -> None:
    assert clock(drawn(weekly={})) == list(range(9, 17))


def test_a_claim_stands_on_its_day_at_its_time() -> None:
    tuesday = MONDAY + timedelta(days=1)
    week = drawn(claim(instant(tuesday, 10), instant(tuesday, 10, 30), before=15, after=30))
    assert [len(day.entries) for day in week.days] == [0, 1, 0, 0, 0, 0, 0]
    (entry,) = week.days[1].entries
    assert (entry.block, entry.kept) == (Block(5, 2), Block(4, 5))
    assert (entry.from_before, entry.beyond) == (False, False)


def test_what_touches_stays_touching_and_the_shortest_can_be_seen() -> None:
    times = [(0, 5), (5, 20), (20, 21), (21, 60)]
    claims = [claim(instant(MONDAY, 9, a), instant(MONDAY, 9) + b * 60) for a, b in times]
    day = drawn(*claims).days[0]
    assert [entry.block for entry in day.entries] == [
        Block(1, 1),
        Block(1, 1),
        Block(2, 1),
        Block(2, 3),
    ]
    assert day.lanes == 1


def test_a_claim_over_midnight_stands_on_both_days() -> None:
    week = drawn(claim(instant(MONDAY, 23), instant(MONDAY, 23) + 2 * 3600))
    first, second = week.days[0].entries, week.days[1].entries
    assert clock(week) == list(range(24))
    assert week.is_long
    assert [(e.block, e.from_before, e.beyond) for e in first] == [(Block(93, 4), False, True)]
    assert [(e.block, e.from_before, e.beyond) for e in second] == [(Block(1, 4), True, False)]
    assert shown(week.days[0]) == shown(week.days[1]) == [("23:00", "01:00")]


def test_a_claim_of_days_fills_those_in_between() -> None:
    week = drawn(claim(instant(MONDAY, 12), instant(MONDAY + timedelta(days=2), 12)))
    (entry,) = week.days[1].entries
    assert (entry.block, entry.from_before, entry.beyond) == (Block(1, 96), True, True)


def test_a_day_of_the_own_calendar_stands_above_the_scale() -> None:
    saturday = MONDAY + timedelta(days=5)
    off = replace(claim(instant(saturday, 0), instant(saturday, 24 - 1) + 3600), outside=True)
    week = drawn(off)
    assert [day.whole for day in week.days] == [[]] * 5 + [[off], []]
    assert (week.days[5].entries, clock(week)) == ([], list(range(9, 17)))
    # On another clock it takes parts of two days, and is drawn as these.
    week = drawn(off, zone=BERLIN)
    assert [day.whole for day in week.days] == [[]] * 7
    assert [len(day.entries) for day in week.days] == [0, 0, 0, 0, 0, 1, 1]


def test_a_claim_that_begins_before_the_week_or_ends_after_it_is_cut() -> None:
    since, until = instants(MONDAY, UTC_ZONE)
    week = drawn(claim(since - 3600, since + 3600), claim(until - 3600, until + 3600))
    assert [len(day.entries) for day in week.days] == [1, 0, 0, 0, 0, 0, 1]
    assert week.days[0].entries[0].block == Block(1, 4)
    assert week.days[6].entries[0].block == Block(93, 4)


def test_a_buffer_alone_is_no_entry_of_the_day_before() -> None:
    week = drawn(claim(instant(MONDAY, 23) + 3600, instant(MONDAY, 23) + 7200, before=30))
    assert [len(day.entries) for day in week.days] == [0, 1, 0, 0, 0, 0, 0]


def test_what_overlaps_stands_side_by_side_and_what_does_not_has_the_width() -> None:
    week = drawn(
        claim(instant(MONDAY, 9), instant(MONDAY, 11)),
        claim(instant(MONDAY, 10), instant(MONDAY, 11)),
        claim(instant(MONDAY, 11), instant(MONDAY, 12)),
    )
    day = week.days[0]
    assert [(entry.lane, entry.alone) for entry in day.entries] == [
        (1, False),
        (2, False),
        (1, True),
    ]
    assert day.lanes == 2


def test_more_than_four_at_once_lie_on_each_other() -> None:
    claims = [claim(instant(MONDAY, 9), instant(MONDAY, 10), who=str(n)) for n in range(6)]
    day = drawn(*claims).days[0]
    assert [entry.lane for entry in day.entries] == [1, 2, 3, 4, 4, 4]
    assert day.lanes == 4


# --- clocks that change --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "times", "block"),
    [
        # In Berlin the clock goes from 2:00 to 3:00 on 29 March.
        ((1, 30), (3, 30), ("01:30", "03:30"), Block(7, 8)),
        ((3, 0), (4, 0), ("03:00", "04:00"), Block(13, 4)),
        ((8, 0), (9, 0), ("08:00", "09:00"), Block(33, 4)),
    ],
)
def test_a_day_without_an_hour_shows_what_its_clock_shows(
    start: tuple[int, int], end: tuple[int, int], times: tuple[str, str], block: Block
) -> None:
    day = date(2026, 3, 29)
    week = drawn(
        claim(instant(day, *start, BERLIN), instant(day, *end, BERLIN)),
        first=date(2026, 3, 23),
        zone=BERLIN,
        weekly={7: [(0, 1440)]},
    )
    assert shown(week.days[6]) == [times]
    assert [entry.block for entry in week.days[6].entries] == [block]
    assert week.days[6].open == [Block(1, 96)]


@pytest.mark.parametrize(
    ("start", "end", "block"),
    [
        # On 25 October it shows 2:00 to 3:00 twice.
        ((1, 0, 0), (4, 0, 0), Block(5, 12)),
        ((2, 0, 0), (2, 0, 1), Block(9, 4)),
        ((2, 0, 1), (3, 0, 0), Block(9, 4)),
        ((2, 45, 0), (2, 15, 1), Block(9, 4)),
        ((8, 0, 0), (9, 0, 0), Block(33, 4)),
    ],
)
def test_a_day_with_an_hour_twice_shows_it_once(
    start: tuple[int, int, int], end: tuple[int, int, int], block: Block
) -> None:
    day = date(2026, 10, 25)
    first, last = (instant(day, h, m, BERLIN, fold) for h, m, fold in (start, end))
    week = drawn(claim(first, last), first=date(2026, 10, 19), zone=BERLIN, weekly={7: [(0, 1440)]})
    assert [entry.block for entry in week.days[6].entries] == [block]


def test_a_clock_that_is_put_back_at_midnight_keeps_days_apart() -> None:
    """The clock of Havana goes back from 1:00 to 0:00 on 1 November 2026, within the same date."""
    havana, day = ZoneInfo("America/Havana"), date(2026, 11, 1)
    start = instant(day, 0, 30, havana)
    week = drawn(
        claim(start, start + 3600), first=date(2026, 10, 26), zone=havana, weekly={7: [(0, 1440)]}
    )
    assert [len(day.entries) for day in week.days] == [0, 0, 0, 0, 0, 0, 1]
    assert week.days[6].entries[0].block == Block(1, 4)


# --- working hours and today ---------------------------------------------------------------------


def test_hours_of_another_zone_stand_on_the_readers_clock() -> None:
    week = drawn(zone=BERLIN, hours_zone=NEW_YORK)
    assert clock(week) == list(range(15, 23))
    assert [(f"{a:%H:%M}", f"{b:%H:%M}") for a, b in week.days[0].hours] == [("15:00", "23:00")]


def test_a_day_off_and_other_hours_are_marked() -> None:
    tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    week = drawn(overrides={tuesday: [], wednesday: [(600, 660), (720, 780)]})
    assert [day.is_other for day in week.days] == [False, True, True, False, False, False, False]
    assert week.days[1].open == []
    assert week.days[2].open == [Block(5, 4), Block(13, 4)]


def test_only_seven_days_from_today_on_are_the_next_seven() -> None:
    monday = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    assert [drawn(now=monday + timedelta(days=n)).is_next for n in (-1, 0, 1)] == [
        False,
        True,
        False,
    ]


def test_the_present_stands_on_today_alone() -> None:
    week = drawn(now=datetime(2026, 3, 3, 10, 30, tzinfo=UTC))
    assert not week.is_next
    assert [day.is_today for day in week.days] == [False, True, False, False, False, False, False]
    assert [day.now for day in week.days] == [None, Block(7, 1), *[None] * 5]


@pytest.mark.parametrize("hour", [6, 22])
def test_the_present_off_the_scale_is_not_drawn(hour: int) -> None:
    week = drawn(now=datetime(2026, 3, 3, hour, 30, tzinfo=UTC))
    assert [day.is_today for day in week.days] == [False, True, False, False, False, False, False]
    assert [day.now for day in week.days] == [None] * 7


def test_today_is_that_of_the_readers_zone() -> None:
    """At 23:30 UTC on Monday, it is Tuesday in Berlin."""
    week = drawn(zone=BERLIN, now=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    assert [day.date.day for day in week.days if day.is_today] == [3]

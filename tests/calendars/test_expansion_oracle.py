"""Expansion against a naive oracle: no difference for any rule, zone, exception and window."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import add
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calendars.rules.expansion import Window, split
from tests.calendars import oracle
from tests.calendars.ics import calendar, entry, expanded
from tests.calendars.oracle import DAY, Move, Plan, Rule
from tests.scheduling.test_slots_oracle import NASTY, change_days
from tests.torture.conftest import FULL

T = TypeVar("T")
UTC_ZONE = ZoneInfo("UTC")
DAY_SECONDS = 24 * 60 * 60
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

quarters = st.integers(0, 95).map(lambda n: timedelta(minutes=15 * n))
at_night = st.integers(0, 16).map(lambda n: timedelta(minutes=15 * n))  # clocks change then
times_of_day = st.one_of(at_night, quarters)
some = st.sampled_from


def few(values: Sequence[T]) -> st.SearchStrategy[tuple[T, ...]]:
    """Return a strategy for some of the values, and often none."""
    return st.one_of(st.just(()), st.lists(some(values), max_size=3, unique=True).map(tuple))


@st.composite
def rules(draw: st.DrawFn, start: datetime, *, is_all_day: bool) -> Rule:
    frequencies = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY"] + ["HOURLY"] * (not is_all_day)
    frequency = draw(some(frequencies))
    places = [0, 1, 2, -1] if frequency in ("YEARLY", "MONTHLY") else [0]
    month_days = [1, 2, 15, 28, 29, 30, 31, -1, -2]
    end = draw(some(["", "", "count", "until"]))
    return Rule(
        frequency=frequency,
        interval=draw(some([1, 1, 2, 3, 5])),
        count=draw(st.integers(1, 40)) if end == "count" else 0,
        until=start + draw(st.integers(0, 60)) * DAY if end == "until" else None,
        months=draw(few(range(1, 13))),
        month_days=() if frequency == "WEEKLY" else draw(few(month_days)),
        weekdays=draw(few([(day, place) for day in range(7) for place in places])),
        hours=() if is_all_day else draw(few(range(7))),
        positions=draw(few([1, 2, -1])),
        week_start=draw(some([0, 6])),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Plan, Window]:
    """Draw a series near a change of its clock, and a window around that change."""
    zone = ZoneInfo(draw(some([*NASTY, "UTC", "Europe/Berlin"])))
    changes = change_days(zone.key)
    change = changes[draw(st.integers(0, len(changes) - 1))]
    day = datetime(change.year, change.month, change.day)
    is_all_day = draw(st.booleans())
    start = day - DAY * draw(st.one_of(st.integers(0, 5), st.integers(0, 90), st.integers(0, 500)))
    if not is_all_day:
        start += draw(times_of_day)
    series = Plan(
        zone=zone,
        start=start,
        days=draw(some([1, 1, 2] if is_all_day else [0, 0, 1])),
        minutes=0 if is_all_day else draw(some([15, 60, 90, 600])),
        is_all_day=is_all_day,
        rule=draw(st.one_of(st.none(), rules(start, is_all_day=is_all_day))),
    )
    since = at(day, UTC_ZONE) + 3600 * draw(st.integers(-100, 20))
    window = Window(since, since + 3600 * draw(st.integers(1, 200)))

    # Exceptions are mostly to what the series has, and sometimes to nothing.
    moments = st.builds(add, st.integers(-6, 6).map(lambda n: day + n * DAY), times_of_day)
    any_originals = moments.map(midnight) if is_all_day else moments
    known = [wall for wall in oracle.originals(series, window.until) if abs(wall - day) < 10 * DAY]
    originals = st.one_of(some(known), some(known), any_originals) if known else any_originals
    moves = {}
    for original in draw(st.lists(originals, max_size=3)):
        move = Move(original, draw(st.one_of(st.none(), moments)))
        moves[oracle.recurrence_id(series, original)] = move
    return replace(
        series,
        added=tuple(draw(st.lists(any_originals, max_size=2))),
        left_out=tuple(draw(st.lists(originals, max_size=3))),
        moves=tuple(moves.values()),
    ), window


# --- a plan as text -----------------------------------------------------------------------------


class Writer:
    """Writer of a plan, by one of the spellings that the standard allows for each value."""

    def __init__(self, plan: Plan, dice: random.Random) -> None:
        self.plan, self.dice = plan, dice
        clocks = ["floating", "named", "named"]
        if 2001 <= plan.start.year <= 2036:  # `change_days` knows the changes around
            clocks.append("described")
        self.clock = dice.choice(clocks)
        self.tzid = plan.zone.key if self.clock == "named" else "Somewhere"

    def text(self) -> str:
        plan = self.plan
        lines = [self.value("DTSTART", plan.start), self.length()]
        if plan.rule:
            lines.append(self.rule(plan.rule))
        lines += [self.instant("RDATE", wall) for wall in plan.added]
        lines += [self.instant("EXDATE", wall) for wall in plan.left_out]
        components = [entry(*lines), *(self.moved(move) for move in plan.moves)]
        self.dice.shuffle(components)
        if self.clock == "described":
            components.append(described(plan.zone, plan.start.year))
        return calendar(*components)

    def value(self, name: str, wall: datetime) -> str:
        """Return a property with a time in the zone of the plan."""
        if self.plan.is_all_day:
            return f"{name};VALUE=DATE:{wall:%Y%m%d}"
        zone = "" if self.clock == "floating" else f";TZID={self.tzid}"
        return f"{name}{zone}:{wall:%Y%m%dT%H%M%S}"

    def instant(self, name: str, wall: datetime) -> str:
        """Return a property with a time in the zone of the plan, or in UTC."""
        if self.plan.is_all_day or self.dice.random() < 0.6:
            return self.value(name, wall)
        return f"{name}:{self.utc(wall)}"

    def utc(self, wall: datetime, minutes: int = 0) -> str:
        instant = oracle.instant(wall, self.plan.zone) + 60 * minutes
        return f"{datetime.fromtimestamp(instant, UTC):%Y%m%dT%H%M%SZ}"

    def length(self) -> str:
        plan = self.plan
        if plan.is_all_day and self.dice.random() < 0.5:
            return f"DTEND;VALUE=DATE:{plan.start + plan.days * DAY:%Y%m%d}"
        if not plan.days and self.dice.random() < 0.5:
            return f"DTEND:{self.utc(plan.start, plan.minutes)}"
        return f"DURATION:P{plan.days}D" + (f"T{plan.minutes}M" if plan.minutes else "")

    def moved(self, move: Move) -> str:
        original = self.instant("RECURRENCE-ID", move.original)
        if move.start is None:
            return entry(original, self.value("DTSTART", move.original), "STATUS:CANCELLED")
        start = f"DTSTART:{self.utc(move.start)}"
        return entry(original, start, f"DURATION:PT{move.minutes}M")

    def rule(self, rule: Rule) -> str:
        parts = [f"FREQ={rule.frequency}", f"WKST={WEEKDAYS[rule.week_start]}"]
        if rule.interval > 1:
            parts.append(f"INTERVAL={rule.interval}")
        if rule.count:
            parts.append(f"COUNT={rule.count}")
        if rule.until:
            is_utc = not self.plan.is_all_day and self.dice.random() < 0.5
            local = f"{rule.until:%Y%m%d}" + (
                "" if self.plan.is_all_day else f"T{rule.until:%H%M%S}"
            )
            parts.append(f"UNTIL={self.utc(rule.until) if is_utc else local}")
        if rule.weekdays:
            days = [f"{position or ''}{WEEKDAYS[day]}" for day, position in rule.weekdays]
            parts.append(f"BYDAY={','.join(days)}")
        for name, values in (
            ("BYMONTH", rule.months),
            ("BYMONTHDAY", rule.month_days),
            ("BYHOUR", rule.hours),
            ("BYSETPOS", rule.positions),
        ):
            if values:
                parts.append(f"{name}={','.join(map(str, values))}")
        return f"RRULE:{';'.join(parts)}"


@lru_cache(maxsize=1000)
def described(zone: ZoneInfo, year: int) -> str:
    """Return a VTIMEZONE with each change of a clock in and around five years."""
    lines = ["BEGIN:VTIMEZONE", "TZID:Somewhere"]
    for day in change_days(zone.key):
        if year - 1 <= day.year <= year + 4:
            midnight = at(datetime(day.year, day.month, day.day), UTC_ZONE)
            for instant in range(midnight, midnight + DAY_SECONDS, 900):
                before, after = offset(zone, instant - 900), offset(zone, instant)
                if before != after:
                    lines += observance(instant, before, after)
    if len(lines) == 2:
        ahead = offset(zone, at(datetime(year, 1, 1), UTC_ZONE))
        lines += observance(0, ahead, ahead)
    return "\r\n".join([*lines, "END:VTIMEZONE"])


def observance(instant: int, before: int, after: int) -> list[str]:
    return [
        "BEGIN:STANDARD",
        f"DTSTART:{datetime.fromtimestamp(instant + before, UTC):%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{written(before)}",
        f"TZOFFSETTO:{written(after)}",
        "END:STANDARD",
    ]


def written(offset: int) -> str:
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}{minutes:02}"


def offset(zone: ZoneInfo, instant: int) -> int:
    ahead = datetime.fromtimestamp(instant, zone).utcoffset()
    assert ahead is not None
    return int(ahead.total_seconds())


def midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0)


def at(wall: datetime, zone: ZoneInfo) -> int:
    return int(wall.replace(tzinfo=zone).timestamp())


# --- the tests ----------------------------------------------------------------------------------


@pytest.mark.torture
@settings(
    max_examples=10_000 if FULL else 100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases(), st.randoms(use_true_random=False))
def test_the_engine_finds_what_the_oracle_finds(
    case: tuple[Plan, Window], dice: random.Random
) -> None:
    plan, window = case
    text = Writer(plan, dice).text()
    found = expanded(text, window=window, zone=plan.zone)
    assert [(each.recurrence_id, each.start, each.end) for each in found] == oracle.occurrences(
        plan, window.since, window.until
    ), text
    # Whatever has gone through `split` means the same.
    (series,) = split(text.encode(), most_series=1).series.values()
    assert expanded(series.text, window=window, zone=plan.zone) == found


@pytest.mark.torture
@settings(max_examples=2_000 if FULL else 30, suppress_health_check=[HealthCheck.too_slow])
@given(cases(), st.integers(-100, 100))
def test_two_windows_find_what_one_finds(case: tuple[Plan, Window], hours: int) -> None:
    plan, window = case
    text = Writer(plan, random.Random(hours)).text()
    middle = min(max(window.since, window.since + hours * 3600), window.until)
    whole = expanded(text, window=window, zone=plan.zone)
    parts = [
        each
        for since, until in ((window.since, middle), (middle, window.until))
        for each in expanded(text, window=Window(since, until), zone=plan.zone)
    ]
    assert {*parts} == {*whole}

"""Naive second version of recurrence: it walks day by day, and through each day.

It takes a plan, never a text, and shares nothing with the engine: it reads clocks only from
instants to wall times, and asks of every quarter of an hour whether the rule names it. It works for
plans in quarters of an hour, and clocks that differ from UTC by such (all, since 1980).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import TypeAlias
from zoneinfo import ZoneInfo

Found: TypeAlias = tuple[str, int, int]  # recurrence id, start, end
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """Recurrence rule. Weekdays are numbers from 0 (Monday), with a position or 0."""

    frequency: str
    interval: int = 1
    count: int = 0
    until: datetime | None = None  # wall time, included
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


@dataclass(frozen=True)
class Move:
    """Another time for an occurrence, or none if it was cancelled."""

    original: datetime
    start: datetime | None
    minutes: int = 30


@dataclass(frozen=True)
class Plan:
    """Series to be read. Times are wall times of `zone`; it lasts `days` and then `minutes`."""

    zone: ZoneInfo
    start: datetime
    days: int = 0
    minutes: int = 0
    is_all_day: bool = False
    rule: Rule | None = None
    added: tuple[datetime, ...] = ()
    left_out: tuple[datetime, ...] = ()
    moves: tuple[Move, ...] = ()


def occurrences(plan: Plan, since: int, until: int) -> list[Found]:
    """Return what meets the window, by time."""
    found: dict[str, tuple[int, int] | None] = {}
    for wall in [*originals(plan, until), *plan.added]:
        found.setdefault(recurrence_id(plan, wall), _span(plan, wall))
    for move in plan.moves:
        moved = None
        if move.start:
            start = instant(move.start, plan.zone)
            moved = (start, start + 60 * move.minutes)
        found[recurrence_id(plan, move.original)] = moved
    for wall in plan.left_out:
        found.pop(recurrence_id(plan, wall), None)
    recurs = plan.rule or plan.added or plan.moves
    return sorted(
        (
            (name if recurs else "", *span)
            for name, span in found.items()
            if span and span[0] < span[1] and span[0] < until and span[1] > since
        ),
        key=lambda each: (each[1], each[2], each[0]),
    )


@lru_cache(maxsize=10_000)
def instant(wall: datetime, zone: ZoneInfo) -> int:
    """Return the first instant at which the clock shows this.

    If it never does, return the instant at which it would have without the gap.
    """
    near = datetime(wall.year, wall.month, wall.day)
    readings: dict[datetime, int] = {}
    before = None
    for day in (near - DAY, near, near + DAY):
        for at, reading in _readings(zone, day):
            readings.setdefault(reading, at)
            if reading < wall:
                before = (at, reading)
            elif wall in readings:
                return readings[wall]
            elif before and reading > wall:
                return before[0] + int((wall - before[1]).total_seconds())
    raise AssertionError(wall)


def originals(plan: Plan, until: int) -> list[datetime]:
    """Return the starts that the rule names, from the first on."""
    rule = plan.rule
    if rule is None:
        return [plan.start]
    last = datetime.fromtimestamp(until, UTC).replace(tzinfo=None) + 2 * DAY
    walls = [wall for wall in _named(rule, plan, last) if wall > plan.start]
    walls = [plan.start, *walls][: rule.count or None]
    return [
        wall
        for wall in walls
        if rule.until is None
        or instant(wall, plan.zone) <= instant(rule.until, plan.zone)
        or (plan.is_all_day and wall <= rule.until)
    ]


def recurrence_id(plan: Plan, wall: datetime) -> str:
    """Return the name of the occurrence that begins at this wall time of the plan."""
    if plan.is_all_day:
        return wall.strftime("%Y%m%d")
    return datetime.fromtimestamp(instant(wall, plan.zone), UTC).strftime("%Y%m%dT%H%M%SZ")


@lru_cache(maxsize=200)
def _readings(zone: ZoneInfo, day: datetime) -> list[tuple[int, datetime]]:
    """Return each quarter of an hour of a UTC date, and what the clock shows then."""
    midnight = int(day.replace(tzinfo=UTC).timestamp())
    return [
        (at, datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0))
        for at in range(midnight, midnight + 24 * 60 * 60, 15 * 60)
    ]


def _span(plan: Plan, wall: datetime) -> tuple[int, int]:
    end = instant(wall + plan.days * DAY, plan.zone) + plan.minutes * 60
    return instant(wall, plan.zone), end


def _named(rule: Rule, plan: Plan, last: datetime) -> Iterator[datetime]:
    """Yield every wall time that the rule names, period by period."""
    for _period, walls in groupby(_candidates(rule, plan, last), lambda each: each[0]):
        ordered = [wall for _period, wall in walls]
        if not rule.positions:
            yield from ordered
        else:
            picked = {
                position - 1 if position > 0 else len(ordered) + position
                for position in rule.positions
            }
            yield from (wall for index, wall in enumerate(ordered) if index in picked)


def _candidates(rule: Rule, plan: Plan, last: datetime) -> Iterator[tuple[int, datetime]]:
    """Yield period and wall time of all that the rule names before it picks positions."""
    start = plan.start
    day = datetime(start.year, 1, 1) - 7 * DAY  # a whole period, wherever the series begins
    if rule.positions:  # they count in whole periods
        last = datetime(last.year + 1, 1, 1) + 7 * DAY
    while day < last:
        if _is_named(rule, start, day):
            for quarter in range(24 * 4):
                wall = day + quarter * QUARTER
                if _is_time(rule, plan, wall):
                    period = _period(rule, wall) - _period(rule, start)
                    if period % rule.interval == 0:
                        yield period, wall
        day += DAY


def _period(rule: Rule, wall: datetime) -> int:
    """Return the number of the year, month, week, day or hour, counted from somewhere."""
    hours = int((wall - datetime(1900, 1, 1)).total_seconds()) // 3600  # a Monday
    return {
        "YEARLY": wall.year,
        "MONTHLY": wall.year * 12 + wall.month,
        "WEEKLY": (hours // 24 - rule.week_start) // 7,
        "DAILY": hours // 24,
        "HOURLY": hours,
    }[rule.frequency]


def _is_time(rule: Rule, plan: Plan, wall: datetime) -> bool:
    if plan.is_all_day:
        return wall.hour == wall.minute == 0
    if wall.minute != plan.start.minute:
        return False
    if rule.hours:
        return wall.hour in rule.hours
    return rule.frequency == "HOURLY" or wall.hour == plan.start.hour


def _is_named(rule: Rule, start: datetime, day: datetime) -> bool:
    """Tell whether the rule names this date, leaving aside its interval."""
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days and not {day.day, day.day - _length_of_month(day) - 1} & {*rule.month_days}:
        return False
    if rule.weekdays:
        return any(
            day.weekday() == weekday and (not position or _is_nth(rule, day, position))
            for weekday, position in rule.weekdays
        )
    return bool(rule.month_days) or _is_like_the_start(rule, start, day)


def _is_like_the_start(rule: Rule, start: datetime, day: datetime) -> bool:
    """Tell whether a date is what the start is, in a rule that names no days."""
    if rule.frequency == "YEARLY":
        return day.day == start.day and (bool(rule.months) or day.month == start.month)
    if rule.frequency == "MONTHLY":
        return day.day == start.day
    return rule.frequency != "WEEKLY" or day.weekday() == start.weekday()


def _is_nth(rule: Rule, day: datetime, position: int) -> bool:
    """Tell whether a date is the nth of its weekday in the month, or in the year."""
    in_year = rule.frequency == "YEARLY" and not rule.months
    weekday_dates = defaultdict(list)
    each = datetime(day.year, 1 if in_year else day.month, 1)
    while each.year == day.year and (in_year or each.month == day.month):
        weekday_dates[each.weekday()].append(each)
        each += DAY
    dates = weekday_dates[day.weekday()]
    index = position - 1 if position > 0 else len(dates) + position
    return 0 <= index < len(dates) and dates[index] == day


def _length_of_month(day: datetime) -> int:
    following = day.replace(day=28) + 4 * DAY
    return (following - following.day * DAY).day

"""Recurrence rules (RFC 5545, 3.3.10) on wall time, in bounded steps.

A rule is asked period by period, from the first period that matters, and may be stopped after any.
dateutil knows the same rules, but it begins at the start of a series, and where a rule names
nothing (31 February) it walks to the year 9999 before it answers: for minutes.
"""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import product

from calendars.rules.bounds import MOST_A_DAY, Unreadable, check_time
from calendars.rules.values import Time, parse_time


class Frequency(Enum):
    """Length of the periods of a rule."""

    YEARLY = auto()
    MONTHLY = auto()
    WEEKLY = auto()
    DAILY = auto()
    HOURLY = auto()


_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MOST_VALUES = 750  # that differ in one list, of BYYEARDAY at most 732
_LONGEST_INTERVAL = 100_000_000  # periods of any frequency; longer than the calendar itself
_DAY = timedelta(days=1)
# Lengths of the periods, on a wall clock.
_LASTING = {
    Frequency.WEEKLY: 7 * _DAY,
    Frequency.DAILY: _DAY,
    Frequency.HOURLY: timedelta(hours=1),
}
_MONTHS = {Frequency.YEARLY: 12, Frequency.MONTHLY: 1}
# Name of a list, its greatest value, and whether its values count from the end too.
_LISTS = {
    "BYMONTH": (12, False),
    "BYMONTHDAY": (31, True),
    "BYYEARDAY": (366, True),
    "BYWEEKNO": (53, True),
    "BYSETPOS": (366, True),
    "BYHOUR": (23, False),
    "BYMINUTE": (59, False),
    "BYSECOND": (60, False),
}
_OF_DAYS = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")


@dataclass(frozen=True)
class Rule:
    """Recurrence rule that leaves nothing to the start of its series. No days name all days.

    A weekday is a number from 0 (Monday), with its place in the month or the year, or 0 for each.
    """

    frequency: Frequency
    interval: int
    week_start: int
    count: int | None
    until: Time | None
    months: frozenset[int]
    month_days: frozenset[int]
    year_days: frozenset[int]
    weeks: frozenset[int]
    weekdays: frozenset[tuple[int, int]]
    hours: frozenset[int]
    times: tuple[timedelta, ...]  # of a day, or of an hour if the rule is hourly
    places: frozenset[int]  # in the period, of those that count

    def names(self, day: datetime) -> bool:
        """Tell whether the rule names this date, leaving aside interval and places."""
        if self.months and day.month not in self.months:
            return False
        if self.month_days and not _counted(day.day, _days_of_month(day)) & self.month_days:
            return False
        if self.weekdays and not self._weekdays_of(day) & self.weekdays:
            return False
        if self.year_days and not _counted(_day_of_year(day), _days_of_year(day)) & self.year_days:
            return False
        return not self.weeks or bool(self._weeks_of(day) & self.weeks)

    def _weekdays_of(self, day: datetime) -> set[tuple[int, int]]:
        weekday = day.weekday()
        if self.frequency not in _MONTHS:
            return {(weekday, 0)}
        if self.frequency is Frequency.YEARLY and not self.months:
            number, days = _day_of_year(day), _days_of_year(day)
        else:
            number, days = day.day, _days_of_month(day)
        return {(weekday, 0), (weekday, (number + 6) // 7), (weekday, -((days - number) // 7 + 1))}

    def _weeks_of(self, day: datetime) -> set[int]:
        """Return the number of the week of a date, from the start and the end of its year."""
        # A week belongs to the year that has four of its days: that of its fourth.
        fourth = day + (3 - (day.weekday() - self.week_start) % 7) * _DAY
        december = fourth.replace(month=12, day=28)  # always in the last week
        last = december + (3 - (december.weekday() - self.week_start) % 7) * _DAY
        return _counted((_day_of_year(fourth) + 6) // 7, (_day_of_year(last) + 6) // 7)


def parse_rule(value: str, start: datetime, *, is_date: bool) -> Rule:
    """Read a RRULE of a series that begins at `start`.

    Raise ValueError if it cannot be read, and Unreadable if it names too many starts a day.
    """
    written = {}
    for part in value.upper().split(";"):
        name, _, values = part.strip().partition("=")
        written[name] = values.strip()
    if written.get("FREQ") in ("MINUTELY", "SECONDLY"):
        raise Unreadable("too_frequent")
    if written.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        raise ValueError(value[:50])
    if written.get("FREQ") not in Frequency.__members__:
        raise ValueError(value[:50])
    frequency = Frequency[written["FREQ"]]
    if is_date and frequency is Frequency.HOURLY:
        raise ValueError(value[:50])
    lists = {
        name: _numbers(written[name], most, has_negative=has_negative)
        for name, (most, has_negative) in _LISTS.items()
        if written.get(name)
    }
    weekdays = _weekdays(written.get("BYDAY", ""), frequency)
    # What a rule does not say, the start does.
    if not weekdays and not any(name in lists for name in _OF_DAYS):
        if frequency is Frequency.YEARLY:
            lists.setdefault("BYMONTH", {start.month})
        if frequency in _MONTHS:
            lists["BYMONTHDAY"] = {start.day}
    if not weekdays and (
        frequency is Frequency.WEEKLY or [*lists.keys() & {*_OF_DAYS}] == ["BYWEEKNO"]
    ):
        weekdays = {(start.weekday(), 0)}
    interval = min(int(written.get("INTERVAL") or 1), _LONGEST_INTERVAL)
    if interval < 1:
        raise ValueError(value[:50])
    count = int(written["COUNT"]) if written.get("COUNT") else 0
    hours = lists.get("BYHOUR", set() if frequency is Frequency.HOURLY else {start.hour})
    minutes = lists.get("BYMINUTE", {start.minute})
    seconds = {min(second, 59) for second in lists.get("BYSECOND", {start.second})}
    if is_date:
        hours = minutes = seconds = {0}
    if (len(hours) or -(-24 // interval)) * len(minutes) * len(seconds) > MOST_A_DAY:
        raise Unreadable("too_frequent")
    return Rule(
        frequency=frequency,
        interval=interval,
        week_start=_DAYS.index(written.get("WKST") or "MO"),
        count=count if count > 0 else None,  # some programs write -1 for "without end"
        until=parse_time(written["UNTIL"], None) if written.get("UNTIL") else None,
        months=frozenset(lists.get("BYMONTH", ())),
        month_days=frozenset(lists.get("BYMONTHDAY", ())),
        year_days=frozenset(lists.get("BYYEARDAY", ())),
        weeks=frozenset(lists.get("BYWEEKNO", ())),
        weekdays=frozenset(weekdays),
        hours=frozenset(hours),
        times=tuple(
            timedelta(hours=hour, minutes=minute, seconds=second)
            for hour, minute, second in product(
                [0] if frequency is Frequency.HOURLY else sorted(hours),
                sorted(minutes),
                sorted(seconds),
            )
        ),
        places=frozenset(lists.get("BYSETPOS", ())),
    )


def starts(
    rule: Rule, first: datetime, *, since: datetime, end: datetime, until: float
) -> Iterator[datetime]:
    """Yield the wall times of a rule before `end`, in order. `first`, its start, is always one.

    Those before `since` may be left out. UNTIL is left to the caller, who knows the clock. Raise
    Unreadable if `time.monotonic()` comes to be beyond `until`.
    """
    yield first
    base = _period_of(rule, first)
    done = 0 if rule.count else max(_periods_between(rule, base, since) - 1, 0)
    counted = 1
    while (begins := _later(rule, base, done)) and begins < end:
        if done % 16 == 0:
            check_time(until)
        done += 1
        for wall in _in_period(rule, begins):
            if wall > first:
                counted += 1
                if rule.count and counted > rule.count:
                    return
                if wall < end:
                    yield wall


def _in_period(rule: Rule, begins: datetime) -> list[datetime]:
    """Return the wall times that a rule names in the period that begins then, in order."""
    if rule.frequency is Frequency.HOURLY:
        days = [begins] if not rule.hours or begins.hour in rule.hours else []
    elif rule.frequency in _LASTING:
        length = _LASTING[rule.frequency] // _DAY
        days = [begins + number * _DAY for number in range(length)]
    else:
        months = range(1, 13) if rule.frequency is Frequency.YEARLY else [begins.month]
        days = [
            begins.replace(month=month, day=day)
            for month in months
            if not rule.months or month in rule.months
            for day in range(1, _days_of_month(begins.replace(month=month)) + 1)
        ]
    walls = [day + time for day in days if rule.names(day) for time in rule.times]
    if not rule.places:
        return walls
    return [
        wall
        for number, wall in enumerate(walls, start=1)
        if _counted(number, len(walls)) & rule.places
    ]


def _counted(number: int, most: int) -> set[int]:
    """Return a number and what it is when counted from the end."""
    return {number, number - most - 1}


def _day_of_year(day: datetime) -> int:
    return day.timetuple().tm_yday


def _days_of_year(day: datetime) -> int:
    return 366 if isleap(day.year) else 365


def _days_of_month(day: datetime) -> int:
    return 29 if day.month == 2 and isleap(day.year) else _MONTH_LENGTHS[day.month - 1]


def _numbers(written: str, most: int, *, has_negative: bool) -> set[int]:
    values = {int(value) for value in written.split(",")}
    least = -most if has_negative else 0
    if len(values) > _MOST_VALUES or min(values) < least or max(values) > most:
        raise ValueError(written[:50])
    if 0 in values and has_negative:
        raise ValueError(written[:50])
    return values


def _weekdays(written: str, frequency: Frequency) -> set[tuple[int, int]]:
    """Read a BYDAY. Only in months and years does a weekday have a place."""
    values = {value.strip() for value in written.split(",")} if written else set()
    if len(values) > _MOST_VALUES:
        raise ValueError(written[:50])
    return {
        (_DAYS.index(value[-2:]), int(value[:-2] or 0) if frequency in _MONTHS else 0)
        for value in values
    }


def _period_of(rule: Rule, wall: datetime) -> datetime:
    """Return the beginning of the period of the rule in which this wall time is."""
    if rule.frequency is Frequency.HOURLY:
        return wall.replace(minute=0, second=0)
    day = wall.replace(hour=0, minute=0, second=0)
    if rule.frequency is Frequency.YEARLY:
        return day.replace(month=1, day=1)
    if rule.frequency is Frequency.MONTHLY:
        return day.replace(day=1)
    if rule.frequency is Frequency.WEEKLY:
        return day - timedelta(days=(day.weekday() - rule.week_start) % 7)
    return day


def _periods_between(rule: Rule, base: datetime, wall: datetime) -> int:
    """Return the number of whole intervals from the beginning of a period to a wall time."""
    if rule.frequency in _LASTING:
        return (wall - base) // _LASTING[rule.frequency] // rule.interval
    months = (wall.year - base.year) * 12 + wall.month - base.month
    return months // _MONTHS[rule.frequency] // rule.interval


def _later(rule: Rule, base: datetime, intervals: int) -> datetime | None:
    """Return the beginning of the period so many intervals later. None beyond year 9999."""
    periods = intervals * rule.interval
    try:
        if rule.frequency in _LASTING:
            return base + periods * _LASTING[rule.frequency]
        months = base.month - 1 + periods * _MONTHS[rule.frequency]
        return base.replace(year=base.year + months // 12, month=months % 12 + 1)
    except (OverflowError, ValueError):
        return None

"""Recurrence rules (RFC 5545, 3.3.10) on wall time, in bounded steps.

dateutil finds the starts. It begins at the start of a series and cannot be interrupted, so a rule
that began long ago or never yields would hold it for minutes. Here a rule runs over a few hundred
of its periods at a time, from the first period that matters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from dateutil.rrule import DAILY, HOURLY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from calendars.rules.bounds import MOST_A_DAY, Unreadable, check_time
from calendars.rules.values import Time, parse_time

_Frequency: TypeAlias = Literal[0, 1, 2, 3, 4]

_FREQUENCIES: dict[str, _Frequency] = {
    "YEARLY": YEARLY,
    "MONTHLY": MONTHLY,
    "WEEKLY": WEEKLY,
    "DAILY": DAILY,
    "HOURLY": HOURLY,
}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Periods at a time: each takes some milliseconds, even of a rule that is made to be slow.
_AT_ONCE = {YEARLY: 20, MONTHLY: 100, WEEKLY: 500, DAILY: 500, HOURLY: 500}
_MOST_VALUES = 750  # that differ in one list, of BYYEARDAY at most 732
_LONGEST_INTERVAL = 100_000_000  # periods of any frequency; longer than the calendar itself
_SECOND = timedelta(seconds=1)
# Lengths of the periods, on a wall clock.
_LASTING = {WEEKLY: timedelta(weeks=1), DAILY: timedelta(days=1), HOURLY: timedelta(hours=1)}
_MONTHS = {YEARLY: 12, MONTHLY: 1}
# Name in a rule, name in dateutil, greatest value, and whether values count from the end too.
_LISTS = (
    ("BYMONTH", "bymonth", 12, False),
    ("BYMONTHDAY", "bymonthday", 31, True),
    ("BYYEARDAY", "byyearday", 366, True),
    ("BYWEEKNO", "byweekno", 53, True),
    ("BYSETPOS", "bysetpos", 366, True),
    ("BYHOUR", "byhour", 23, False),
    ("BYMINUTE", "byminute", 59, False),
    ("BYSECOND", "bysecond", 60, False),
)


@dataclass(frozen=True)
class Rule:
    """Recurrence rule. `parts` are arguments of dateutil that leave nothing to the start."""

    frequency: _Frequency
    interval: int
    week_start: int
    count: int | None
    until: Time | None
    parts: dict[str, Any]  # lists of numbers, and of weekdays

    @property
    def is_yearly(self) -> bool:
        return self.frequency == YEARLY


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
    frequency = _FREQUENCIES.get(written.get("FREQ", ""))
    if frequency is None or (is_date and frequency == HOURLY):
        raise ValueError(value[:50])
    parts: dict[str, Any] = {
        argument: _numbers(written[name], most, has_negative=has_negative)
        for name, argument, most, has_negative in _LISTS
        if written.get(name)
    }
    if written.get("BYDAY"):
        parts["byweekday"] = _weekdays(written["BYDAY"])
    _complete(parts, frequency, start, is_date=is_date)
    interval = min(int(written.get("INTERVAL") or 1), _LONGEST_INTERVAL)
    count = int(written["COUNT"]) if written.get("COUNT") else None
    if interval < 1:
        raise ValueError(value[:50])
    hours = len(parts.get("byhour", ())) or -(-24 // interval)
    if hours * len(parts["byminute"]) * len(parts["bysecond"]) > MOST_A_DAY:
        raise Unreadable("too_frequent")
    return Rule(
        frequency=frequency,
        interval=interval,
        week_start=_DAYS.index(written.get("WKST") or "MO"),
        # Some programs write -1 for "without end".
        count=count if count is None or count > 0 else None,
        until=parse_time(written["UNTIL"], None) if written.get("UNTIL") else None,
        parts=parts,
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
    while True:
        check_time(until)
        begins = _later(rule, base, done)
        if begins is None or begins >= end:
            return
        done += _AT_ONCE[rule.frequency]
        ends = min(_later(rule, base, done) or end, end)
        for wall in rrule(
            rule.frequency,
            dtstart=begins,
            interval=rule.interval,
            wkst=rule.week_start,
            until=ends - _SECOND,
            **rule.parts,
        ):
            if wall > first:
                counted += 1
                if rule.count and counted > rule.count:
                    return
                yield wall


def _numbers(written: str, most: int, *, has_negative: bool) -> list[int]:
    values = sorted({int(value) for value in written.split(",")})
    least = -most if has_negative else 0
    if len(values) > _MOST_VALUES or values[0] < least or values[-1] > most:
        raise ValueError(written[:50])
    if 0 in values and has_negative:
        raise ValueError(written[:50])
    return values


def _weekdays(written: str) -> list[weekday]:
    values = sorted({value.strip() for value in written.split(",")})
    if len(values) > _MOST_VALUES:
        raise ValueError(written[:50])
    return [
        weekday(_DAYS.index(value[-2:]), int(value[:-2]) if value[:-2] else None)
        for value in values
    ]


def _complete(parts: dict[str, Any], frequency: int, start: datetime, *, is_date: bool) -> None:
    """Add what a rule leaves to the start of its series."""
    if not {"byweekno", "byyearday", "bymonthday", "byweekday"} & parts.keys():
        if frequency == YEARLY:
            parts.setdefault("bymonth", [start.month])
        if frequency in (YEARLY, MONTHLY):
            parts["bymonthday"] = [start.day]
        elif frequency == WEEKLY:
            parts["byweekday"] = [weekday(start.weekday())]
    elif "byweekno" in parts and not {"byyearday", "bymonthday", "byweekday"} & parts.keys():
        parts["byweekday"] = [weekday(start.weekday())]
    if is_date:
        parts.update(byhour=[0], byminute=[0], bysecond=[0])
        return
    if frequency != HOURLY:
        parts.setdefault("byhour", [start.hour])
    parts.setdefault("byminute", [start.minute])
    parts.setdefault("bysecond", [start.second])
    parts["bysecond"] = [min(second, 59) for second in parts["bysecond"]]


def _period_of(rule: Rule, wall: datetime) -> datetime:
    """Return the beginning of the period of the rule in which this wall time is."""
    if rule.frequency == HOURLY:
        return wall.replace(minute=0, second=0)
    day = wall.replace(hour=0, minute=0, second=0)
    if rule.frequency == YEARLY:
        return day.replace(month=1, day=1)
    if rule.frequency == MONTHLY:
        return day.replace(day=1)
    if rule.frequency == WEEKLY:
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

"""The slot rule once more, as naively as it can be said: minute by minute, looking at the clock.

It takes the engine's questions and shares nothing else with it: no offsets, no intervals, no grid
arithmetic on windows. For clocks that differ from UTC by whole minutes (all, since 1972), and for
questions in whole minutes; only `now` and busy rows may have seconds.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduling.slots import Hours, Query, Terms

MINUTE = 60


def slots(
    *,
    query: Query,
    hours: Hours,
    terms: Terms,
    busy: Iterable[tuple[int, int]],
    booked: Mapping[date, int],
    now: int,
) -> list[tuple[int, int, str]]:
    """Start, end and reason of every start on the grid; the reason is empty if it is open."""
    working = _working_minutes(hours, _days(query.first - _TWO_DAYS, query.last + _TWO_DAYS))
    taken = _taken_minutes(busy)
    return [
        (start, start + terms.duration, _reason(start, hours, terms, taken, booked, now))
        for start, first_of_window in working.items()
        if (start - first_of_window) % terms.step == 0
        and query.first <= _wall(start, query.zone).date() <= query.last
        and all(minute in working for minute in range(start, start + terms.duration, MINUTE))
    ]


def judge(
    *,
    start: int,
    hours: Hours,
    terms: Terms,
    busy: Iterable[tuple[int, int]],
    booked: Mapping[date, int],
    now: int,
) -> str:
    """Why this start is not offered; empty if it is."""
    day = datetime.fromtimestamp(start, UTC).date()
    working = _working_minutes(hours, _days(day - _TWO_DAYS, day + _TWO_DAYS))
    for minute in range(start, start + terms.duration, MINUTE):
        if minute not in working:
            return "outside_hours"
    if (start - working[start]) % terms.step != 0:
        return "off_grid"
    return _reason(start, hours, terms, _taken_minutes(busy), booked, now)


_TWO_DAYS = timedelta(days=2)


def _reason(
    start: int,
    hours: Hours,
    terms: Terms,
    taken: set[int],
    booked: Mapping[date, int],
    now: int,
) -> str:
    day = _wall(start, hours.zone).date()
    end = start + terms.duration
    if start < now + terms.notice:
        return "notice"
    if day > _wall(now, hours.zone).date() + timedelta(days=terms.horizon):
        return "horizon"
    if terms.daily_limit is not None and booked.get(day, 0) >= terms.daily_limit:
        return "daily_limit"
    if any(minute in taken for minute in range(start, end, MINUTE)):
        return "busy"
    if any(minute in taken for minute in range(start - terms.before, end + terms.after, MINUTE)):
        return "buffer"
    return ""


def _working_minutes(hours: Hours, days: Iterable[date]) -> dict[int, int]:
    """Every working minute of these UTC dates, by time, and the first of its window."""
    working: dict[int, int] = {}
    windows: dict[date, dict[int, int]] = {}
    firsts: dict[tuple[date, int], int] = {}
    for day in days:
        for instant, shown_date, shown_minute in _wall_of_day(hours.zone, day):
            if shown_date not in windows:
                windows[shown_date] = _windows(hours, shown_date)
            opens = windows[shown_date].get(shown_minute)
            if opens is not None:
                working[instant] = firsts.setdefault((shown_date, opens), instant)
    return working


def _windows(hours: Hours, day: date) -> dict[int, int]:
    """The minutes of the day in this date's hours, each with the first minute of its window."""
    if day in hours.overrides:
        windows = hours.overrides[day]
    else:
        windows = hours.weekly.get(day.isoweekday(), [])
    if day.isoweekday() not in hours.available_days:
        windows = []
    minutes = {minute for start, end in windows for minute in range(start, end)}
    firsts: dict[int, int] = {}
    for minute in sorted(minutes):
        firsts[minute] = firsts[minute - 1] if minute - 1 in minutes else minute
    return firsts


def _taken_minutes(busy: Iterable[tuple[int, int]]) -> set[int]:
    """Every minute of which a busy row takes a second or more."""
    return {
        minute
        for start, end in busy
        if start < end
        for minute in range(start - start % MINUTE, end, MINUTE)
    }


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@lru_cache(maxsize=1024)
def _wall_of_day(zone: ZoneInfo, day: date) -> list[tuple[int, date, int]]:
    """What a wall clock shows at every minute of a UTC date: the date and the minute of the day."""
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    shown = []
    for instant in range(midnight, midnight + 24 * 60 * MINUTE, MINUTE):
        wall = _wall(instant, zone)
        shown.append((instant, wall.date(), wall.hour * 60 + wall.minute))
    return shown


def _wall(instant: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant, zone)

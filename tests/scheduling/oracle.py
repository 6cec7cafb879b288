"""Naive second version of the slot rule: it walks minute by minute and looks at the clock.

It takes the engine's questions and shares nothing else with it: no offsets, no intervals, no grid
arithmetic on windows. It works for clocks that differ from UTC by whole minutes (all, since 1972),
and for questions in whole minutes. Only `now` and busy rows may have seconds.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduling.rules.slots import Hours, Offer, Query

MINUTE = 60
_DAY = timedelta(days=1)


def slots(offer: Offer, query: Query) -> list[tuple[int, int, str]]:
    """Return start, end and reason of every start on the grid. An open start has no reason."""
    working = _working_minutes(offer.hours, query.first - 2 * _DAY, query.last + 2 * _DAY)
    taken = _taken_minutes(offer.busy)
    duration, step = offer.terms.duration, offer.terms.step
    return [
        (start, start + duration, _reason(offer, start, taken))
        for start, first_of_window in working.items()
        if (start - first_of_window) % step == 0
        and query.first <= _wall(start, query.zone).date() <= query.last
        and all(minute in working for minute in range(start, start + duration, MINUTE))
    ]


def judge(offer: Offer, start: int) -> str:
    """Return why this start is not offered, or an empty text if it is."""
    day = _wall(start, offer.hours.zone).date()
    working = _working_minutes(offer.hours, day - 2 * _DAY, day + 2 * _DAY)
    for minute in range(start, start + offer.terms.duration, MINUTE):
        if minute not in working:
            return "outside_hours"
    if (start - working[start]) % offer.terms.step != 0:
        return "off_grid"
    return _reason(offer, start, _taken_minutes(offer.busy))


def _reason(offer: Offer, start: int, taken: set[int]) -> str:
    zone, terms = offer.hours.zone, offer.terms
    day = _wall(start, zone).date()
    end = start + terms.duration
    if start < offer.now + terms.notice:
        return "notice"
    if day > _wall(offer.now, zone).date() + terms.horizon * _DAY:
        return "horizon"
    week = [day + (n - day.weekday()) * _DAY for n in range(7)]
    for dates, most, reason in (
        ([day], terms.daily_limit, "daily_limit"),
        (week, terms.weekly_limit, "weekly_limit"),
    ):
        if most is not None and sum(offer.booked.get(each, 0) for each in dates) >= most:
            return reason
    if any(minute in taken for minute in range(start, end, MINUTE)):
        return "busy"
    if any(minute in taken for minute in range(start - terms.before, end + terms.after, MINUTE)):
        return "buffer"
    return ""


def _working_minutes(hours: Hours, day: date, last: date) -> dict[int, int]:
    """Return every working minute of these UTC dates, with the first minute of its window."""
    working: dict[int, int] = {}
    windows: dict[date, dict[int, int]] = {}
    firsts: dict[tuple[date, int], int] = {}
    while day <= last:
        for instant, shown_date, shown_minute in _wall_of_day(hours.zone, day):
            if shown_date not in windows:
                windows[shown_date] = _windows(hours, shown_date)
            opens = windows[shown_date].get(shown_minute)
            if opens is not None:
                working[instant] = firsts.setdefault((shown_date, opens), instant)
        day += _DAY
    return working


def _windows(hours: Hours, day: date) -> dict[int, int]:
    """Return the working minutes of this date, each with the first minute of its window."""
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
    """Return every minute in which a busy row takes a second or more."""
    return {
        minute
        for start, end in busy
        if start < end
        for minute in range(start - start % MINUTE, end, MINUTE)
    }


@lru_cache(maxsize=100)
def _wall_of_day(zone: ZoneInfo, day: date) -> list[tuple[int, date, int]]:
    """Return each minute of a UTC date: epoch seconds, local date, local minute of the day."""
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    shown = []
    for instant in range(midnight, midnight + 24 * 60 * MINUTE, MINUTE):
        wall = _wall(instant, zone)
        shown.append((instant, wall.date(), wall.hour * 60 + wall.minute))
    return shown


def _wall(instant: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant, zone)

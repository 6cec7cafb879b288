"""Slot rule of docs/contract.md ("When a host is free"), and nothing else.

Pure: no Django, no database, and the present time is passed in. An *instant* is in epoch seconds, a
length is in seconds, a time of the day is in minutes since midnight. All intervals are half-open:
the end does not belong to them.

*Wall time* is what a clock on a wall shows, in seconds since it showed 1970-01-01 00:00. Such a
clock keeps a constant distance from UTC for months, changes it, and keeps the next. While it is
`ahead` seconds ahead it shows the wall times from `a` until `b` from `a - ahead` until `b - ahead`,
while it is ahead by that much. So what it skips comes out empty, what it repeats comes out
twice, and no change of any clock is a case of its own.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from math import inf
from typing import NamedTuple, TypeAlias, cast
from zoneinfo import ZoneInfo

Interval: TypeAlias = tuple[int, int]

_MINUTE = 60
_DAY = 24 * 60 * _MINUTE
_EPOCH = date(1970, 1, 1).toordinal()


class Reason(StrEnum):
    """Reason why a start is not offered: the first that applies, in this order.

    Empty if it is open.
    """

    OPEN = ""
    OUTSIDE_HOURS = "outside_hours"
    OFF_GRID = "off_grid"
    NOTICE = "notice"
    HORIZON = "horizon"
    DAILY_LIMIT = "daily_limit"
    WEEKLY_LIMIT = "weekly_limit"
    BUSY = "busy"
    BUFFER = "buffer"


class Slot(NamedTuple):
    """Start on the grid and end of its meeting, as instants. `reason` is empty if it is open."""

    start: int
    end: int
    reason: Reason


@dataclass(frozen=True)
class Hours:
    """Working hours of a host, on the host's own clock.

    A window is a pair of minutes of the day. It ends at 1440 (24:00) at the latest. `weekly` has
    the windows of each ISO weekday (1 is Monday). `overrides` has those of single dates (none: a
    day off). `available_days`, the ISO weekdays of the event type, limit both: an override opens no
    other day.
    """

    zone: ZoneInfo
    weekly: Mapping[int, Collection[Interval]]
    overrides: Mapping[date, Collection[Interval]] = field(default_factory=dict)
    available_days: Collection[int] = range(1, 8)

    def date_at(self, instant: int) -> date:
        """Return the date that the host's clock shows at this instant."""
        return datetime.fromtimestamp(instant, self.zone).date()

    def windows_on(self, day: date) -> list[Interval]:
        """Return the hours of this date, in order. Touching or overlapping windows become one."""
        weekday = day.isoweekday()
        if weekday not in self.available_days:
            return []
        return _joined(self.overrides.get(day, self.weekly.get(weekday, ())))


@dataclass(frozen=True)
class Terms:
    """Terms of an event type. `horizon` is in days; all other times are in seconds.

    `step` is the distance of two starts. `before` and `after` are the buffers. `notice` is the
    minimum notice, `horizon` the booking window.
    """

    duration: int
    step: int
    before: int = 0
    after: int = 0
    notice: int = 0
    horizon: int = 60
    daily_limit: int | None = None
    weekly_limit: int | None = None


@dataclass(frozen=True)
class Offer:
    """Event type in its state at `now`, an instant. A fraction of `now` was rounded up.

    `busy` has the claims on the host's time, in any order. The row of a booking includes its own
    buffers. `booked` has the number of bookings of this event type that count on each date of the
    host. An ISO week has the bookings of its seven dates.
    """

    hours: Hours
    terms: Terms
    busy: Collection[Interval]
    booked: Mapping[date, int]
    now: int


@dataclass(frozen=True)
class Query:
    """Dates from `first` to `last`, both included, of a clock in `zone` (years 2 to 9998)."""

    zone: ZoneInfo
    first: date
    last: date

    def instants(self) -> list[Interval]:
        """Return the intervals in which the clock shows these dates, by time.

        There is one interval, or more if the clock changes.
        """
        start, end = _midnight(self.first), _midnight(self.last) + _DAY
        return _shown(_clock(self.zone, start, end), start, end)

    def reach(self, terms: Terms) -> Interval:
        """Return the interval of the busy rows and bookings that can matter to the answer.

        Busy rows matter if they meet it, bookings if they start in it. It is generous. The clocks
        of the query and of the host are each less than a day away from UTC. Bookings count on whole
        dates of the host, and on whole weeks where these have a limit.
        """
        margin = 3 * _DAY if terms.weekly_limit is None else 9 * _DAY
        start, end = _midnight(self.first), _midnight(self.last) + _DAY
        return start - margin - terms.before, end + margin + terms.duration + terms.after


def find_slots(offer: Offer, query: Query) -> list[Slot]:
    """Return every start on the grid that the query selects, by time: open, or with a reason."""
    terms = offer.terms
    earliest = offer.now + terms.notice
    today = offer.hours.date_at(offer.now)
    is_busy = _meets_any_of(offer.busy)
    weekly = Counter[int]()
    for day, count in offer.booked.items():
        weekly[_week(day)] += count
    slots = []
    for day, starts in _grid(offer.hours, terms, query):
        whole_day = Reason.OPEN
        if (day - today).days > terms.horizon:
            whole_day = Reason.HORIZON
        elif terms.daily_limit is not None and offer.booked.get(day, 0) >= terms.daily_limit:
            whole_day = Reason.DAILY_LIMIT
        elif terms.weekly_limit is not None and weekly[_week(day)] >= terms.weekly_limit:
            whole_day = Reason.WEEKLY_LIMIT
        for start in starts:
            end = start + terms.duration
            reason = whole_day
            if start < earliest:
                reason = Reason.NOTICE
            elif not whole_day and is_busy(start - terms.before, end + terms.after):
                reason = Reason.BUSY if is_busy(start, end) else Reason.BUFFER
            slots.append(Slot(start, end, reason))
    return slots


def judge_start(offer: Offer, start: int) -> Reason:
    """Return OPEN if this start is offered, or the reason why not.

    The answer agrees with `find_slots` for the host's date.
    """
    day = offer.hours.date_at(start)
    for slot in find_slots(offer, Query(offer.hours.zone, day, day)):
        if slot.start == start:
            return slot.reason
    if is_working(offer.hours, start, start + offer.terms.duration):
        return Reason.OFF_GRID
    return Reason.OUTSIDE_HOURS


def is_working(hours: Hours, start: int, end: int) -> bool:
    """Tell whether every minute between these two instants is working time."""
    return any(
        stretch[0].start <= start and end <= stretch[-1].end
        for stretch in _working(hours, start, end)
    )


def working_time(hours: Hours, since: int, until: int) -> list[Interval]:
    """Return the working time that meets this interval of instants.

    Each stretch of it has no break.
    """
    return [(stretch[0].start, stretch[-1].end) for stretch in _working(hours, since, until)]


class _Shift(NamedTuple):
    """Working time of one window of one date: one shift, or several if the clock changes.

    `origin` is the first working instant of the window. The grid of the window is counted from it.
    """

    start: int
    end: int
    origin: int
    day: date


def _grid(hours: Hours, terms: Terms, query: Query) -> Iterator[tuple[date, range]]:
    """Yield the starts on the grid whose every minute is working time, with the host's date."""
    for since, until in query.instants():
        for stretch in _working(hours, since, until + terms.duration):
            too_late = stretch[-1].end - terms.duration + 1
            for shift in stretch:
                first = max(shift.start, since)
                first += (shift.origin - first) % terms.step
                yield shift.day, range(first, min(shift.end, until, too_late), terms.step)


def _working(hours: Hours, since: int, until: int) -> list[list[_Shift]]:
    """Return all stretches of working time that meet this interval, by time, without breaks.

    A stretch continues over midnight and over changes of the clock. The grid does not: it begins
    anew with each date's window. Otherwise hours around the clock would give the grid no beginning,
    and a day off would move the starts of the days that follow.
    """
    shifts: list[_Shift] = []
    days = range(since // _DAY - 1, until // _DAY + 2)  # no clock is a day ahead of UTC or behind
    clock = _clock(hours.zone, days[0] * _DAY, days[-1] * _DAY + _DAY)
    for number in days:
        day = date.fromordinal(_EPOCH + number)
        for opens, closes in hours.windows_on(day):
            midnight = number * _DAY
            shown = _shown(clock, midnight + opens * _MINUTE, midnight + closes * _MINUTE)
            shifts += [_Shift(start, end, shown[0][0], day) for start, end in shown]
    stretches: list[list[_Shift]] = []
    for shift in sorted(shifts):
        if stretches and stretches[-1][-1].end == shift.start:
            stretches[-1].append(shift)
        else:
            stretches.append([shift])
    return stretches


def _meets_any_of(rows: Iterable[Interval]) -> Callable[[int, int], bool]:
    """Return a function that tells whether an interval meets one of these rows.

    An empty row meets no interval.
    """
    rows = sorted([row for row in rows if row[0] < row[1]])
    starts = [start for start, _ in rows]
    latest_ends = [-inf, *accumulate([end for _, end in rows], max)]  # of the first 0, 1, ... rows

    def meets(start: int, end: int) -> bool:
        return latest_ends[bisect_left(starts, end)] > start

    return meets


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the intervals in order. Those that touch or overlap become one."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


class _Period(NamedTuple):
    """Two instants, and the constant number of seconds by which a clock is ahead of UTC between."""

    since: int
    until: int
    ahead: int


def _shown(clock: Iterable[_Period], start: int, end: int) -> list[Interval]:
    """Return the intervals of instants at which the clock shows these wall times, in order."""
    return [
        (first, last)
        for since, until, ahead in clock
        if (first := max(start - ahead, since)) < (last := min(end - ahead, until))
    ]


def _clock(zone: ZoneInfo, start: int, end: int) -> list[_Period]:
    """Return the periods in which the clock of `zone` may show the wall times of `start` to `end`.

    The function looks at the clock once a day. If a day has changed the clock, it finds the second
    of the change. (In the whole tz database no clock has changed twice within three days.)
    """
    periods = []
    since, ahead = start - _DAY, _ahead(zone, start - _DAY)
    for yesterday in range(start - _DAY, end + _DAY, _DAY):
        today = yesterday + _DAY
        if _ahead(zone, today) != ahead:
            seconds = range(yesterday, today + 1)
            change = seconds[bisect_left(seconds, 1, key=lambda t: _ahead(zone, t) != ahead)]
            periods.append(_Period(since, change, ahead))
            since, ahead = change, _ahead(zone, change)
    return [*periods, _Period(since, end + _DAY, ahead)]


@lru_cache(maxsize=2**14)
def _ahead(zone: ZoneInfo, instant: int) -> int:
    """Return by how many seconds the clock of `zone` is ahead of UTC at this instant.

    The result is cached, because the same days recur.
    """
    offset = cast(timedelta, datetime.fromtimestamp(instant, zone).utcoffset())
    return offset // timedelta(seconds=1)


def _week(day: date) -> int:
    """Return the number of the ISO week of this date, counted from the first Monday of all."""
    return (day.toordinal() - 1) // 7


def _midnight(day: date) -> int:
    """Return the wall time at which a date begins."""
    return (day.toordinal() - _EPOCH) * _DAY

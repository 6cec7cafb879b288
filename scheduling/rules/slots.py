"""Slot rule of docs/contract.md ("When a host is free"), and nothing else.

Pure: no Django, no database, and the present time is passed in. An *instant* is in epoch seconds, a
length is in seconds, a time of the day is in minutes since midnight. All intervals are half-open:
the end does not belong to them.

*Wall time* is what a clock on a wall shows, in seconds since it showed 1970-01-01 00:00. Such a
clock keeps a constant distance from UTC for months, changes it, and keeps the next. While it is
`ahead` seconds ahead it shows the wall times from `a` until `b` from `a - ahead` until `b - ahead`,
as far as it is ahead by that much then. So what it skips comes out empty, what it repeats comes out
twice, and no change of any clock is a case of its own.
"""

from bisect import bisect_left
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
    """Why a start is not offered: the first that holds, in this order. Empty where it is open."""

    OPEN = ""
    OUTSIDE_HOURS = "outside_hours"
    OFF_GRID = "off_grid"
    NOTICE = "notice"
    HORIZON = "horizon"
    DAILY_LIMIT = "daily_limit"
    BUSY = "busy"
    BUFFER = "buffer"


class Slot(NamedTuple):
    """A start on the grid and the end of its meeting, two instants; `reason` is empty if open."""

    start: int
    end: int
    reason: Reason


@dataclass(frozen=True)
class Hours:
    """When the host works, as the host's own clock shows it.

    A window is a pair of minutes of the day and ends at 1440, which is 24:00, at the latest.
    `weekly` has the windows of each ISO weekday (1 is Monday), `overrides` those of single dates
    (none: a day off). `available_days`, the event type's ISO weekdays, narrow both: an override
    opens no other day.
    """

    zone: ZoneInfo
    weekly: Mapping[int, Collection[Interval]]
    overrides: Mapping[date, Collection[Interval]] = field(default_factory=dict)
    available_days: Collection[int] = range(1, 8)

    def date_at(self, instant: int) -> date:
        """The date that the host's clock shows then."""
        return datetime.fromtimestamp(instant, self.zone).date()

    def windows_on(self, day: date) -> list[Interval]:
        """The hours of this date, in order; touching or overlapping windows are one."""
        weekday = day.isoweekday()
        if weekday not in self.available_days:
            return []
        return _joined(self.overrides.get(day, self.weekly.get(weekday, ())))


@dataclass(frozen=True)
class Terms:
    """What an event type asks for. `horizon` is in days; all else that takes time is in seconds.

    `step` is the distance of two starts, `before` and `after` are the buffers.
    """

    duration: int
    step: int
    before: int = 0
    after: int = 0
    notice: int = 0
    horizon: int = 60
    daily_limit: int | None = None


@dataclass(frozen=True)
class Offer:
    """An event type as things stand at `now`, an instant (rounded up, where it has a fraction).

    `busy` is what is claimed of the host's time, in any order; a booking's row includes its own
    buffers. `booked` says how many bookings of this event type count on a date of the host's.
    """

    hours: Hours
    terms: Terms
    busy: Collection[Interval]
    booked: Mapping[date, int]
    now: int


@dataclass(frozen=True)
class Query:
    """The dates from `first` to `last`, both included, of a clock in `zone` (years 2 to 9998)."""

    zone: ZoneInfo
    first: date
    last: date

    def instants(self) -> list[Interval]:
        """While the clock shows these dates: one interval, or more where it changes, by time."""
        start, end = _midnight(self.first), _midnight(self.last) + _DAY
        return _shown(_clock(self.zone, start, end), start, end)

    def reach(self, terms: Terms) -> Interval:
        """What can matter to the answer: busy rows that meet this, bookings that start in it.

        Roomy: the query's clock and the host's are each less than a day ahead of UTC or behind,
        and bookings count on whole dates of the host's.
        """
        start, end = _midnight(self.first), _midnight(self.last) + _DAY
        return start - 3 * _DAY - terms.before, end + 3 * _DAY + terms.duration + terms.after


def find_slots(offer: Offer, query: Query) -> list[Slot]:
    """Every start on the grid that the query selects, by time: open, or the reason why not."""
    terms = offer.terms
    earliest = offer.now + terms.notice
    today = offer.hours.date_at(offer.now)
    is_busy = _meets_any_of(offer.busy)
    slots = []
    for day, starts in _grid(offer.hours, terms, query):
        whole_day = Reason.OPEN
        if (day - today).days > terms.horizon:
            whole_day = Reason.HORIZON
        elif terms.daily_limit is not None and offer.booked.get(day, 0) >= terms.daily_limit:
            whole_day = Reason.DAILY_LIMIT
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
    """Whether this start is offered, and if not why: what `find_slots` says of the host's date."""
    day = offer.hours.date_at(start)
    for slot in find_slots(offer, Query(offer.hours.zone, day, day)):
        if slot.start == start:
            return slot.reason
    if is_working(offer.hours, start, start + offer.terms.duration):
        return Reason.OFF_GRID
    return Reason.OUTSIDE_HOURS


def is_working(hours: Hours, start: int, end: int) -> bool:
    """Whether every minute between these two instants is working."""
    return any(
        stretch[0].start <= start and end <= stretch[-1].end
        for stretch in _working(hours, start, end)
    )


def working_time(hours: Hours, since: int, until: int) -> list[Interval]:
    """The working time that meets this interval of instants, in stretches without a break."""
    return [(stretch[0].start, stretch[-1].end) for stretch in _working(hours, since, until)]


class _Shift(NamedTuple):
    """Working time of one window of one date: one shift, or several where the clock changes.

    `origin` is the first working minute of the window, from which its grid is counted.
    """

    start: int
    end: int
    origin: int
    day: date


def _grid(hours: Hours, terms: Terms, query: Query) -> Iterator[tuple[date, range]]:
    """The starts on the grid whose every minute is working, with the host's date."""
    for since, until in query.instants():
        for stretch in _working(hours, since, until + terms.duration):
            too_late = stretch[-1].end - terms.duration + 1
            for shift in stretch:
                first = max(shift.start, since)
                first += (shift.origin - first) % terms.step
                yield shift.day, range(first, min(shift.end, until, too_late), terms.step)


def _working(hours: Hours, since: int, until: int) -> list[list[_Shift]]:
    """All stretches of working time that meet this interval, by time, each without a break.

    A stretch runs on over midnight and over changes of the clock. The grid does not: it begins anew
    with each date's window. It could not begin at all with hours around the clock, and a day off
    would move the starts of the days that follow.
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
    """The question whether an interval meets one of these rows. An empty row meets none."""
    rows = sorted([row for row in rows if row[0] < row[1]])
    starts = [start for start, _ in rows]
    latest_ends = [-inf, *accumulate([end for _, end in rows], max)]  # of the first 0, 1, ... rows

    def meets(start: int, end: int) -> bool:
        return latest_ends[bisect_left(starts, end)] > start

    return meets


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """In order, with those that touch or overlap made one."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


class _Period(NamedTuple):
    """Two instants between which a clock is ahead of UTC by a constant number of seconds."""

    since: int
    until: int
    ahead: int


def _shown(clock: Iterable[_Period], start: int, end: int) -> list[Interval]:
    """The instants at which the clock shows the wall times from `start` until `end`, in order."""
    return [
        (first, last)
        for since, until, ahead in clock
        if (first := max(start - ahead, since)) < (last := min(end - ahead, until))
    ]


def _clock(zone: ZoneInfo, start: int, end: int) -> list[_Period]:
    """The periods of the clock of `zone` while it may show the wall times from `start` until `end`.

    It is looked at once a day, and closely where the day has changed it. (In the whole tz database
    no clock has changed twice within three days.)
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
    """By how many seconds the clock of `zone` is ahead of UTC then; the same days recur."""
    offset = cast(timedelta, datetime.fromtimestamp(instant, zone).utcoffset())
    return offset // timedelta(seconds=1)


def _midnight(day: date) -> int:
    """The wall time at which a date begins."""
    return (day.toordinal() - _EPOCH) * _DAY

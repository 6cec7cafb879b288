"""A week of somebody's time as it is drawn: seven days, what is claimed, and the working hours.

Pure: the rows are passed in, and so is the present time. What is drawn stands on a clock that every
day shows in full, so a minute is one of the day, from 0 to 1440. Where a clock is put back, what it
shows twice is drawn once; where it is put forward, a stretch runs on through the hour that is not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.rules import slots
from scheduling.rules.slots import Hours, Interval, Query

_QUARTER, _HOUR = 15, 60
_USUAL = (9 * _HOUR, 17 * _HOUR)
# How far from today weeks are shown. Nothing is booked further ahead.
_REACH = timedelta(days=3653)
MOST_LANES = 4


@dataclass(frozen=True)
class Claim:
    """What takes time, or would: instants, and between `kept` those of the buffers around it."""

    start: int
    end: int
    kept: Interval
    who: str
    what: str = ""
    url: str = ""
    waits: bool = False


@dataclass(frozen=True)
class Block:
    """Quarters of an hour on the scale: the first row, from 1, and how many."""

    row: int
    rows: int


@dataclass(frozen=True)
class Entry:
    """The part of a claim that falls on one day."""

    claim: Claim
    start: datetime
    end: datetime
    from_before: bool
    beyond: bool
    block: Block
    kept: Block
    lane: int
    alone: bool


@dataclass(frozen=True)
class Day:
    date: date
    is_today: bool
    # The day has other hours than its weekday, or none.
    is_other: bool
    hours: list[tuple[datetime, datetime]]
    open: list[Block]
    entries: list[Entry]
    lanes: int
    now: Block | None


@dataclass(frozen=True)
class Week:
    days: list[Day]
    # The hours that are shown: the minute at which each begins, and its place.
    scale: list[tuple[int, Block]]
    earlier: date
    later: date
    is_this: bool

    @property
    def first(self) -> date:
        return self.days[0].date

    @property
    def last(self) -> date:
        return self.days[-1].date

    @property
    def is_long(self) -> bool:
        return len(self.scale) > 14


def first_day(wanted: str, *, today: date, week_start: int) -> date:
    """The day that begins the week of the wanted date: of today's, if that is none or far off.

    `week_start` is the ISO weekday on which weeks begin.
    """
    try:
        day = date.fromisoformat(wanted)
    except ValueError:
        day = today
    if abs(day - today) > _REACH:
        day = today
    return day - timedelta(days=(day.isoweekday() - week_start) % 7)


def instants(first: date, zone: ZoneInfo) -> Interval:
    """From when until when the clock of `zone` shows the seven days that begin on `first`."""
    shown = Query(zone, first, first + timedelta(days=6)).instants()
    return shown[0][0], shown[-1][1]


def week_of(
    first: date, *, zone: ZoneInfo, hours: Hours, claims: Iterable[Claim], now: datetime
) -> Week:
    """The seven days that begin on `first`, as the clock of `zone` shows them."""
    in_order = sorted(claims, key=lambda claim: (claim.start, claim.end))
    dates = [first + timedelta(days=number) for number in range(7)]
    sheets = [_Sheet(day, zone) for day in dates]
    since, until = instants(first, zone)
    working = slots.working_time(hours, since, until)
    scale = opens, closes = _scale(sheets, [*working, *(claim.kept for claim in in_order)])
    today = now.astimezone(zone).date()
    return Week(
        days=[_day(sheet, hours, working, in_order, scale, now) for sheet in sheets],
        scale=[
            (minute, _block((minute, minute + _HOUR), opens))
            for minute in range(opens, closes, _HOUR)
        ],
        earlier=first - timedelta(days=7),
        later=first + timedelta(days=7),
        is_this=first <= today <= dates[-1],
    )


class _Sheet:
    """One date of a clock: turns stretches of instants into minutes of that day."""

    def __init__(self, day: date, zone: ZoneInfo) -> None:
        self.day, self.zone = day, zone
        self._midnight = int(datetime.combine(day, datetime.min.time(), UTC).timestamp())
        # Between two of these the clock keeps its distance from UTC.
        self._shown = Query(zone, day, day).instants()

    def clip(self, stretch: Interval) -> Interval | None:
        """The instants of this stretch from the first that falls on this day to the last."""
        parts = self._parts(stretch)
        return (parts[0][0], parts[-1][1]) if parts else None

    def minutes(self, stretch: Interval) -> Interval | None:
        """The minutes of the day from the earliest that it touches to the latest."""
        walls = []
        for start, end in self._parts(stretch):
            ahead = self.at(start).utcoffset() or timedelta(0)
            before = self._midnight - int(ahead.total_seconds())
            walls.append(((start - before) // 60, -((before - end) // 60)))
        return (min(wall[0] for wall in walls), max(wall[1] for wall in walls)) if walls else None

    def at(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, self.zone)

    def _parts(self, stretch: Interval) -> list[Interval]:
        return [
            (start, end)
            for since, until in self._shown
            if (start := max(since, stretch[0])) < (end := min(until, stretch[1]))
        ]


def _scale(sheets: Iterable[_Sheet], stretches: Sequence[Interval]) -> Interval:
    """Whole hours around all that is to be seen; the usual ones, where that is nothing."""
    seen = [found for sheet in sheets for one in stretches if (found := sheet.minutes(one))]
    opens = min((start for start, _end in seen), default=_USUAL[0])
    closes = max((end for _start, end in seen), default=_USUAL[1])
    return opens // _HOUR * _HOUR, -(-closes // _HOUR) * _HOUR


def _block(minutes: Interval, opens: int) -> Block:
    """To the nearest quarter of an hour, and never nothing; so what touches stays touching."""
    first, last = ((minute - opens + _QUARTER // 2) // _QUARTER for minute in minutes)
    return Block(first + 1, max(last - first, 1))


def _day(
    sheet: _Sheet,
    hours: Hours,
    working: Iterable[Interval],
    claims: Iterable[Claim],
    scale: Interval,
    now: datetime,
) -> Day:
    opens, closes = scale
    found = []
    for claim in claims:
        # The buffers of what is on the next day may begin on this one; they are no entry of it.
        clipped, kept = sheet.clip((claim.start, claim.end)), sheet.minutes(claim.kept)
        if clipped and kept:
            found.append((claim, clipped, kept))
    lanes = _lanes([kept for _claim, _clipped, kept in found])
    entries = [
        Entry(
            claim=claim,
            start=sheet.at(claim.start),
            end=sheet.at(claim.end),
            from_before=clipped[0] > claim.start,
            beyond=clipped[1] < claim.end,
            block=_block(sheet.minutes(clipped) or kept, opens),
            kept=_block(kept, opens),
            lane=lane,
            alone=alone,
        )
        for (claim, clipped, kept), (lane, alone) in zip(found, lanes, strict=True)
    ]
    moment = int(now.timestamp())
    present = sheet.minutes((moment, moment + 1))
    shifts = [part for one in working if (part := sheet.clip(one))]
    return Day(
        date=sheet.day,
        is_today=present is not None,
        is_other=sheet.day in hours.overrides,
        hours=[(sheet.at(start), sheet.at(end)) for start, end in shifts],
        open=[_block(minutes, opens) for one in shifts if (minutes := sheet.minutes(one))],
        entries=entries,
        lanes=max((lane for lane, _alone in lanes), default=1),
        now=_block(present, opens) if present and opens <= present[0] < closes else None,
    )


def _lanes(stretches: Sequence[Interval]) -> list[tuple[int, bool]]:
    """For each stretch the first lane, from 1, in which none before it overlaps it.

    With it whether nothing overlaps it at all, so that it may have the whole width. Beyond the last
    lane they lie on each other.
    """
    ends: list[int] = []
    found = []
    for number, (start, end) in enumerate(stretches):
        free = [lane for lane, until in enumerate(ends) if until <= start]
        lane = free[0] if free else min(len(ends), MOST_LANES - 1)
        ends[lane : lane + 1] = [max(end, ends[lane]) if lane < len(ends) else end]
        others = (one for at, one in enumerate(stretches) if at != number)
        found.append((lane + 1, not any(one[0] < end and start < one[1] for one in others)))
    return found

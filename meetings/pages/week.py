"""Seven days of somebody's time, ready to draw: the claims and the working hours.

Pure: the caller passes the rows and the present time. Every day shows its whole clock, so a minute
is one of the day, from 0 to 1440. If a clock is put back, the repeated hour is drawn once. If it is
put forward, a stretch continues through the missing hour.
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
    """Time that is taken or asked for, in instants. `kept` is the interval with the buffers.

    It `waits` while it is not certain. An entry of an outside calendar is `outside`. `color` is
    that of the event type.
    """

    start: int
    end: int
    kept: Interval
    who: str
    what: str = ""
    url: str = ""
    waits: bool = False
    outside: bool = False
    color: str = ""


@dataclass(frozen=True)
class Block:
    """Quarters of an hour on the scale: the first row, from 1, and the number of rows."""

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
    # Entries of the whole day. They stand above the scale.
    whole: list[Claim]
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
    # Today and the six days after it.
    is_next: bool

    @property
    def first(self) -> date:
        return self.days[0].date

    @property
    def last(self) -> date:
        return self.days[-1].date

    @property
    def has_outside(self) -> bool:
        """Return whether an entry of an outside calendar is shown."""
        shown = (entry.claim for day in self.days for entry in day.entries)
        return any(day.whole for day in self.days) or any(claim.outside for claim in shown)

    @property
    def is_long(self) -> bool:
        return len(self.scale) > 14


def first_day(wanted: str, *, today: date) -> date:
    """Return the first day to show: the wanted date, or today if it is invalid or distant."""
    try:
        day = date.fromisoformat(wanted)
    except ValueError:
        day = today
    return day if abs(day - today) <= _REACH else today


def instants(first: date, zone: ZoneInfo) -> Interval:
    """Return the interval in which the clock of `zone` shows the seven days from `first` on."""
    shown = Query(zone, first, first + timedelta(days=6)).instants()
    return shown[0][0], shown[-1][1]


def week_of(
    first: date, *, zone: ZoneInfo, hours: Hours, claims: Iterable[Claim], now: datetime
) -> Week:
    """Return the week of seven days from `first` on, on the clock of `zone`."""
    in_order = sorted(claims, key=lambda claim: (claim.start, claim.end))
    dates = [first + timedelta(days=number) for number in range(7)]
    sheets = [_Sheet(day, zone) for day in dates]
    since, until = instants(first, zone)
    working = slots.working_time(hours, since, until)
    scale = opens, closes = _scale(sheets, working, in_order)
    today = now.astimezone(zone).date()
    return Week(
        days=[_day(sheet, hours, working, in_order, scale, now) for sheet in sheets],
        scale=[
            (minute, _block((minute, minute + _HOUR), opens))
            for minute in range(opens, closes, _HOUR)
        ],
        earlier=first - timedelta(days=7),
        later=first + timedelta(days=7),
        is_next=first == today,
    )


class _Sheet:
    """One date of a clock. It converts stretches of instants into minutes of that day."""

    def __init__(self, day: date, zone: ZoneInfo) -> None:
        self.day, self.zone = day, zone
        self._midnight = int(datetime.combine(day, datetime.min.time(), UTC).timestamp())
        # Within each of these intervals the clock keeps its distance from UTC.
        self._shown = Query(zone, day, day).instants()

    def clip(self, stretch: Interval) -> Interval | None:
        """Return the stretch from its first instant on this day to its last, or None."""
        parts = self._parts(stretch)
        return (parts[0][0], parts[-1][1]) if parts else None

    def minutes(self, stretch: Interval) -> Interval | None:
        """Return the first and the last minute of the day that the stretch touches, or None."""
        walls = []
        for start, end in self._parts(stretch):
            ahead = self.at(start).utcoffset() or timedelta(0)
            before = self._midnight - int(ahead.total_seconds())
            walls.append(((start - before) // 60, -((before - end) // 60)))
        return (min(wall[0] for wall in walls), max(wall[1] for wall in walls)) if walls else None

    def is_filled_by(self, claim: Claim) -> bool:
        """Return whether this is an outside entry that takes the whole day on this clock."""
        start, end = self._shown[0][0], self._shown[-1][1]
        return claim.outside and claim.start <= start and claim.end >= end

    def at(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, self.zone)

    def _parts(self, stretch: Interval) -> list[Interval]:
        if stretch[1] <= self._shown[0][0] or stretch[0] >= self._shown[-1][1]:
            return []
        return [
            (start, end)
            for since, until in self._shown
            if (start := max(since, stretch[0])) < (end := min(until, stretch[1]))
        ]


def _scale(
    sheets: Iterable[_Sheet], working: Sequence[Interval], claims: Sequence[Claim]
) -> Interval:
    """Return the whole hours around everything to show; the usual hours if there is nothing."""
    seen = []
    for sheet in sheets:
        kept = [claim.kept for claim in claims if not sheet.is_filled_by(claim)]
        seen += [found for one in (*working, *kept) if (found := sheet.minutes(one))]
    opens = min((start for start, _end in seen), default=_USUAL[0])
    closes = max((end for _start, end in seen), default=_USUAL[1])
    return opens // _HOUR * _HOUR, -(-closes // _HOUR) * _HOUR


def _block(minutes: Interval, opens: int) -> Block:
    """Return the block to the nearest quarter of an hour, with at least one row.

    Stretches that touch stay adjacent.
    """
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
    found, whole = [], []
    for claim in claims:
        if sheet.is_filled_by(claim):
            whole.append(claim)
            continue
        # Buffers of the next day's claims may begin on this day; they are no entry of it.
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
        whole=whole,
        entries=entries,
        lanes=max((lane for lane, _alone in lanes), default=1),
        now=_block(present, opens) if present and opens <= present[0] < closes else None,
    )


def _lanes(stretches: Sequence[Interval]) -> list[tuple[int, bool]]:
    """Return for each stretch its lane, and whether it overlaps no other stretch.

    The lane is the first one, from 1, in which no earlier stretch overlaps it. A stretch without an
    overlap may have the whole width. If all lanes are in use, stretches lie on each other in the
    last one.
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

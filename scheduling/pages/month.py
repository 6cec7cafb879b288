"""Open times of an event type, by the days of a month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import ngettext

from core.text import times
from core.text.times import Reader
from scheduling.domain import availability
from scheduling.models import EventType
from scheduling.pages import grid
from scheduling.pages.visitors import Visitor
from scheduling.pages.weeks import furthest

# Length of one search for the next open day: two whole months at least, from the first of one.
_SEARCH = timedelta(days=61)


@dataclass(frozen=True)
class Day:
    """Date of the month, and the number of open times on it."""

    date: date
    count: int
    is_today: bool

    @property
    def number(self) -> str:
        """Return the day of the month as text: a template would look for local digits."""
        return str(self.date.day)

    @property
    def label(self) -> str:
        words = ngettext(
            "%(day)s: %(count)s time open", "%(day)s: %(count)s times open", self.count
        )
        return words % {"day": times.long_date(self.date), "count": self.count}


@dataclass(frozen=True)
class Month:
    """Month on the reader's clock, in weeks of seven (None: another month's date).

    `opens` maps dates to their open starts (epoch seconds), and has only dates with one. `earlier`
    and `later` are the first days of the months before and after, or None if nothing can be offered
    there.
    """

    first: date
    last: date
    weekdays: Sequence[tuple[str, str]]
    weeks: Sequence[Sequence[Day | None]]
    opens: Mapping[date, Sequence[int]]
    earlier: date | None
    later: date | None


def month_of(
    event_type: EventType,
    first: date,
    *,
    reader: Visitor,
    now: datetime,
    known: Mapping[date, Sequence[int]] | None = None,
) -> Month:
    """Return the month that begins on this date. `known` are its open starts, and maybe others."""
    today, last_of_all = now.astimezone(reader.zone).date(), furthest(event_type, reader.zone, now)
    last = grid.last_of(first)
    if known is None:
        known = open_starts(event_type, max(first, today), last, reader=reader, now=now)
    opens = {day: starts for day, starts in known.items() if first <= day <= last}
    following = last + timedelta(days=1)
    return Month(
        first=first,
        last=last,
        weekdays=grid.weekdays(reader.week_start),
        weeks=[
            [_day(day, opens, today) if day else None for day in days]
            for days in grid.weeks(first, reader.week_start)
        ],
        opens=opens,
        earlier=(first - timedelta(days=1)).replace(day=1) if first > today else None,
        later=following if following <= last_of_all else None,
    )


def _day(day: date, opens: Mapping[date, Sequence[int]], today: date) -> Day:
    return Day(day, len(opens.get(day, ())), day == today)


def open_afterwards(
    event_type: EventType, month: Month, *, reader: Reader, now: datetime
) -> dict[date, list[int]]:
    """Return the open starts of the two months after this one, and maybe of some days more."""
    since = month.last + timedelta(days=1)
    return open_starts(event_type, since, since + _SEARCH, reader=reader, now=now)


def open_starts(
    event_type: EventType, first: date, last: date, *, reader: Reader, now: datetime
) -> dict[date, list[int]]:
    """Return the open starts on these dates (both included) of the reader's clock."""
    found = {}
    for day, slots in availability.slots_by_date(
        event_type, zone=reader.zone, first=first, last=last, now=now
    ):
        if starts := [slot.start for slot in slots if not slot.reason]:
            found[day] = starts
    return found


def nearest_starts(
    event_type: EventType, wanted: int, *, count: int, reader: Reader, now: datetime
) -> list[int]:
    """Return the open starts nearest to a start that is not open, in order.

    The search begins three days before it and ends ten days after it.
    """
    day = datetime.fromtimestamp(wanted, reader.zone).date()
    around = open_starts(
        event_type, day - timedelta(days=3), day + timedelta(days=10), reader=reader, now=now
    )
    starts = (start for starts in around.values() for start in starts)
    return sorted(sorted(starts, key=lambda start: abs(start - wanted))[:count])

"""Month picker: the days of a month with open times, and the times of one of them.

Pages give it their own source of open starts: an event type's, or those at which two people are
free. `templates/parts/picker.html` shows it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import dateformat
from django.utils.translation import ngettext

from core.text import times
from core.text.times import Reader
from scheduling.pages import grid
from scheduling.pages.forms import StartField
from scheduling.pages.visitors import Visitor

# Dates (of the reader's clock, in order) with their open starts (epoch seconds, in order).
Opens: TypeAlias = Mapping[date, Sequence[int]]
# Finds the open starts from the first date to the last. Dates without one are left out.
Find: TypeAlias = Callable[[date, date], Opens]

_WEEK = timedelta(days=7)
# Where fewer weeks than this are left of the present month, the next month's weeks follow them.
_FEWEST_WEEKS = 3
_WEEKS_THEN = 4


@dataclass(frozen=True)
class Choice:
    """Open start: its epoch second, and its time on the reader's clock.

    `theirs` is its time on the other person's clock, where that is shown. `remark` says why it
    needs a second look; empty if it does not.
    """

    second: int
    time: str
    theirs: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Day:
    """Date of the month, and the number of open times on it."""

    date: date
    count: int
    is_today: bool
    begins_month: bool

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
class Asked:
    """Start that an address asks for, or a day and the month (by its first date) it is shown in."""

    day: date | None = None
    month: date | None = None
    start: int | None = None


@dataclass(frozen=True)
class Span:
    """Dates that the picker shows, in weeks of seven: a month, or its end and what follows."""

    first: date
    last: date
    weeks: Sequence[Sequence[date]]


@dataclass(frozen=True)
class Picker:
    """Month on the reader's clock, in weeks of seven (None: a date that is not shown).

    `earlier` and `later` are the first days of the months before and after, or None if nothing can
    be offered there. `day` is the chosen day, or None if no day is open. `next_open` is the next
    open day after a month without one.
    """

    first: date
    last: date
    weekdays: Sequence[tuple[str, str]]
    weeks: Sequence[Sequence[Day | None]]
    earlier: date | None
    later: date | None
    day: date | None
    choices: Sequence[Choice]
    next_open: date | None
    now: datetime

    @property
    def is_of_two_months(self) -> bool:
        return self.first.month != self.last.month

    @property
    def remarks(self) -> list[str]:
        """Return what is remarked on times of the chosen day, each once."""
        return list(dict.fromkeys(each.remark for each in self.choices if each.remark))


def asked_by(request: HttpRequest) -> Asked:
    """Return what `?day=`, `?month=` and `?start=` ask for. An invalid value asks for nothing."""
    return Asked(
        day=date_of(request.GET.get("day", "")),
        month=date_of(f"{request.GET.get('month', '')}-01"),
        start=start_of(request.GET.get("start", "")),
    )


def pick(
    find: Find,
    asked: Asked,
    *,
    until: date,
    reader: Visitor,
    now: datetime,
    tell: Callable[[int], Choice] | None = None,
) -> Picker:
    """Return the wanted month, or by default the first one with an open time.

    Nothing can be offered after the date `until`. `tell` makes a choice of a start.
    """
    now = now.astimezone(reader.zone)
    today, wanted = now.date(), asked.month or asked.day
    shown = _span(min(max(wanted or today, today), until), today, until, reader.week_start)
    if asked.day and not shown.first <= asked.day <= shown.last:
        shown = _span(min(max(asked.day, today), until), today, until, reader.week_start)
    opens, next_open = find(max(shown.first, today), shown.last), None
    if not opens and shown.last < until:
        since = shown.last + timedelta(days=1)
        later = find(since, _end_of_next_month(since))
        next_open = next(iter(later), None)
        if wanted is None and next_open is not None:
            shown = _span(next_open, today, until, reader.week_start)
            opens = {day: starts for day, starts in later.items() if day <= shown.last}
            next_open = None
    day = _day_of(asked.day, opens)
    return Picker(
        first=shown.first,
        last=shown.last,
        weekdays=grid.weekdays(reader.week_start),
        weeks=[[_cell(each, shown, opens, today) for each in of_week] for of_week in shown.weeks],
        earlier=(shown.first - timedelta(days=1)).replace(day=1) if shown.first > today else None,
        later=_following(shown.first) if shown.last < until else None,
        day=day,
        choices=[(tell or choice_of(reader))(start) for start in opens[day]] if day else [],
        next_open=next_open,
        now=now,
    )


def _span(day: date, today: date, until: date, week_start: int) -> Span:
    """Return the month of this date without the weeks that are past or beyond `until`.

    Near the end of the present month it goes on with the weeks that follow.
    """
    first = day.replace(day=1)
    weeks = [
        week
        for week in grid.whole_weeks(first, week_start)
        if week[-1] >= today and week[0] <= until
    ]
    if first > today or len(weeks) >= _FEWEST_WEEKS:
        return Span(first, grid.last_of(first), weeks)
    while len(weeks) < _WEEKS_THEN and weeks[-1][-1] < until:
        weeks.append([each + _WEEK for each in weeks[-1]])
    return Span(first, max(weeks[-1][-1], grid.last_of(first)), weeks)


def _cell(day: date, shown: Span, opens: Opens, today: date) -> Day | None:
    if not shown.first <= day <= shown.last:
        return None
    begins_month = day.day == 1 and day != shown.first
    return Day(day, len(opens.get(day, ())), day == today, begins_month)


def _day_of(wanted: date | None, opens: Opens) -> date | None:
    """Return the wanted day if it is open, else the next open day, else the first one."""
    if wanted in opens:
        return wanted
    after = (day for day in opens if wanted and day > wanted)
    return next(after, next(iter(opens), None))


def _following(first: date) -> date:
    return grid.last_of(first) + timedelta(days=1)


def _end_of_next_month(day: date) -> date:
    return grid.last_of(_following(day.replace(day=1)))


def choice_of(reader: Reader) -> Callable[[int], Choice]:
    """Return the function that makes a choice of a start, on this reader's clock."""

    def choice(start: int) -> Choice:
        return Choice(start, times.time(datetime.fromtimestamp(start, reader.zone), reader))

    return choice


def time_for(other: Reader, moment: datetime, reader: Reader) -> str:
    """Return the time on another person's clock, with the weekday if it is another day there."""
    there = moment.astimezone(other.zone)
    text = times.time(there, other)
    is_same_day = there.date() == moment.astimezone(reader.zone).date()
    return text if is_same_day else f"{dateformat.format(there, 'D')} {text}"


def query_of(reader: Visitor, day: date | None, kept: Mapping[str, str] | None = None) -> str:
    """Return the query that leads back to a day, on the clock that the address has named."""
    said = {name: value for name, value in reader.said.items() if value}
    return urlencode({**(kept or {}), **said, **({"day": day.isoformat()} if day else {})})


def start_of(text: str) -> int | None:
    try:
        return int(StartField().clean(text)) if text else None
    except ValidationError:
        return None


def date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

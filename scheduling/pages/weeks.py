"""Times to choose from: the open times of a week, on the reader's clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import dateformat

from calendars.models import Calendar
from core.text import times
from core.text.times import Reader
from scheduling.domain import availability
from scheduling.models import Booking, EventType
from scheduling.pages.cards import Card

_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Choice:
    """Open start: its epoch second, and its time on the reader's clock.

    `theirs` is its time on the other party's clock, if a host is shown it. A host is also shown
    times that only their own calendar closes: these it `clashes` with.
    """

    second: int
    time: str
    theirs: str = ""
    clashes: bool = False


@dataclass(frozen=True)
class Week:
    """Seven dates on the reader's clock, or fewer, and the open times on them.

    `earlier` and `later` are the first dates of the weeks before and after, or None if nothing can
    be offered there.
    """

    first: date
    last: date
    days: list[tuple[date, list[Choice]]]
    earlier: date | None
    later: date | None

    @property
    def has_clashes(self) -> bool:
        return any(choice.clashes for _day, choices in self.days for choice in choices)


def week_of(card: Card, wanted: str, now: datetime) -> Week:
    """Return the week that begins on the wanted date.

    An invalid or unreachable date means today. A host is shown the times, too, that only their own
    calendar closes.
    """
    booking, zone = card.booking, card.person.zone
    event_type = EventType.objects.with_hours().get(pk=booking.event_type_id)
    today, until = now.astimezone(zone).date(), furthest(event_type, zone, now)
    first = date_of(wanted)
    if first is None or not today <= first <= until:
        first = today
    last = min(first + timedelta(days=6), until)
    starts_on = partial(
        _starts_on, event_type, zone=zone, first=first, last=last, now=now, moving=booking
    )
    open_on = starts_on()
    has_calendars = card.is_host and Calendar.objects.closing(booking.host_id).exists()
    shown_on = starts_on(over_blocking=True) if has_calendars else open_on
    days = []
    for day, starts in shown_on.items():
        choices = _told(choices_of(starts, card.person), day, card)
        free = set(open_on.get(day, ()))
        days.append((day, [replace(one, clashes=one.second not in free) for one in choices]))
    return Week(
        first=first,
        last=last,
        days=days,
        earlier=max(first - _WEEK, today) if first > today else None,
        later=first + _WEEK if first + _WEEK <= until else None,
    )


def _starts_on(event_type: EventType, *, moving: Booking, **asked: Any) -> dict[date, list[int]]:
    """Return the starts that are open on each date, except the one that the booking has."""
    own = int(moving.start.timestamp())
    found = {}
    for day, of_day in availability.slots_by_date(event_type, moving=moving, **asked):
        starts = [slot.start for slot in of_day if not slot.reason and slot.start != own]
        if starts:
            found[day] = starts
    return found


def _told(choices: list[Choice], day: date, card: Card) -> list[Choice]:
    """Add the time on the invitee's clock for a host, if the two zones differ."""
    if not (card.is_host and card.zones_differ):
        return choices
    return [replace(one, theirs=_theirs(one.second, day, card.other)) for one in choices]


def _theirs(second: int, day: date, person: Reader) -> str:
    """Return the time on that person's clock, with the weekday if the day differs."""
    moment = datetime.fromtimestamp(second, person.zone)
    text = times.time(moment, person)
    return text if moment.date() == day else f"{dateformat.format(moment, 'D')} {text}"


def furthest(event_type: EventType, zone: ZoneInfo, now: datetime) -> date:
    """Return the date on a clock in `zone` at which the host's booking window ends."""
    hours = event_type.host.weekly_availability
    day = now.astimezone(hours.zone).date() + timedelta(days=event_type.max_advance_booking)
    return datetime.combine(day, time.max, hours.zone).astimezone(zone).date()


def date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def choices_of(starts: Sequence[int], reader: Reader) -> list[Choice]:
    """Return these starts (epoch seconds) as choices on the reader's clock."""
    return [
        Choice(start, times.time(datetime.fromtimestamp(start, reader.zone), reader))
        for start in starts
    ]

"""Another time for a booking: the month picker, then the chosen time to confirm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from django.http import HttpRequest
from django.utils.translation import gettext

from calendars.domain import ledger
from calendars.models import BusyTime, Calendar
from core.text import times
from scheduling.domain import availability
from scheduling.models import EventType
from scheduling.pages.cards import Card
from scheduling.pages.picker import (
    Asked,
    Choice,
    Opens,
    Picker,
    asked_by,
    choice_of,
    pick,
    query_of,
    time_for,
)
from scheduling.pages.starts import furthest, open_starts
from scheduling.pages.visitors import Visitor, reader_of
from scheduling.rules.slots import Reason

PARTS = ("month", "day", "start")
"""Values of an address that say that another time is being chosen."""


@dataclass(frozen=True)
class Rescheduling:
    """Choice of another time: by the `picker`, or of the time from `start` to `end`.

    `page` is the path of the booking's page, and `back` the query that leads back to the day.
    `claims` are what the host's own calendar has at the chosen time.
    """

    reader: Visitor
    page: str
    back: str
    was: str
    picker: Picker | None = None
    is_taken: bool = False
    start: datetime | None = None
    end: datetime | None = None
    wanted: str = ""
    theirs: str = ""
    claims: Sequence[BusyTime] = ()
    reason: str = ""

    @property
    def second(self) -> int | None:
        return int(self.start.timestamp()) if self.start else None


def rescheduling_of(
    request: HttpRequest,
    card: Card,
    now: datetime,
    *,
    page: str,
    start: int | None = None,
    reason: str = "",
) -> Rescheduling:
    """Return the month that the address asks for, or its time where that is open.

    `start` and `reason` are those of a form that was sent. A host may also choose a time that only
    their own calendar closes.
    """
    booking, reader, asked = card.booking, reader_of(request, card.person), asked_by(request)
    event_type = EventType.objects.with_hours().get(pk=booking.event_type_id)
    was = times.beginning(booking.start, reader)
    wanted = start if start is not None else asked.start
    if wanted is not None:
        begins = availability.instant_of(wanted)
        judge = partial(availability.judge, event_type, start=begins, now=now, moving=booking)
        is_strict = judge() == Reason.OPEN and begins != booking.start
        if is_strict or (card.is_host and judge(over_blocking=True) == Reason.OPEN):
            local = begins.astimezone(reader.zone)
            length = booking.end - booking.start
            return Rescheduling(
                reader,
                page,
                query_of(reader, local.date()),
                was,
                start=local,
                end=local + length,
                wanted=times.beginning(begins, reader),
                theirs=_theirs(begins, card, reader),
                claims=[] if is_strict else _claims(card, begins, length),
                reason=reason,
            )
        asked = Asked(day=begins.astimezone(reader.zone).date())
    elif asked.day is None and asked.month is None:
        asked = Asked(day=booking.start.astimezone(reader.zone).date())
    picker = _picker(card, event_type, asked, reader, now)
    return Rescheduling(
        reader, page, query_of(reader, picker.day), was, picker=picker, is_taken=wanted is not None
    )


def _picker(
    card: Card, event_type: EventType, asked: Asked, reader: Visitor, now: datetime
) -> Picker:
    booking = card.booking
    find = partial(open_starts, event_type, reader=reader, now=now, moving=booking)
    has_calendars = card.is_host and Calendar.objects.closing(booking.host_id).exists()
    free: set[int] = set()

    def offered(first: date, last: date) -> Opens:
        """Return the open starts without the booking's own; those that a host may take too."""
        opens = find(first, last)
        free.update(start for starts in opens.values() for start in starts)
        shown = find(first, last, over_blocking=True) if has_calendars else opens
        own = int(booking.start.timestamp())
        without = ((day, [each for each in starts if each != own]) for day, starts in shown.items())
        return {day: starts for day, starts in without if starts}

    def tell(start: int) -> Choice:
        return Choice(
            start,
            choice_of(reader)(start).time,
            theirs=_theirs(availability.instant_of(start), card, reader),
            remark="" if start in free else gettext("your own calendar has something then"),
        )

    until = furthest(event_type, reader.zone, now)
    return pick(offered, asked, until=until, reader=reader, now=now, tell=tell)


def _theirs(start: datetime, card: Card, reader: Visitor) -> str:
    """Return the time on the invitee's clock, which a host sees where it is another."""
    return time_for(card.other, start, reader) if card.is_host and card.zones_differ else ""


def _claims(card: Card, start: datetime, length: timedelta) -> list[BusyTime]:
    """Return what the host's own calendar has at that time, buffers included."""
    terms = card.booking.event_type.terms
    kept = start - timedelta(seconds=terms.before), start + length + timedelta(seconds=terms.after)
    [claims] = ledger.conflicts_of_each(user=card.booking.host, spans=[kept])
    return [each for each in claims if not each.exclusive]

"""Choice of a time to ask a team mate for: the month picker, then the chosen time to confirm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.http import HttpRequest
from django.utils.translation import gettext

from accounts.models import User
from core.text import times
from meetings.domain import free_time
from meetings.domain.free_time import Fit
from meetings.domain.services import DURATION
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
from scheduling.pages.visitors import Visitor, reader_of


@dataclass(frozen=True)
class Asking:
    """Month of open times of two people, or the chosen time from `start` to `end`.

    `kept` are the values that each address has, and `back` is the query that leads to the day.
    """

    reader: Visitor
    mate: User
    kept: Mapping[str, str]
    back: str
    picker: Picker | None = None
    start: datetime | None = None
    end: datetime | None = None
    theirs: str = ""
    fit: Fit | None = None

    @property
    def second(self) -> int | None:
        return int(self.start.timestamp()) if self.start else None

    @property
    def zones_differ(self) -> bool:
        return self.reader.zone != self.mate.zone


def asking_of(
    request: HttpRequest,
    requester: User,
    mate: User,
    now: datetime,
    *,
    start: datetime | None,
    kept: Mapping[str, str],
) -> Asking:
    """Return the time that is chosen or typed, or the month that the address asks for."""
    reader = reader_of(request, requester)
    make = partial(Asking, reader, mate, kept)
    if start is not None:
        local = start.astimezone(reader.zone)
        return make(
            query_of(reader, local.date(), kept),
            start=local,
            end=local + DURATION,
            theirs=f"{time_for(mate, start, reader)} – {times.time(start + DURATION, mate)}",
            fit=free_time.fit_of(requester=requester, recipient=mate, start=start),
        )
    picker = _picker(asked_by(request), requester, mate, reader, now)
    return make(query_of(reader, picker.day, kept), picker=picker)


def _picker(asked: Asked, requester: User, mate: User, reader: Visitor, now: datetime) -> Picker:
    fits: dict[int, Fit] = {}

    def find(first: date, last: date) -> Opens:
        """Return the days on which the mate's hours are open, and all that is open on them."""
        found = free_time.open_starts(
            requester=requester, recipient=mate, zone=reader.zone, first=first, last=last, now=now
        )
        fits.update(found)
        opens: dict[date, list[int]] = {}
        for start in found:
            opens.setdefault(datetime.fromtimestamp(start, reader.zone).date(), []).append(start)
        return {
            day: starts
            for day, starts in opens.items()
            if any(found[start].is_in_hours for start in starts)
        }

    def tell(start: int) -> Choice:
        moment = datetime.fromtimestamp(start, reader.zone)
        outside = gettext("outside the hours of %(name)s") % {"name": mate.get_short_name()}
        return Choice(
            start,
            choice_of(reader)(start).time,
            theirs=time_for(mate, moment, reader) if reader.zone != mate.zone else "",
            remark="" if fits[start].is_in_hours else outside,
        )

    until = now.astimezone(reader.zone).date() + free_time.HORIZON
    return pick(find, asked, until=until, reader=reader, now=now, tell=tell)

"""Slots of an event type: the slot engine with the data of the database.

`slots_by_date` shows slots, and `judge` checks a start before a booking is made. Both give the
engine the same `Offer`, so every slot that is shown as open can be booked.
"""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import FilteredRelation, Q, QuerySet
from django.utils.translation import gettext as _

from calendars.models import BusyTime
from core.db.prepared import Prepared
from core.errors import Invalid
from scheduling.models import Booking, DateOverride, EventType
from scheduling.rules import slots
from scheduling.rules.slots import Hours, Interval, Offer, Query, Reason, Slot


def _taken(
    host: Any,
    since: Any,
    until: Any,
    moving: Any = None,
    event_type: Any = None,
    exclusive: Any = None,
) -> "QuerySet[BusyTime, Any]":
    """Select the taken intervals of this host's time that meet these instants.

    With `event_type`, each row also has the start of its booking, if that is of this event type.
    With `exclusive`, the entries of outside calendars are left out.
    """
    rows = BusyTime.objects.filter(user=host, start__lt=until, end__gt=since)
    if moving is not None:
        rows = rows.exclude(booking=moving)
    if exclusive is not None:
        rows = rows.filter(exclusive=exclusive)
    if event_type is None:
        return rows.values_list("start", "end")
    own = FilteredRelation("booking", condition=Q(booking__event_type=event_type))
    return rows.annotate(own=own).values_list("start", "end", "own__start")


_TAKEN = Prepared(_taken)
_OVERRIDES = Prepared(
    lambda host, first, last: DateOverride.objects.filter(
        user=host, date__gte=first, date__lte=last
    ).values_list("date", "windows")
)


def overrides(host_id: int, first: date, last: date) -> dict[date, Any]:
    """Return the windows of this host's date-specific hours, from the first date to the last."""
    return dict(_OVERRIDES.rows(host=host_id, first=first, last=last))


def lasting(event_type: EventType, minutes: int | None) -> EventType:
    """Return the event type with this duration; None is the usual one.

    Raise Invalid on the field `duration` if it is none of those to choose from.
    """
    if minutes is None:
        return event_type
    if minutes not in event_type.lengths:
        said = ", ".join(map(str, event_type.lengths))
        message = _("Choose one of the durations in minutes: %(durations)s.")
        raise Invalid(message % {"durations": said}, field="duration")
    return event_type.lasting(minutes)


def slots_by_date(
    event_type: EventType,
    *,
    zone: ZoneInfo,
    first: date,
    last: date,
    now: datetime,
    moving: Booking | None = None,
    over_blocking: bool = False,
) -> Iterator[tuple[date, list[Slot]]]:
    """Yield the slots on the grid of these dates (both included) of a clock in `zone`, open or not.

    Dates that are past on that clock are left out. So are dates without slots. Pass an event type
    with its hours (`with_hours`): then two queries are enough. `moving` is a booking whose own time
    and count do not block it, and whose length stays. `over_blocking` leaves the entries of outside
    calendars out.
    """
    first = max(first, now.astimezone(zone).date())
    if first > last:
        return
    query = Query(zone, first, last)
    offer = _offer(event_type, query, now, moving, over_blocking=over_blocking)
    found = slots.find_slots(offer, query)
    for day, of_day in groupby(found, key=lambda slot: _date_of(slot.start, zone)):
        yield day, list(of_day)


def judge(
    event_type: EventType,
    *,
    start: datetime,
    now: datetime,
    moving: Booking | None = None,
    over_blocking: bool = False,
) -> Reason:
    """Return OPEN if a meeting may start then (aware), or the reason why not.

    `over_blocking` leaves the entries of outside calendars out.
    """
    if start.microsecond or start.second:
        return Reason.OFF_GRID
    hours = event_type.host.weekly_availability
    day = start.astimezone(hours.zone).date()
    query = Query(hours.zone, day, day)
    offer = _offer(event_type, query, now, moving, over_blocking=over_blocking)
    return slots.judge_start(offer, int(start.timestamp()))


def _offer(
    event_type: EventType,
    query: Query,
    now: datetime,
    moving: Booking | None,
    *,
    over_blocking: bool = False,
) -> Offer:
    terms = (event_type.lasting(moving.minutes) if moving else event_type).terms
    busy, booked = _claimed(event_type, query.reach(terms), moving, over_blocking=over_blocking)
    return Offer(
        hours=_hours(event_type, query),
        terms=terms,
        busy=busy,
        booked=booked,
        now=math.ceil(now.timestamp()),
    )


def _hours(event_type: EventType, query: Query) -> Hours:
    weekly = event_type.host.weekly_availability
    # The host's dates may be a day before or after the query's, and a meeting may run into the
    # next.
    around = query.first - timedelta(days=2), query.last + timedelta(days=3)
    return Hours(
        zone=weekly.zone,
        weekly=event_type.schedule_followed.windows,
        overrides=overrides(event_type.host_id, *around),
        available_days=event_type.available_days,
    )


def _claimed(
    event_type: EventType, reach: Interval, moving: Booking | None, *, over_blocking: bool
) -> tuple[list[Interval], Counter[date]]:
    """Return the intervals taken of the host's time, and the bookings that count on each date.

    The dates are the host's. The bookings that count are those that hold time, so one query finds
    both.
    """
    asked: dict[str, object] = {
        "host": event_type.host_id,
        "since": reach[0],
        "until": reach[1],
    }
    if moving is not None:
        asked["moving"] = moving.pk
    if over_blocking:
        asked["exclusive"] = True
    if event_type.daily_limit is None and event_type.weekly_limit is None:
        return [(start, end) for start, end in _TAKEN.rows(**asked)], Counter()
    taken = _TAKEN.rows(**asked, event_type=event_type.pk)
    zone = event_type.host.weekly_availability.zone
    booked = Counter(start.astimezone(zone).date() for _since, _until, start in taken if start)
    return [(start, end) for start, end, _start in taken], booked


@lru_cache(maxsize=2**14)  # the same starts recur for every event type
def _date_of(instant: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(instant, zone).date()


def instant_of(second: int) -> datetime:
    """Return an epoch second as a datetime in UTC, as the API and the pages show it."""
    return datetime.fromtimestamp(second, UTC)

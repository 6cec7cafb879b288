"""Open starts of an event type, on a reader's clock."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.text.times import Reader
from scheduling.domain import availability
from scheduling.models import EventType


def open_starts(
    event_type: EventType, first: date, last: date, *, reader: Reader, now: datetime, **terms: Any
) -> dict[date, list[int]]:
    """Return the open starts (epoch seconds) on these dates (both included) of the reader's clock.

    `terms` are those of `availability.slots_by_date`: a booking that is moved, and whether times
    that only outside calendars close are open.
    """
    found = {}
    for day, slots in availability.slots_by_date(
        event_type, zone=reader.zone, first=first, last=last, now=now, **terms
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


def furthest(event_type: EventType, zone: ZoneInfo, now: datetime) -> date:
    """Return the date on a clock in `zone` at which the host's booking window ends."""
    hours = event_type.host.weekly_availability
    day = now.astimezone(hours.zone).date() + timedelta(days=event_type.max_advance_booking)
    return datetime.combine(day, time.max, hours.zone).astimezone(zone).date()

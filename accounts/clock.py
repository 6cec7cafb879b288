"""Times as a person reads them: in their zone and their formats."""

from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils import dateformat


class Reader(Protocol):
    """Whoever reads a time: an account, or somebody who has none."""

    @property
    def zone(self) -> ZoneInfo: ...
    @property
    def date_format(self) -> str: ...
    @property
    def time_format(self) -> str: ...


# The API's names of the formats (Unicode TR 35 patterns) in Django's letters.
_DATES = {
    "MM/dd/yyyy": "m/d/Y",
    "dd/MM/yyyy": "d/m/Y",
    "dd.MM.yyyy": "d.m.Y",
    "yyyy-MM-dd": "Y-m-d",
}
_TIMES = {"hh:mm a": "g:i A", "HH:mm": "H:i"}


def day(moment: datetime, person: Reader) -> str:
    """`Tue 12/15/2026`, where this person is."""
    return dateformat.format(moment.astimezone(person.zone), f"D {_DATES[person.date_format]}")


def time(moment: datetime, person: Reader) -> str:
    """`2:00 PM`, where this person is."""
    return dateformat.format(moment.astimezone(person.zone), _TIMES[person.time_format])


def span(start: datetime, end: datetime, person: Reader) -> str:
    """`Tue 12/15/2026, 2:00 PM – 3:00 PM (America/New_York)`; the second day only if another."""
    last_day = day(end, person)
    until = "" if last_day == day(start, person) else f"{last_day}, "
    return (
        f"{day(start, person)}, {time(start, person)} – {until}{time(end, person)} ({person.zone})"
    )


def utc_span(start: datetime, end: datetime) -> str:
    """`Tue 2026-12-15, 19:00 – 20:00 UTC`; both in UTC, whatever zone the arguments have."""
    first, last = (f"{moment:%a %Y-%m-%d}" for moment in (start, end))
    until = "" if first == last else f"{last}, "
    return f"{first}, {start:%H:%M} – {until}{end:%H:%M} UTC"

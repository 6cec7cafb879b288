"""Times as a person reads them: in their zone and their formats."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import pgettext

from core.text import zones


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

# How dates and times are mostly written where a language is spoken. English is spoken in too many
# places to tell.
_HABITS = {
    "de": ("dd.MM.yyyy", "HH:mm"),
    "es": ("dd/MM/yyyy", "HH:mm"),
    "fr": ("dd/MM/yyyy", "HH:mm"),
}

_END_OF_DAY = 24 * 60


def formats_of(language: str, otherwise: tuple[str, str]) -> tuple[str, str]:
    """The formats of dates and times of somebody of whom no more is known than the language."""
    return _HABITS.get(language, otherwise)


def day(moment: datetime, person: Reader) -> str:
    """`Tue 12/15/2026`, where this person is."""
    return dateformat.format(moment.astimezone(person.zone), f"D {_DATES[person.date_format]}")


def time(moment: datetime, person: Reader) -> str:
    """`2:00 PM`, where this person is. An hour that their clock shows twice names its offset."""
    local = moment.astimezone(person.zone)
    text = _face(local.hour, local.minute, person)
    return f"{text} {local:%Z}" if _is_shown_twice(local) else text


def _is_shown_twice(local: datetime) -> bool:
    """Whether the clock shows this time again, or has shown it before, since it is put back."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _face(hour: int, minute: int, person: Reader) -> str:
    """`2:00 PM` or `14:00`, in every language: their own words for AM and PM read badly."""
    if person.time_format == "HH:mm":
        return f"{hour:02}:{minute:02}"
    return f"{hour % 12 or 12}:{minute:02} {'AM' if hour < 12 else 'PM'}"


def long_date(day: date) -> str:
    """`Tuesday, 15 December`, in the order that the language has."""
    return dateformat.format(day, pgettext("weekday, day and month", "l, j F"))


def full_date(day: date) -> str:
    """`Tuesday, 15 December 2026`, in the order that the language has."""
    return dateformat.format(day, pgettext("weekday, day, month and year", "l, j F Y"))


def time_of_day(minute: int, person: Reader) -> str:
    """570 -> `9:30 AM`; 1440, the end of a day, is `24:00` or `12:00 AM`."""
    if minute == _END_OF_DAY and person.time_format == "HH:mm":
        return "24:00"
    return _face(*divmod(minute % _END_OF_DAY, 60), person)


def span(start: datetime, end: datetime, person: Reader) -> str:
    """`Tue 12/15/2026, 2:00 PM – 3:00 PM (America/New_York)`; the second day only if another."""
    last_day = day(end, person)
    until = "" if last_day == day(start, person) else f"{last_day}, "
    return (
        f"{day(start, person)}, {time(start, person)} – {until}{time(end, person)}"
        f" ({zones.in_words(person.zone)})"
    )


def deadline(moment: datetime, person: Reader) -> str:
    """`Tue 12/15/2026, 2:01 PM (America/New_York)`: the first whole minute after the moment."""
    minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
    if minute < moment:
        minute += timedelta(minutes=1)
    return f"{day(minute, person)}, {time(minute, person)} ({zones.in_words(person.zone)})"


def utc_span(start: datetime, end: datetime) -> str:
    """`Tue 2026-12-15, 19:00 – 20:00 UTC`; both in UTC, whatever zone the arguments have."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    first, last = (dateformat.format(moment, "D Y-m-d") for moment in (start, end))
    until = "" if first == last else f"{last}, "
    return f"{first}, {start:%H:%M} – {until}{end:%H:%M} UTC"

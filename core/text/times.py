"""Times as a person reads them: in their zone and their formats."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import get_language, gettext, ngettext, pgettext

from core.text import zones


class Reader(Protocol):
    """A person who reads a time, with or without an account."""

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
    """Return the date and time formats of a person of whom only the language is known."""
    return _HABITS.get(language, otherwise)


def day(moment: datetime, person: Reader) -> str:
    """Return `Tue 12/15/2026`, in this person's zone and date format: short enough for a log."""
    return dateformat.format(moment.astimezone(person.zone), f"D {_DATES[person.date_format]}")


def time(moment: datetime, person: Reader) -> str:
    """Return `2:00 PM`, in this person's zone.

    A time that their clock shows twice names its offset.
    """
    local = moment.astimezone(person.zone)
    text = _face(local.hour, local.minute, person)
    return f"{text} {local:%Z}" if _is_shown_twice(local) else text


def _is_shown_twice(local: datetime) -> bool:
    """Tell whether the clock shows this time twice, because it is put back."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _face(hour: int, minute: int, person: Reader) -> str:
    """Return `2:00 PM` or `14:00`, in every language: local words for AM and PM read badly."""
    if person.time_format == "HH:mm":
        return f"{hour:02}:{minute:02}"
    return f"{hour % 12 or 12}:{minute:02} {'AM' if hour < 12 else 'PM'}"


def long_date(day: date) -> str:
    """Return `Tuesday, 15 December`, in the order of the language."""
    return _written(day, pgettext("weekday, day and month", "l, j F"))


def full_date(day: date) -> str:
    """Return `Tuesday, 15 December 2026`, in the order of the language."""
    return _written(day, pgettext("weekday, day, month and year", "l, j F Y"))


def date_of(moment: datetime, person: Reader) -> str:
    """Return `Tuesday, 15 December 2026`, in this person's zone, in the order of the language."""
    return full_date(moment.astimezone(person.zone).date())


def _written(day: date, form: str) -> str:
    return _kept((day.year, day.month, day.day), form, get_language())


@lru_cache(maxsize=4096)
def _kept(day: tuple[int, int, int], form: str, language: str | None) -> str:
    """Return the date in this form of Django's, in the active language.

    Django's Spanish days have a capital letter, which they have only where a sentence begins.
    """
    text = dateformat.format(date(*day), form)
    return text[0].lower() + text[1:] if language == "es" else text


def time_of_day(minute: int, person: Reader) -> str:
    """Return `9:30 AM` for minute 570. Minute 1440, the end of a day, is `24:00` or `12:00 AM`."""
    if minute == _END_OF_DAY and person.time_format == "HH:mm":
        return "24:00"
    return _face(*divmod(minute % _END_OF_DAY, 60), person)


def beginning(start: datetime, person: Reader) -> str:
    """Return `Tue 15 Dec, 2:00 PM`, in this person's zone: short enough for a subject."""
    form = pgettext("short weekday, day and month", "D j M")
    return f"{dateformat.format(start.astimezone(person.zone), form)}, {time(start, person)}"


def date_and_hours(start: datetime, end: datetime, person: Reader) -> str:
    """Return `Tuesday, 15 December 2026, 2:00 PM – 3:00 PM`, where the zone is said already."""
    return f"{date_of(start, person)}, {hours(start, end, person)}"


def span(start: datetime, end: datetime, person: Reader) -> str:
    """Return `Tuesday, 15 December 2026, 2:00 PM – 3:00 PM (America/New_York)`.

    The second date appears only if it is another day.
    """
    return f"{date_and_hours(start, end, person)} ({zones.in_words(person.zone)})"


def hours(start: datetime, end: datetime, person: Reader) -> str:
    """Return `2:00 PM – 3:00 PM`, for where the date of the start and the zone are said already.

    The date of the end appears if it is another day.
    """
    until = "" if are_on_one_day(start, end, person) else f"{date_of(end, person)}, "
    return f"{time(start, person)} – {until}{time(end, person)}"


def days(start: datetime, end: datetime, person: Reader) -> str:
    """Return `Tuesday, 15 December 2026, all day`; of several dates the first and the last.

    `start` and `end` are the instants at which the first date begins and the last one ends.
    """
    first, last = date_of(start, person), date_of(end - timedelta(seconds=1), person)
    if first == last:
        return gettext("%(day)s, all day") % {"day": first}
    return f"{first} – {last}"


def are_on_one_day(start: datetime, end: datetime, person: Reader) -> bool:
    return start.astimezone(person.zone).date() == end.astimezone(person.zone).date()


def length(time: timedelta) -> str:
    """Return `15 minutes`, `2 hours` or `a day`: whole minutes in the largest unit that fits."""
    minutes = time // timedelta(minutes=1)
    if minutes % (24 * 60) == 0:
        days = minutes // 24 // 60
        return ngettext("a day", "%(count)d days", days) % {"count": days}
    if minutes % 60 == 0:
        return ngettext("an hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("a minute", "%(count)d minutes", minutes) % {"count": minutes}


def lead(wait: timedelta) -> str:
    """Return `in 15 minutes`, `in 3 hours` or `in a day`, rounded; at least a minute."""
    minutes = max(1, round(wait / timedelta(minutes=1)))
    hours, days = round(minutes / 60), round(minutes / 60 / 24)
    if minutes < 100:
        return ngettext("in a minute", "in %(count)d minutes", minutes) % {"count": minutes}
    if hours < 24:
        return ngettext("in an hour", "in %(count)d hours", hours) % {"count": hours}
    return ngettext("in a day", "in %(count)d days", days) % {"count": days}


def ago(time: timedelta) -> str:
    """Return `5 minutes ago`, `3 hours ago` or `2 days ago`, rounded down; at first `just now`."""
    minutes = time // timedelta(minutes=1)
    hours, days = minutes // 60, minutes // 60 // 24
    if minutes < 1:
        return gettext("just now")
    if hours < 1:
        return ngettext("a minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    if days < 1:
        return ngettext("an hour ago", "%(count)d hours ago", hours) % {"count": hours}
    return ngettext("a day ago", "%(count)d days ago", days) % {"count": days}


def deadline(moment: datetime, person: Reader) -> str:
    """Return `Tuesday, 15 December 2026, 2:01 PM (America/New_York)`, rounded up to a minute."""
    minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
    if minute < moment:
        minute += timedelta(minutes=1)
    return f"{date_of(minute, person)}, {time(minute, person)} ({zones.in_words(person.zone)})"


def utc_span(start: datetime, end: datetime) -> str:
    """Return `Tuesday, 15 December 2026, 19:00 – 20:00 UTC`. The arguments may have any zone."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    first, last = full_date(start.date()), full_date(end.date())
    until = "" if first == last else f"{last}, "
    return f"{first}, {start:%H:%M} – {until}{end:%H:%M} UTC"

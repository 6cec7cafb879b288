"""Times and lengths in iCalendar text (RFC 5545).

*Wall time* is a datetime without a zone; an *instant* is in epoch seconds. A wall time that a clock
skips is read with the offset before the gap, and one that it shows twice is the first of both
(RFC 5545, 3.3.5).
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1)
_EPOCH_IN_UTC = _EPOCH.replace(tzinfo=UTC)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?", re.IGNORECASE | re.ASCII)
_LENGTH = re.compile(
    r"([+-])?P(?:(\d{1,9})W)?(?:(\d{1,9})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?",
    re.IGNORECASE | re.ASCII,
)


class Time(NamedTuple):
    """Value of a DATE or a DATE-TIME. `clock` is None if the value names none."""

    wall: datetime
    clock: tzinfo | None
    is_date: bool


class Length(NamedTuple):
    """Length of an entry: days of a calendar, which need not have 24 hours, and then seconds."""

    days: int
    seconds: int


def parse_time(value: str, clock: tzinfo | None) -> Time:
    """Read a DATE or a DATE-TIME. Raise ValueError for anything else."""
    parts = _TIME.fullmatch(value.strip())
    if parts is None:
        raise ValueError(value[:50])
    year, month, day, hour, minute, second, is_utc = parts.groups()
    wall = datetime(int(year), int(month), int(day))
    if hour is None:
        return Time(wall, None, is_date=True)
    wall = wall.replace(hour=int(hour), minute=int(minute), second=min(int(second or 0), 59))
    return Time(wall, UTC if is_utc else clock, is_date=False)


def parse_length(value: str) -> Length:
    """Read a DURATION. Raise ValueError for anything else."""
    parts = _LENGTH.fullmatch(value.strip())
    if parts is None or not any(parts.groups()[1:]):
        raise ValueError(value[:50])
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in parts.groups()[1:])
    sign = -1 if parts[1] == "-" else 1
    return Length(sign * (weeks * 7 + days), sign * (hours * 3600 + minutes * 60 + seconds))


def instant(wall: datetime, clock: tzinfo) -> int:
    """Return the instant at which a clock shows this wall time."""
    offset = clock.utcoffset(wall.replace(tzinfo=clock)) or timedelta()
    return (wall - _EPOCH - offset) // _SECOND


def shown(at: int, clock: tzinfo) -> datetime:
    """Return the wall time that a clock shows at this instant."""
    return (_EPOCH_IN_UTC + at * _SECOND).astimezone(clock).replace(tzinfo=None)


def near(at: int) -> datetime:
    """Return the wall time of UTC at this instant, within the years that a datetime can have."""
    least, most = instant(datetime.min, UTC), instant(datetime.max, UTC)
    return _EPOCH + min(max(at, least), most) * _SECOND

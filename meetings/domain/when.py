"""Reader of the `date` of a v3 meeting request.

The rule is that of docs/contract.md ("The date of a meeting"): ISO 8601 first, then the shapes
below. `dateutil` itself swaps day and month if one does not fit, and fills in missing parts. So
this module lists the accepted shapes. It takes only the vocabulary of names from `dateutil`:

- a calendar date: `2025-12-15` (also with `/` or `.`), `20251215`, `12/15/2025` (month first),
  `15-12-2025` and `15.12.2025` (day first), `December 15, 2025`, `15 Dec 2025`, `2025 Dec 15`,
  each with or without its weekday, which must be the right one;
- before or after it a time: `14:00`, `14:00:00`, `14:00:00.5`, `2 PM`, after a basic date `1400`;
- after the time nothing (the wall clock of the given zone), an offset, or `UTC`, `GMT` or `Z`.

Anything else is refused. So are two things that ISO 8601 allows: an hour without minutes (it means
a whole hour, not an instant) and `24:00` (people use it for either midnight). A week date or an
ordinal date names no month and is refused too. So is `GMT+3`, which means opposite things in ISO
and POSIX.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from dateutil.parser import parserinfo
from django.utils.translation import gettext as _

LONGEST = 64
"""Characters that a date text may have."""

_NAMES = parserinfo()

_TIME = (
    r"(?P<hour>\d\d?)(?=:| ?[ap]\.?m)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?)?"
    r"(?: ?(?P<half>[ap])(?:m|\.m\.)(?![a-z]))?"
)
_BASIC_TIME = r"(?P<hour>\d\d)(?P<minute>\d\d)(?:(?P<second>\d\d)(?:[.,]\d+)?)?"
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
_WEEKDAY = r"(?:(?P<weekday>(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*),? )?"
_NAMED_MONTH = r"(?P<month>[a-z]+)"
_NAMED_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?"
_BASIC_DATE = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"

_DATES = (
    _BASIC_DATE,
    r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d\d?)(?P=sep)(?P<day>\d\d?)",
    r"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{4})",
    r"(?P<day>\d\d?)(?P<sep>[-.])(?P<month>\d\d?)(?P=sep)(?P<year>\d{4})",
    rf"{_NAMED_MONTH}(?:\.? |-){_NAMED_DAY}(?:,? |-)(?P<year>\d{{4}})",
    rf"{_NAMED_DAY}(?: | of |-){_NAMED_MONTH}(?:[.,]? |-)(?P<year>\d{{4}})",
    rf"(?P<year>\d{{4}})[ -]{_NAMED_MONTH}[ -]{_NAMED_DAY}",
)
_SHAPES = tuple(
    re.compile(shape, re.ASCII | re.IGNORECASE)
    for shape in (
        *(rf"{_WEEKDAY}{day}(?:T|,? (?:at )?){_TIME}{_ZONE}" for day in _DATES),
        *(rf"{_TIME}{_ZONE},? (?:on )?{_WEEKDAY}{day}" for day in _DATES),
        rf"{_BASIC_DATE}[T ]{_BASIC_TIME}{_ZONE}",
        # The output of C's asctime() and of the `date` command.
        rf"{_WEEKDAY}{_NAMED_MONTH} {_NAMED_DAY} {_TIME}{_ZONE} (?P<year>\d{{4}})",
    )
)

# No clock runs west of Baker Island or east of Kiritimati, so `14:00-15:00` is two times.
_WESTMOST, _EASTMOST = timedelta(hours=-12), timedelta(hours=14)


class UnreadableDate(ValueError):
    """Error for a text that is not a complete, unambiguous date and time.

    The caller may see its message.
    """

    def __init__(self, why: str) -> None:
        super().__init__(_("Invalid date: %(why)s") % {"why": why})


def read(text: str, zone: ZoneInfo) -> datetime:
    """The instant that `text` names: aware, in UTC, whole seconds (fractions are dropped).

    A time without an offset is the wall clock of `zone`: the first of two where it occurs twice,
    with the offset before the gap where it does not exist (fold=0 of PEP 495).
    Raises UnreadableDate, and nothing else, for every text that docs/contract.md refuses.
    """
    if len(text) > LONGEST:
        count = {"count": LONGEST}
        raise UnreadableDate(_("it is longer than %(count)d characters.") % count)
    parts = _parts(text)
    try:
        day = date(int(parts["year"]), _month(parts["month"]), int(parts["day"]))
        hour = _hour(int(parts["hour"]), parts.get("half", "").lower())
        minute, second = int(parts["minute"] or 0), int(parts["second"] or 0)
        clock = _offset(parts["zone"]) or zone
        wall = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=clock, fold=0)
        instant = wall.astimezone(UTC)
    except UnreadableDate:
        raise
    except (ValueError, OverflowError) as error:
        raise UnreadableDate(_("there is no such day, time or offset.")) from error
    weekday = parts.get("weekday")
    if weekday and _NAMES.weekday(weekday) != day.weekday():
        raise UnreadableDate(_("the weekday is not that of the date."))
    if instant.year == datetime.max.year:
        # The end of the meeting and every viewer's wall clock must be representable as well.
        raise UnreadableDate(_("it is too far in the future."))
    return instant


def _parts(text: str) -> dict[str, str]:
    # Browsers put a narrow no-break space before AM and PM; asctime() pads the day with a space.
    plain = " ".join(filter(None, text.replace("\u202f", " ").split(" ")))
    for shape in _SHAPES:
        if match := shape.fullmatch(plain):
            return match.groupdict("")
    raise UnreadableDate(
        _('give a full date and a time, such as "2025-12-15 14:00:00" or "2025-12-15T14:00:00Z".')
    )


def _month(text: str) -> int:
    month = int(text) if text.isdigit() else _NAMES.month(text)
    if month is None:
        raise UnreadableDate(_("there is no month of that name."))
    return month


def _hour(hour: int, half: str) -> int:
    if half and not 1 <= hour <= 12:
        raise UnreadableDate(_("with AM or PM the hour is 1 to 12."))
    return hour % 12 + (12 if half == "p" else 0) if half else hour


def _offset(text: str) -> tzinfo | None:
    if not text or text[0] not in "+-":
        return UTC if text else None
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    east = timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)
    if minutes > 59 or not _WESTMOST <= east <= _EASTMOST:
        raise UnreadableDate(_("there is no such offset from UTC."))
    return timezone(east)

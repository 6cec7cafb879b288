"""Clocks of calendars: zones of IANA, names that Windows uses, and zones that a text describes."""

import re
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from calendars.rules.bounds import MOST_DATES, Unreadable
from calendars.rules.content import Property, split_line
from calendars.rules.recurrence import Frequency, parse_rule, starts
from calendars.rules.values import Time, instant, parse_time

_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1)
_NO_ZONES = {"localtime", "Factory"}
# Changes of a described clock are listed for these years.
_FIRST, _LAST = datetime(1970, 1, 1), datetime(2100, 1, 1)
_MOST_OBSERVANCES = 100
_LONGEST = 0.5  # seconds for one zone
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)(\d\d)?", re.ASCII)


@lru_cache(maxsize=1000)
def named(name: str) -> ZoneInfo | None:
    """Return the zone of this name, as IANA, Windows or an older program writes it."""
    zones = _by_folded_name()
    name = zones.get(name.casefold(), name)
    if name in zones.values():
        return ZoneInfo(name)
    if windows := WINDOWS_TO_OLSON.get(name):
        return ZoneInfo(windows)
    # Such as /freeassociation.sourceforge.net/Europe/Berlin.
    parts = name.casefold().split("/")
    for first in range(max(len(parts) - 3, 1), len(parts) - 1):
        if found := zones.get("/".join(parts[first:])):
            return ZoneInfo(found)
    return None


@cache
def _by_folded_name() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones() - _NO_ZONES}


@dataclass(frozen=True)
class Clocks:
    """Clocks that a text may name. `written` has the lines of its zones, by TZID.

    `usual` is the clock of a name that is unknown.
    """

    usual: tzinfo
    written: Mapping[str, list[str]]

    def find(self, tzid: str) -> tzinfo:
        if found := named(tzid[:100]):
            return found
        lines = self.written.get(tzid)
        return described("\n".join(lines)) if lines else self.usual

    def times(self, found: Property) -> list[Time]:
        """Return the times that a property lists. Of a period: its start."""
        if found.value.count(",") >= MOST_DATES:
            raise Unreadable("too_many")
        tzid = found.parameter("TZID") if found.parameters else ""
        clock = self.find(tzid) if tzid else None
        values = [value.partition("/")[0] for value in found.value.split(",") if value]
        return [parse_time(value, clock) for value in values]


# --- zones that a text describes ----------------------------------------------------------------


class _Change(NamedTuple):
    """Change of a clock. Offsets are in seconds ahead of UTC."""

    at: int
    before: int
    after: int


class _Described(tzinfo):
    """Clock with these changes, in the order of time. There is at least one."""

    def __init__(self, changes: Sequence[_Change]) -> None:
        self._offsets = [changes[0].before, *(change.after for change in changes)]
        self._instants = [change.at for change in changes]
        # From these wall times on, in seconds, the first reading of the clock is the one after.
        self._walls = [change.at + max(change.before, change.after) for change in changes]

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        if dt is None:
            return None
        wall = (dt.replace(tzinfo=None) - _EPOCH) // _SECOND
        return timedelta(seconds=self._offsets[bisect_right(self._walls, wall)])

    def fromutc(self, dt: datetime) -> datetime:
        at = (dt.replace(tzinfo=None) - _EPOCH) // _SECOND
        return dt + timedelta(seconds=self._offsets[bisect_right(self._instants, at)])

    def tzname(self, _dt: datetime | None) -> str | None:
        return None

    def dst(self, _dt: datetime | None) -> timedelta | None:
        return None


@lru_cache(maxsize=64)
def described(text: str) -> tzinfo:
    """Return the clock that the lines of a VTIMEZONE describe. Raise Unreadable if they do not."""
    observances: list[list[str]] = []
    for line in text.split("\n"):
        if line.startswith("BEGIN:"):
            observances.append([])
        elif observances:
            observances[-1].append(line)
    if len(observances) > _MOST_OBSERVANCES:
        raise Unreadable("too_many")
    until = time.monotonic() + _LONGEST
    changes = sorted(change for lines in observances for change in _changes(lines, until))
    if not changes:
        raise Unreadable("broken")
    return _Described(changes)


def _changes(lines: list[str], until: float) -> list[_Change]:
    """Return the changes to a STANDARD or DAYLIGHT time."""
    found: dict[str, list[Property]] = {}
    for line in lines:
        each = split_line(line)
        found.setdefault(each.name, []).append(each)
    try:
        first = parse_time(found["DTSTART"][0].value, None).wall
        before = _offset(found["TZOFFSETFROM"][0].value)
        after = _offset(found["TZOFFSETTO"][0].value)
    except KeyError as missing:
        raise Unreadable("broken") from missing
    walls = [first]
    for listed in found.get("RDATE", []):
        walls += [time.wall for time in Clocks(UTC, {}).times(listed)]
    for written in found.get("RRULE", []):
        rule = parse_rule(written.value, first, is_date=False)
        if rule.frequency is not Frequency.YEARLY:
            raise Unreadable("broken")
        for wall in starts(rule, first, since=_FIRST, end=_LAST, until=until):
            # UNTIL is in UTC, or in the wall time before the change.
            ahead = before if rule.until and rule.until.clock else 0
            if rule.until and instant(wall, UTC) - ahead > instant(rule.until.wall, UTC):
                break
            walls.append(wall)
    return [_Change(instant(wall, UTC) - before, before, after) for wall in {*walls}]


def _offset(value: str) -> int:
    """Return an offset such as `+0530` in seconds."""
    parts = _OFFSET.fullmatch(value)
    if parts is None:
        raise ValueError(value[:50])
    hours, minutes, seconds = int(parts[2]), int(parts[3]), int(parts[4] or 0)
    ahead = hours * 3600 + minutes * 60 + seconds
    if ahead >= 24 * 3600:
        raise ValueError(value)
    return -ahead if parts[1] == "-" else ahead

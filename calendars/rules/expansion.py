"""Calendar text in, busy times out: how entries of outside calendars are read and expanded.

Pure: no Django and no database. The only clock is `time.monotonic()`, for the time that one series
may take. A text is hostile until it is read: whatever it holds, an answer or `Unreadable` comes
soon.

- Rules recur on wall time. Two starts at one instant are one occurrence.
- An entry with a DTEND lasts as many seconds each time. One with a DURATION lasts as many days of
  its clock, and then as many seconds (RFC 5545, 3.8.5.3).
- An entry without length takes no time and is left out. All-day entries last one day or more.
- EXRULE is not read, and an UNTIL that is a date includes that date. Where programs disagree,
  rather too much time is taken than too little.
"""

import re
import time
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

from calendars.rules.bounds import (
    LONGEST,
    LONGEST_TITLE,
    LONGEST_UID,
    MOST_BYTES,
    MOST_CHANGED,
    MOST_CHARACTERS,
    MOST_DATES,
    MOST_OCCURRENCES,
    MOST_RULES,
    Unreadable,
    check_time,
)
from calendars.rules.clocks import Clocks, named
from calendars.rules.content import Property, plain, read, split_line
from calendars.rules.recurrence import Rule, parse_rule, starts
from calendars.rules.values import Length, Time, instant, near, parse_length, parse_time, shown

__all__ = [
    "Feed",
    "Occurrence",
    "Series",
    "ShownAs",
    "Unreadable",
    "Window",
    "expand",
    "split",
    "uid_of",
]

_DAY = 24 * 60 * 60
_TZID = re.compile(r';TZID=("[^"\n]*"|[^;:"\n]*)', re.IGNORECASE)
_FREE = {"FREE", "WORKINGELSEWHERE"}
_MAYBE = {"TENTATIVE", "NEEDS-ACTION"}


class ShownAs(StrEnum):
    """State in which an occurrence shows its owner. Declined and transparent ones are free."""

    BUSY = "busy"
    TENTATIVE = "tentative"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Time that an entry takes, as half-open instants.

    `recurrence_id` is the original start in UTC, such as `20261130T090000Z`, of all-day entries the
    date, and empty for an entry that does not recur.
    """

    recurrence_id: str
    start: int
    end: int
    title: str
    shown_as: ShownAs
    is_all_day: bool


@dataclass(frozen=True)
class Window:
    """Instants that matter, half-open."""

    since: int
    until: int


@dataclass(frozen=True)
class Series:
    """Components of one UID, as a calendar of its own that holds what `expand` reads.

    `digest` changes if and only if `text` does. Programs write a new DTSTAMP with every download;
    it is not in there.
    """

    uid: str
    digest: str
    text: str


@dataclass(frozen=True)
class Feed:
    """Calendar with its series, by UID. `zone` is an IANA name or empty.

    `unreadable` is 1 if the text ends before the calendar does: something is missing.
    """

    name: str
    color: str
    zone: str
    series: dict[str, Series]
    unreadable: int


def split(data: bytes, *, most_series: int) -> Feed:
    """Take a calendar apart into its series. Nothing is expanded, and no value is judged.

    A component without UID has one that is made of its content. Raise Unreadable if the text is no
    calendar, is too large or has more series than allowed.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable("too_large")
    content = read(data.decode("utf-8", "surrogateescape"))
    zone = named(content.header.get("X-WR-TIMEZONE", "")[:100])
    written = {
        tzid: "\r\n".join(["BEGIN:VTIMEZONE", *lines, "END:VTIMEZONE"])
        for tzid, lines in content.zones.items()
        if named(tzid[:100]) is None
    }
    components: dict[str, set[str]] = {}
    for lines in content.events:
        component = "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])
        components.setdefault(_uid(lines) or _digest(component), set()).add(component)
        if len(components) > most_series:
            raise Unreadable("too_many")
    head = ["BEGIN:VCALENDAR", *([f"X-WR-TIMEZONE:{zone.key}"] if zone else [])]
    series, characters = {}, 0
    for uid, found in components.items():
        ordered = sorted(found)
        zones = _zones_of(ordered, written) if written else []
        text = "\r\n".join([*head, *zones, *ordered, "END:VCALENDAR", ""])
        characters += len(text)
        if characters > 3 * MOST_BYTES:  # many series may need one large zone
            raise Unreadable("too_large")
        series[uid] = Series(uid, _digest(text), text)
    return Feed(
        name=(content.header.get("X-WR-CALNAME") or content.header.get("NAME", ""))[:LONGEST_TITLE],
        color=(content.header.get("X-APPLE-CALENDAR-COLOR") or content.header.get("COLOR", ""))[
            :32
        ],
        zone=zone.key if zone else "",
        series=series,
        unreadable=0 if content.is_whole else 1,
    )


def expand(
    text: str, *, window: Window, zone: ZoneInfo, owner: frozenset[str], until: float
) -> list[Occurrence]:
    """Return the occurrences of one series that meet the window, by time.

    `zone` has the floating times and all-day entries, unless the text has an X-WR-TIMEZONE. `owner`
    has the email addresses of the person, in lower case. Occurrences that were cancelled or have no
    length are left out. Raise Unreadable if the text cannot be read, means too many occurrences, or
    needs time after `until`, which is one of `time.monotonic()`.
    """
    if len(text) > MOST_CHARACTERS:
        raise Unreadable("too_large")
    budget = min(until, time.monotonic() + LONGEST)
    check_time(budget)
    try:
        return _expand(text, window, zone, owner, budget)
    except (ValueError, OverflowError) as error:
        raise Unreadable("broken") from error


def _expand(
    text: str, window: Window, zone: ZoneInfo, owner: frozenset[str], until: float
) -> list[Occurrence]:
    content = read(text)
    if len(content.events) > MOST_CHANGED + 1:
        raise Unreadable("too_many")
    usual = named(content.header.get("X-WR-TIMEZONE", "")[:100]) or zone
    clocks = Clocks(usual, content.zones)
    uids, events = set(), []
    for lines in content.events:
        check_time(until)
        uids.add(_uid(lines))
        events.append(_event(lines, clocks, owner))
    if len(uids) > 1:
        raise Unreadable("broken")
    return _Recurrence(events, window, until).occurrences() if events else []


def uid_of(text: str) -> str:
    """Return the UID of the calendar object that this text is. Empty if it has none."""
    for lines in read(text).events:
        return _uid(lines)
    return ""


def _uid(lines: Collection[str]) -> str:
    """Return the UID of a component. A very long one is shortened to its digest."""
    for line in lines:
        if line.startswith("UID"):
            uid = plain(line.partition(":")[2])
            return uid if len(uid) <= LONGEST_UID else _digest(uid)
    return ""


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def _zones_of(components: list[str], written: Mapping[str, str]) -> list[str]:
    """Return the described zones that these components name."""
    names = {name.strip('"') for component in components for name in _TZID.findall(component)}
    return [text for tzid, text in written.items() if tzid in names]


# --- one component ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Event:
    """Component of a series. `shown_as` is None if it was cancelled.

    `original` is the RECURRENCE-ID. `is_lasting` says that it holds for what follows too.
    """

    start: datetime
    clock: tzinfo
    is_all_day: bool
    length: Length
    title: str
    shown_as: ShownAs | None
    sequence: int
    original: Time | None
    is_lasting: bool
    rules: list[Rule]
    added: list[tuple[Time, Length | None]]
    left_out: list[Time]

    @property
    def longest(self) -> int:
        """Number of seconds that no occurrence exceeds."""
        lengths = [self.length, *(length for _time, length in self.added if length)]
        return max((each.days + 1) * _DAY + each.seconds for each in lengths)


def _event(lines: list[str], clocks: Clocks, owner: frozenset[str]) -> _Event:
    """Read a component. Raise ValueError or Unreadable if a value cannot be read."""
    found: dict[str, list[Property]] = {}
    for line in lines:
        if line.startswith("ATTENDEE") and not any(email in line.lower() for email in owner):
            continue
        each = split_line(line)
        found.setdefault(each.name, []).append(each)
    first = {name: properties[0] for name, properties in found.items()}
    if "DTSTART" not in first:
        raise ValueError("DTSTART")
    start = _time(first["DTSTART"], clocks)
    clock = start.clock or clocks.usual
    original = first.get("RECURRENCE-ID")
    rules = [each for each in found.get("RRULE", []) if each.value]
    if len(rules) > MOST_RULES:
        raise Unreadable("too_many")
    added = [each for line in found.get("RDATE", []) for each in _periods(line, clocks)]
    left_out = [each for line in found.get("EXDATE", []) for each in clocks.times(line)]
    if len(added) + len(left_out) > MOST_DATES:
        raise Unreadable("too_many")
    return _Event(
        start=start.wall,
        clock=clock,
        is_all_day=start.is_date,
        length=_length(start.wall, clock, start.is_date, first, clocks),
        title=_text(first, "SUMMARY")[:LONGEST_TITLE],
        shown_as=_shown_as(first, found.get("ATTENDEE", []), owner),
        sequence=int(sequence) if (sequence := _text(first, "SEQUENCE")).isdecimal() else 0,
        original=_time(original, clocks) if original else None,
        is_lasting=original is not None and original.parameter("RANGE").upper() == "THISANDFUTURE",
        rules=[parse_rule(each.value, start.wall, is_date=start.is_date) for each in rules],
        added=added,
        left_out=left_out,
    )


def _text(first: Mapping[str, Property], name: str) -> str:
    return plain(first[name].value) if name in first else ""


def _time(found: Property, clocks: Clocks) -> Time:
    times = clocks.times(found)
    if len(times) != 1:
        raise ValueError(found.name)
    return times[0]


def _periods(found: Property, clocks: Clocks) -> Iterator[tuple[Time, Length | None]]:
    """Yield the starts that a RDATE lists, each with its length if it is a period."""
    ends = [value.partition("/")[2] for value in found.value.split(",") if value]
    for start, end in zip(clocks.times(found), ends, strict=True):
        if not end:
            yield start, None
        elif "P" in end.upper():
            yield start, parse_length(end)
        else:
            clock = start.clock or clocks.usual
            last = parse_time(end, clock)
            yield start, Length(0, instant(last.wall, last.clock or clock) - _at(start, clock))


def _at(when: Time, clock: tzinfo) -> int:
    return instant(when.wall, when.clock or clock)


def _length(
    start: datetime, clock: tzinfo, is_all_day: bool, first: Mapping[str, Property], clocks: Clocks
) -> Length:
    """Return how long a component lasts: of all-day entries at least a day, else maybe nothing."""
    if "DTEND" in first:
        end = _time(first["DTEND"], clocks)
        if not is_all_day:
            return Length(0, _at(end, clock) - instant(start, clock))
        length = Length((end.wall - start).days, (end.wall - start).seconds)
    elif "DURATION" in first:
        length = parse_length(first["DURATION"].value)
    else:
        length = Length(0, 0)
    if not is_all_day:
        return length
    return Length(max(length.days - (-length.seconds // _DAY), 1), 0)


def _shown_as(
    first: Mapping[str, Property], attendees: Collection[Property], owner: frozenset[str]
) -> ShownAs | None:
    """Return how a component shows its owner: None if it was cancelled."""
    status, microsoft = _text(first, "STATUS").upper(), _text(first, "X-MICROSOFT-CDO-BUSYSTATUS")
    if status == "CANCELLED":
        return None
    answers = {
        each.parameter("PARTSTAT").upper()
        for each in attendees
        if owner
        & {
            each.value.lower().removeprefix("mailto:"),
            each.parameter("EMAIL").lower().removeprefix("mailto:"),
        }
    }
    microsoft = microsoft.upper()
    is_free = microsoft in _FREE if microsoft else _text(first, "TRANSP").upper() == "TRANSPARENT"
    if is_free or "DECLINED" in answers:
        return ShownAs.FREE
    if "TENTATIVE" in (status, microsoft) or answers & _MAYBE:
        return ShownAs.TENTATIVE
    return ShownAs.BUSY


# --- a series -----------------------------------------------------------------------------------


class _Lasting(NamedTuple):
    """Component that changes an occurrence and all that follow it."""

    at: int  # the original start
    event: _Event
    moved: int  # seconds


class _Recurrence:
    """Series of components: the one that recurs, if there is one, and those that change it."""

    def __init__(self, events: list[_Event], window: Window, until: float) -> None:
        self._window, self._until = window, until
        mains = [event for event in events if event.original is None]
        # The newest version counts. Of two with one number it is the later one.
        self._main = max(reversed(mains), key=lambda event: event.sequence, default=None)
        self._changed: dict[str, _Event] = {}
        for event in sorted(events, key=lambda event: event.sequence):
            if event.original:
                self._changed[self._key(event.original, self._main or event)] = event
        self._left_out: set[str] = set()
        self._lasting: list[_Lasting] = []
        if self._main:
            self._left_out = {self._key(when, self._main) for when in self._main.left_out}
            self._lasting = sorted(
                (
                    _lasting(event, event.original, self._main)
                    for event in self._changed.values()
                    if event.original and event.is_lasting
                ),
                key=lambda each: each.at,
            )
        self._found: list[Occurrence] = []

    def occurrences(self) -> list[Occurrence]:
        """Return what meets the window, by time."""
        seen = set()
        if self._main:
            for start, at, length in self._originals(self._main):
                day = _date(start)
                recurrence_id = day if self._main.is_all_day else _utc(at)
                if recurrence_id in seen or {recurrence_id, day} & self._left_out:
                    continue
                seen.add(recurrence_id)
                changed = recurrence_id if recurrence_id in self._changed else day
                if event := self._changed.get(changed):
                    seen.add(changed)
                    self._add_changed(recurrence_id, event)
                else:
                    self._add_unchanged(self._main, recurrence_id, start, at, length)
        for recurrence_id, event in self._changed.items():
            if recurrence_id not in seen and recurrence_id not in self._left_out:
                self._add_changed(recurrence_id, event)
        return sorted(self._found, key=lambda each: (each.start, each.end, each.recurrence_id))

    @staticmethod
    def _key(when: Time, series: _Event) -> str:
        """Return the recurrence id that a RECURRENCE-ID or an EXDATE names, or its date."""
        if when.is_date or series.is_all_day:
            return _date(when.wall)
        return _utc(_at(when, series.clock))

    def _originals(self, main: _Event) -> Iterator[tuple[datetime, int, Length | None]]:
        """Yield the starts that can matter: wall time, instant, and length if it has its own."""
        # What moved to a later time began earlier, and the other way round.
        earlier = max(main.longest, *(each.event.longest + each.moved for each in self._lasting), 0)
        later = max((-each.moved for each in self._lasting), default=0)
        first = self._window.since - earlier - 2 * _DAY
        last = self._window.until + max(later, 0) + 2 * _DAY
        for when, length in main.added:
            at = _at(when, main.clock)
            if first <= at < last:
                is_elsewhere = not main.is_all_day and when.clock not in (None, main.clock)
                wall = shown(at, main.clock) if is_elsewhere else when.wall
                yield wall, at, length
        for rule in main.rules:
            since, end = near(first), near(last)
            for wall in starts(rule, main.start, since=since, end=end, until=self._until):
                at = instant(wall, main.clock)
                if rule.until and _is_beyond(wall, at, rule.until, main):
                    break
                if first <= at < last:
                    yield wall, at, None
        at = instant(main.start, main.clock)
        if not main.rules and first <= at < last:
            yield main.start, at, None

    def _add_changed(self, recurrence_id: str, event: _Event) -> None:
        self._add(recurrence_id, event, event.start, instant(event.start, event.clock), None)

    def _add_unchanged(
        self, main: _Event, recurrence_id: str, start: datetime, at: int, length: Length | None
    ) -> None:
        """Add an occurrence as the main component has it, or the last one that holds for it."""
        before = bisect_left(self._lasting, at, key=lambda each: each.at)
        if not before:
            is_single = not (main.rules or main.added or self._changed)
            self._add("" if is_single else recurrence_id, main, start, at, length)
            return
        original, event, _moved = self._lasting[before - 1]
        if main.is_all_day or event.is_all_day:
            # Whole days, and the time of the day that the component has.
            moved = event.start - _midnight(shown(original, main.clock))
            wall = _midnight(start) + moved
        else:
            wall = shown(at, event.clock) + (event.start - shown(original, event.clock))
        self._add(recurrence_id, event, wall, instant(wall, event.clock), length)

    def _add(
        self, recurrence_id: str, event: _Event, wall: datetime, start: int, length: Length | None
    ) -> None:
        """Add an occurrence of a component if it takes time in the window."""
        if event.shown_as is None or start >= self._window.until:
            return
        days, seconds = length or event.length
        end = instant(wall + timedelta(days=days), event.clock) if days else start
        end += seconds
        if end <= start or end <= self._window.since:
            return
        if len(self._found) == MOST_OCCURRENCES:
            raise Unreadable("too_many")
        self._found.append(
            Occurrence(recurrence_id, start, end, event.title, event.shown_as, event.is_all_day)
        )


def _lasting(event: _Event, original: Time, main: _Event) -> _Lasting:
    at = _at(original, main.clock)
    return _Lasting(at, event, instant(event.start, event.clock) - at)


def _midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0)


def _is_beyond(wall: datetime, at: int, until: Time, main: _Event) -> bool:
    """Tell whether a start is after the UNTIL of its rule."""
    if until.is_date:
        return wall.date() > until.wall.date()
    if not main.is_all_day:
        return at > _at(until, main.clock)
    return wall.date() > _local_date(until, main.clock)


def _local_date(when: Time, clock: tzinfo) -> date:
    return (shown(_at(when, clock), clock) if when.clock else when.wall).date()


def _date(wall: datetime) -> str:
    return f"{wall.year:04}{wall.month:02}{wall.day:02}"


def _utc(at: int) -> str:
    wall = shown(at, UTC)
    return f"{_date(wall)}T{wall.hour:02}{wall.minute:02}{wall.second:02}Z"

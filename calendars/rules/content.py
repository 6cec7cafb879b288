"""Reader of iCalendar text (RFC 5545): lines, properties and components.

It keeps only the properties that tell when somebody is busy, and never looks at the rest. So a
reading costs little, and a property that changes with every download changes nothing. icalendar's
own parser needs about 0.7 ms for a small entry, and it remembers the time zones of one text for
the next one, which may belong to another account.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from calendars.rules.bounds import MOST_LINES, Unreadable

_OF_EVENTS = frozenset(
    {
        "UID",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "SEQUENCE",
        "STATUS",
        "TRANSP",
        "SUMMARY",
        "ATTENDEE",
        "X-MICROSOFT-CDO-BUSYSTATUS",
    }
)
_OF_ZONES = frozenset({"TZID", "DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO"})
_OF_CALENDARS = frozenset(
    {"NAME", "COLOR", "X-WR-CALNAME", "X-WR-TIMEZONE", "X-APPLE-CALENDAR-COLOR"}
)
_OBSERVANCES = ("STANDARD", "DAYLIGHT")
_NAMES = "|".join(sorted({"BEGIN", "END", *_OF_EVENTS, *_OF_ZONES, *_OF_CALENDARS}))
_LINE = re.compile(rf"\n(?=[A-Z])({_NAMES})([;:][^\n]*)", re.IGNORECASE)
_PARTS = re.compile(r'([A-Z-]+)((?:;(?:[^:"]++|"[^"]*+")*+)?):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([^=;:"]++)=((?:[^;:"]++|"[^"]*+")*+)')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_ESCAPED = re.compile(r"\\([\\;,Nn])")


class Property(NamedTuple):
    """Content line in its parts. The name is in upper case; the parameters are as written."""

    name: str
    parameters: str
    value: str

    def parameter(self, name: str) -> str:
        """Return the value of this parameter without quotes, or an empty text."""
        for written, value in _PARAMETER.findall(self.parameters):
            if written.upper() == name:
                return str(value).replace('"', "")
        return ""


@dataclass
class Content:
    """Lines that matter. `zones` has those of each VTIMEZONE, by its TZID.

    `is_whole` is false if the text ends before its calendar does.
    """

    header: dict[str, str] = field(default_factory=dict)
    events: list[list[str]] = field(default_factory=list)
    zones: dict[str, list[str]] = field(default_factory=dict)
    is_whole: bool = False


def read(text: str) -> Content:
    """Read the calendars of a text. Bytes that were no UTF-8 may stand in it as surrogates.

    A component that is not closed ends where the next one begins. Raise Unreadable if the text does
    not begin as a calendar, or has too many lines.
    """
    content = Content()
    kind, skipped = "", 0  # the open component, and how many others are open below it
    lines: list[str] = []
    for name, rest in _lines(text):
        if name == "BEGIN":
            opened = rest[1:].strip().upper()
            if opened in ("VEVENT", "VTIMEZONE", "VCALENDAR"):
                _close(content, kind, lines)
                kind, lines, skipped = opened, [], 0
                content.is_whole = False
            elif kind == "VTIMEZONE" and opened in _OBSERVANCES and not skipped:
                lines.append(f"BEGIN:{opened}")
            else:
                skipped += 1
        elif name == "END":
            closed = rest[1:].strip().upper()
            if closed in (kind, "VCALENDAR"):
                _close(content, kind, lines)
                kind, lines, skipped = "VCALENDAR", [], 0
                content.is_whole = closed == "VCALENDAR"
            elif skipped:
                skipped -= 1
        elif skipped:
            continue
        elif (kind == "VEVENT" and name in _OF_EVENTS) or (
            kind == "VTIMEZONE" and name in _OF_ZONES
        ):
            lines.append(name + rest)
        elif kind == "VCALENDAR" and name in _OF_CALENDARS:
            content.header.setdefault(name, plain(_value(name + rest)))
    _close(content, kind, lines)
    return content


def split_line(line: str) -> Property:
    """Return the parts of a line that `read` kept. Raise ValueError if it has no value."""
    parts = _PARTS.fullmatch(line)
    if parts is None:
        raise ValueError(line[:50])
    return Property(parts[1], parts[2], parts[3].strip())


def plain(value: str) -> str:
    """Return a text without escapes, control characters and spaces around it."""
    text = _ESCAPED.sub(lambda found: " " if found[1] in "Nn" else found[1], value)
    return _CONTROL.sub(" ", text).strip()


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and rest of the lines that matter, unfolded. The name is in upper case."""
    text = text.removeprefix("\ufeff").lstrip()
    if text[:15].upper() != "BEGIN:VCALENDAR":
        raise Unreadable("not_a_calendar")
    text = "\n" + text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\n ", "").replace("\n\t", "")
    for count, line in enumerate(_LINE.finditer(text)):
        if count == MOST_LINES:
            raise Unreadable("too_large")
        name, rest = line.groups()
        yield name.upper(), rest if rest.isascii() else _repaired(rest)


def _repaired(line: str) -> str:
    """Return a line whose bytes are UTF-8, and otherwise read as those of Western Europe."""
    try:
        raw = line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return _CONTROL.sub(" ", line)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _value(line: str) -> str:
    return line.partition(":")[2].strip()


def _close(content: Content, kind: str, lines: list[str]) -> None:
    if kind == "VEVENT":
        content.events.append(lines)
    elif kind == "VTIMEZONE":
        for line in lines:
            if line.startswith("TZID"):
                content.zones[_value(line)] = lines
                break

"""Calendar objects for people's calendars (RFC 5545, RFC 5546).

The organizer is the address from which Parley sent when the time was asked for. Both people are
attendees who have accepted: calendar programs ignore a REQUEST that is sent to its own organizer.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from typing import Final

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress, vText, vUri

_PRODID: Final = "-//Parley//Parley//EN"
# RFC 5545, 3.3.11: a text holds none of these.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A parameter holds no quotation mark. Many programs do not know the way to write one (RFC 6868).
# libical takes a backslash at the end for the start of an escape, and loses the whole person.
_IN_PARAMETERS: Final = str.maketrans({'"': "'", "\\": "\N{FULLWIDTH REVERSE SOLIDUS}"})


@dataclass(frozen=True)
class Person:
    """Attendee. A guest may come, and has not said so."""

    name: str
    email: str
    is_guest: bool = False


@dataclass(frozen=True)
class Entry:
    """One calendar entry. `start`, `end` and `stamp` are aware; they are written in UTC.

    `uid` and `organizer`, an email address, never change. `sequence` rises with every change that
    others must hear of. `location` is the place to meet. `url` leads to details or, without a
    location, is the place to meet.
    """

    uid: str
    organizer: str
    sequence: int
    summary: str
    description: str
    url: str
    start: datetime
    end: datetime
    stamp: datetime
    location: str = ""
    status: str = "CONFIRMED"


def collection(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the text of a calendar file with these entries, piece by piece."""
    return gathered(map(piece, entries))


def gathered(pieces: Iterable[bytes], *, name: str = "") -> Iterator[bytes]:
    """Yield the text of a calendar file with these pieces, and the name that it may have."""
    calendar = _calendar()
    if name:
        calendar.add("x-wr-calname", _line(name))
    head, tail = calendar.to_ical().split(b"END:VCALENDAR")
    yield head
    yield from pieces
    yield b"END:VCALENDAR" + tail


def piece(entry: Entry) -> bytes:
    """Return the part of a calendar file that is this entry."""
    return bytes(_event(entry).to_ical())


def render(entry: Entry, *, method: str, attendees: Iterable[Person]) -> str:
    """Return the text of a calendar object that requests, cancels or publishes this entry.

    A published entry names no attendees (RFC 5546, 3.2.1).
    """
    event = _event(replace(entry, status="CANCELLED") if method == "CANCEL" else entry)
    _invite(event, attendees if method != "PUBLISH" else ())
    calendar = _calendar()
    calendar.add("method", method)
    calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")


def stored(entry: Entry, *, attendees: Iterable[Person]) -> str:
    """Return the text of an object to be put into a person's calendar.

    It tells the calendar server to mail nobody (RFC 6638, 7.1), since Parley does.
    """
    event = _event(entry)
    _invite(event, attendees)
    invited = event["attendee"] if isinstance(event["attendee"], list) else [event["attendee"]]
    for person in [event["organizer"], *invited]:
        person.params["SCHEDULE-AGENT"] = vText("CLIENT")
    calendar = _calendar()
    calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")


def _invite(event: Event, people: Iterable[Person]) -> None:
    """Name these people as attendees: the two who have agreed, and guests, who need not answer."""
    for person in people:
        attendee = _address(person)
        attendee.params["ROLE"] = vText("OPT-PARTICIPANT" if person.is_guest else "REQ-PARTICIPANT")
        attendee.params["PARTSTAT"] = vText("NEEDS-ACTION" if person.is_guest else "ACCEPTED")
        if person.is_guest:
            attendee.params["RSVP"] = vText("FALSE")
        event.add("attendee", attendee)


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", _PRODID)
    calendar.add("version", "2.0")
    return calendar


def _event(entry: Entry) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("summary", _line(entry.summary))
    if description := _text(entry.description):
        event.add("description", description)
    event.add("dtstamp", entry.stamp)
    event.add("dtstart", entry.start)
    event.add("dtend", entry.end)
    event.add("status", entry.status)
    name, _sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    event.add("organizer", _address(Person(name, entry.organizer)))
    if entry.url:
        event.add("url", vUri(_line(entry.url)))
    if entry.location or entry.url:
        event.add("location", _line(entry.location or entry.url))
    return event


def _address(person: Person) -> vCalAddress:
    address = vCalAddress(f"mailto:{_in_ascii(person.email)}")
    if name := _line(person.name):
        address.params["CN"] = vText(name.translate(_IN_PARAMETERS))
    return address


def _in_ascii(email: str) -> str:
    """Return the address with its domain in the form that mail servers and calendars know."""
    local, _at, domain = email.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}" if not domain.isascii() else email


def _text(text: str) -> str:
    """Return the text without control characters, except tabs and the ends of its lines."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _line(text: str) -> str:
    return " ".join(_text(text).split("\n"))

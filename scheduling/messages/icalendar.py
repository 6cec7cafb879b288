"""Calendar objects for people's calendars (RFC 5545, RFC 5546).

The organizer is the address that Parley sends from. Both people are attendees who have accepted:
calendar programs ignore a REQUEST that is sent to its own organizer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from enum import StrEnum
from typing import Final

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress, vText, vUri

_PRODID: Final = "-//Parley//Parley//EN"


class Method(StrEnum):
    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True)
class Entry:
    """One calendar entry. `start`, `end` and `stamp` are aware; they are written in UTC.

    `uid` never changes. `sequence` rises with every change that others must hear of. `location` is
    the place to meet. `url` leads to details or, without a location, is the place to meet.
    """

    uid: str
    sequence: int
    summary: str
    description: str
    url: str
    start: datetime
    end: datetime
    stamp: datetime
    location: str = ""


def collection(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the text of a calendar file with these entries, piece by piece."""
    head, tail = _calendar().to_ical().split(b"END:VCALENDAR")
    yield head
    for entry in entries:
        yield _event(entry).to_ical()
    yield b"END:VCALENDAR" + tail


def render(entry: Entry, *, method: Method, attendees: Iterable[Person]) -> str:
    """Return the text of a calendar object that requests, cancels or publishes this entry.

    A published entry names no attendees (RFC 5546, 3.2.1).
    """
    event = _event(entry, is_cancelled=method is Method.CANCEL)
    for person in attendees if method is not Method.PUBLISH else ():
        attendee = _address(person)
        attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
        event.add("attendee", attendee)
    calendar = _calendar()
    calendar.add("method", str(method))
    calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", _PRODID)
    calendar.add("version", "2.0")
    return calendar


def _event(entry: Entry, *, is_cancelled: bool = False) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("summary", entry.summary)
    event.add("description", entry.description)
    event.add("dtstamp", entry.stamp)
    event.add("dtstart", entry.start)
    event.add("dtend", entry.end)
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("organizer", _address(Person(*parseaddr(settings.DEFAULT_FROM_EMAIL))))
    if entry.url:
        event.add("url", vUri(entry.url))
    if entry.location or entry.url:
        event.add("location", entry.location or entry.url)
    return event


def _address(person: Person) -> vCalAddress:
    address = vCalAddress(f"mailto:{person.email}")
    address.params["CN"] = vText(person.name)
    return address

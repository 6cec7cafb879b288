"""Calendar objects that people's calendars understand (RFC 5545, RFC 5546).

The organizer is the address that we send from, and both people are attendees who have accepted:
calendar programs ignore a REQUEST that is sent to its own organizer.
"""

from collections.abc import Iterable
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

    `uid` stays the same for ever, `sequence` rises with every change that others must hear of.
    `location` is where to meet, `url` where to read about it or, without a location, to meet.
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


def render(entry: Entry, *, method: Method, attendees: Iterable[Person]) -> str:
    """The text of a calendar object that asks for, cancels or merely publishes this entry.

    What is published names no attendees (RFC 5546, 3.2.1).
    """
    organizer = Person(*parseaddr(settings.DEFAULT_FROM_EMAIL))
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("summary", entry.summary)
    event.add("description", entry.description)
    event.add("dtstamp", entry.stamp)
    event.add("dtstart", entry.start)
    event.add("dtend", entry.end)
    event.add("status", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    event.add("organizer", _address(organizer))
    for person in attendees if method is not Method.PUBLISH else ():
        attendee = _address(person)
        attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
        event.add("attendee", attendee)
    if entry.url:
        event.add("url", vUri(entry.url))
    if entry.location or entry.url:
        event.add("location", entry.location or entry.url)
    calendar = Calendar()
    calendar.add("prodid", _PRODID)
    calendar.add("version", "2.0")
    calendar.add("method", str(method))
    calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")


def _address(person: Person) -> vCalAddress:
    address = vCalAddress(f"mailto:{person.email}")
    address.params["CN"] = vText(person.name)
    return address

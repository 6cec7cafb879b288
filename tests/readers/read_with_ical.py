"""Program that reads calendar objects with the PyPI package `ical`, in an environment of its own.

It reads a JSON object of names and texts, and prints what it found in each.
"""

import json
import sys
from typing import Any

from ical.calendar_stream import IcsCalendarStream
from ical.event import Event
from ical.types import CalAddress


def read(text: str) -> dict[str, Any]:
    calendar = IcsCalendarStream.calendar_from_ics(text)
    return {
        "method": calendar.method,
        "entries": [_entry(event) for event in calendar.events],
    }


def _entry(event: Event) -> dict[str, Any]:
    assert not event.extras, event.extras
    return {
        "uid": event.uid,
        "sequence": event.sequence,
        "status": event.status and event.status.value,
        "start": f"{event.dtstart:%Y-%m-%dT%H:%M:%S%z}",
        "end": f"{event.dtend:%Y-%m-%dT%H:%M:%S%z}",
        "summary": event.summary,
        "description": event.description,
        "location": event.location,
        "url": event.url and str(event.url),
        "organizer": _person(event.organizer)[:2],
        "attendees": [_person(attendee) for attendee in event.attendees],
    }


def _person(person: CalAddress) -> list[str | None]:
    return [str(person.uri), person.common_name, person.status]


json.dump({name: read(text) for name, text in json.load(sys.stdin).items()}, sys.stdout)

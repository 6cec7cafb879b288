"""Program that reads calendar objects with libical, for the Python of Debian's `python3-gi`.

It reads a JSON object of names and texts, and prints what it found in each.
"""

import json
import sys
from typing import Any

import gi

gi.require_version("ICalGLib", "3.0")
from gi.repository import ICalGLib as Ical  # noqa: E402


def read(text: str) -> dict[str, Any]:
    calendar = Ical.Component.new_from_string(text)
    # What breaks RFC 5545 or RFC 5546 becomes a property X-LIC-ERROR.
    assert Ical.restriction_check(calendar)
    assert calendar.count_errors() == 0, calendar.as_ical_string()
    method = calendar.get_first_property(Ical.PropertyKind.METHOD_PROPERTY)
    entries = []
    event = calendar.get_first_component(Ical.ComponentKind.VEVENT_COMPONENT)
    while event is not None:
        entries.append(_entry(event))
        event = calendar.get_next_component(Ical.ComponentKind.VEVENT_COMPONENT)
    return {"method": method and method.get_value_as_string(), "entries": entries}


def _entry(event: Any) -> dict[str, Any]:
    kind = Ical.PropertyKind
    return {
        "uid": event.get_uid(),
        "sequence": event.get_sequence(),
        "status": Ical.Property.status_to_string(event.get_status()),
        "start": _moment(event.get_dtstart()),
        "end": _moment(event.get_dtend()),
        "summary": event.get_summary(),
        "description": event.get_description(),
        "location": event.get_location(),
        "url": next((each.get_url() for each in _all(event, kind.URL_PROPERTY)), None),
        "organizer": next(_person(each)[:2] for each in _all(event, kind.ORGANIZER_PROPERTY)),
        "attendees": [_person(each) for each in _all(event, kind.ATTENDEE_PROPERTY)],
    }


def _moment(time: Any) -> str:
    assert time.is_utc()
    date, clock = time.get_date(), time.get_time()
    return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+0000".format(*date, *clock)


def _all(event: Any, kind: Any) -> list[Any]:
    found, each = [], event.get_first_property(kind)
    while each is not None:
        found.append(each)
        each = event.get_next_property(kind)
    return found


def _person(person: Any) -> list[str | None]:
    return [
        person.get_value_as_string(),
        person.get_parameter_as_string("CN"),
        person.get_parameter_as_string("PARTSTAT"),
    ]


json.dump({name: read(text) for name, text in json.load(sys.stdin).items()}, sys.stdout)

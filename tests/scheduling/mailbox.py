"""Notifications to Alice, the host, and to John, the invitee."""

from datetime import timedelta
from typing import Any

from icalendar import Calendar

from tests.outbox import address_of, content_of, rows
from tests.pages import START

HOST, JOHN = "alice@example.com", "john@example.com"


def told(since: int = 0) -> list[tuple[str, str, str]]:
    """Return kind, address and state of all rows after the first `since` ones."""
    return [(row.kind, address_of(row), row.state) for row in rows()[since:]]


def mail(address: str, kind: str) -> dict[str, Any]:
    """Return the content of the last email of this kind to this address."""
    *_earlier, row = [row for row in rows("email", kind=kind) if address_of(row) == address]
    return content_of(row)


def subjects(kind: str) -> dict[str, str]:
    return {address: mail(address, kind)["subject"] for address in (HOST, JOHN)}


def pushed() -> list[tuple[str, str]]:
    found = [content_of(row) for row in rows("push")]
    return [(content["title"], content["body"]) for content in found]


def sentence(address: str, kind: str) -> str:
    """Return the text between an email's greeting and its facts."""
    _greeting, said, *_rest = mail(address, kind)["text"].split("\n\n")
    return str(said)


def event_of(content: dict[str, Any]) -> Any:
    """Return the only entry of the email's calendar object."""
    (event,) = Calendar.from_ical(content["ics"]).walk("VEVENT")
    return event


def entry(content: dict[str, Any]) -> dict[str, Any]:
    """Return the calendar entry that the email carries."""
    event = event_of(content)
    return {
        "method": content["ics_method"],
        "uid": str(event["UID"]),
        "sequence": event["SEQUENCE"],
        "status": str(event["STATUS"]),
        "summary": str(event["SUMMARY"]),
        "location": str(event["LOCATION"]),
        "start": event["DTSTART"].dt,
        "end": event["DTEND"].dt,
        "organizer": str(event["ORGANIZER"]),
        "attendees": [
            (str(person), person.params["CN"], person.params["PARTSTAT"])
            for person in event["ATTENDEE"]
        ],
    }


def changes_of(content: dict[str, Any]) -> tuple[str, int, str]:
    found = entry(content)
    return found["method"], found["sequence"], found["status"]


def reminders() -> list[tuple[str, str, timedelta, str]]:
    """Return address, channel, time before the start, and state of each reminder."""
    found = rows(kind__in=["booking_reminder", "booking-reminder"])
    return sorted((address_of(row), row.channel, row.due_at - START, row.state) for row in found)

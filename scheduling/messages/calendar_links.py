"""Links that add an entry to a calendar on the web."""

from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode


class CalendarLink(NamedTuple):
    """Name of a web calendar, and the URL at which it takes the entry."""

    name: str
    url: str


def links(
    *, title: str, start: datetime, end: datetime, details: str, location: str
) -> list[CalendarLink]:
    """Return the links of Google and of Outlook, for people and for companies.

    The times are aware.
    """
    basic, extended = "%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%SZ"
    begins, ends = start.astimezone(UTC), end.astimezone(UTC)
    google = {
        "action": "TEMPLATE",
        "text": title,
        "dates": f"{begins:{basic}}/{ends:{basic}}",
        "details": details,
        "location": location,
    }
    outlook = urlencode(
        {
            "rru": "addevent",
            "subject": title,
            "startdt": f"{begins:{extended}}",
            "enddt": f"{ends:{extended}}",
            "body": details,
            "location": location,
        }
    )
    return [
        CalendarLink("Google", f"https://calendar.google.com/calendar/render?{urlencode(google)}"),
        CalendarLink("Outlook", f"https://outlook.live.com/calendar/0/action/compose?{outlook}"),
        CalendarLink(
            "Microsoft 365", f"https://outlook.office.com/calendar/0/action/compose?{outlook}"
        ),
    ]

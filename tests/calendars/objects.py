"""Calendar objects that tests write to servers."""

from tests.calendars.ics import calendar, entry


def calendar_object(
    uid: str, *, start: str = "20261201T100000Z", end: str = "20261201T110000Z"
) -> str:
    """Return a calendar object that strict servers take too."""
    return calendar(
        "PRODID:-//tests//EN",
        entry(
            "DTSTAMP:20261130T000000Z",
            f"DTSTART:{start}",
            f"DTEND:{end}",
            f"SUMMARY:Entry {uid}",
            uid=uid,
        ),
    )

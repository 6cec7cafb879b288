"""Calendar objects that tests write."""

from itertools import count

_numbers = count(1)


def entry(uid: str, *, start: str = "20261201T100000Z", end: str = "20261201T110000Z") -> str:
    """Return a calendar object with one entry."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//tests//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20261130T000000Z",
        f"DTSTART:{start}",
        f"DTEND:{end}",
        f"SUMMARY:Entry {uid}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


def new_name(stem: str) -> str:
    """Return a name that no other calendar of this process has."""
    return f"{stem}{next(_numbers)}"

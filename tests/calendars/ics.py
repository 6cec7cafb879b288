"""Calendar texts for tests, and what becomes of them."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from calendars.rules.expansion import Occurrence, Unreadable, Window, expand

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    """Return the instant of a time in UTC, such as `2026-12-01 09:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


WINDOW = Window(at("2026-11-29"), at("2028-01-04"))


def entry(*lines: str, uid: str = "1@example.com") -> str:
    """Return a VEVENT of these content lines."""
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"])


def calendar(*components: str) -> str:
    """Return a VCALENDAR of these components and content lines."""
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *components, "END:VCALENDAR", ""])


def expanded(
    text: str,
    *,
    window: Window = WINDOW,
    zone: ZoneInfo = BERLIN,
    owner: Iterable[str] = ("ada@example.com",),
    seconds: float = 60,
) -> list[Occurrence]:
    until = time.monotonic() + seconds
    return expand(text, window=window, zone=zone, owner=frozenset(owner), until=until)


def times(text: str, *, window: Window = WINDOW, zone: ZoneInfo = BERLIN) -> list[str]:
    """Return the start and the end of each occurrence in UTC, such as `2026-12-01 09:00/10:00`."""
    return [
        f"{_written(each.start)}/{_written(each.end)[11 if _is_within_a_day(each) else 0 :]}"
        for each in expanded(text, window=window, zone=zone)
    ]


def refusal(text: str, *, window: Window = WINDOW, seconds: float = 60) -> str:
    """Return why a text cannot be read. Empty if it can."""
    try:
        expanded(text, window=window, seconds=seconds)
    except Unreadable as error:
        return error.code
    return ""


def _written(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def _is_within_a_day(each: Occurrence) -> bool:
    return _written(each.start)[:10] == _written(each.end)[:10]

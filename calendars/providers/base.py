"""Calendar servers as the rest of the app sees them, whatever they speak."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

_COLOR = re.compile(r"(#[0-9a-f]{6})([0-9a-f]{2})?")


@dataclass(frozen=True)
class RemoteCalendar:
    """A calendar of an account.

    `color` is `#rrggbb` and `timezone` an IANA name. Each is empty if the server tells none.
    """

    href: str
    name: str
    color: str
    timezone: str
    is_writable: bool


@dataclass(frozen=True)
class RemoteItem:
    """One calendar object: a VCALENDAR with all components of a UID."""

    href: str
    etag: str
    text: str


@dataclass(frozen=True)
class Known:
    """The token of the last reading, and the ETag of what is held, by href."""

    token: str
    etags: Mapping[str, str]


@dataclass(frozen=True)
class Changes:
    """The difference between a calendar and what is known of it.

    `gone` are hrefs that the server says it has deleted. If `is_full`, the calendar has nothing but
    `items` and `same`: hrefs that the server lists, and of which what is held stays. `unreadable`
    counts objects that the server lists and did not hand out; they are asked for again next time.
    """

    items: Sequence[RemoteItem]
    gone: Sequence[str]
    token: str
    is_full: bool
    same: Collection[str]
    unreadable: int


def plain_color(written: str) -> str:
    """Return `#rrggbb` for it, without the opacity that Apple adds. Empty for other texts."""
    found = _COLOR.fullmatch(written.strip().lower())
    return found[1] if found else ""


class ProviderError(Exception):
    """The server did not do what was asked. The code is an error class, and all there is to tell.

    `unauthorized`, `forbidden`, `not_found`, `not_a_calendar`, `too_large`, `conflict`,
    `invalid_answer`, a status as `http_503`, or a code of `SendError`. Addresses and answers can
    hold secrets, so neither is in it.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Provider(Protocol):
    """An account on a calendar server.

    It is made with its credentials and the time (`time.monotonic`) by which every request has
    ended. Every method raises ProviderError. Hrefs have one spelling each, so they can be compared.
    """

    def calendars(self) -> list[RemoteCalendar]: ...

    def changes(self, href: str, known: Known) -> Changes:
        """Return the changes of this calendar since the last reading."""
        ...

    def get(self, href: str) -> RemoteItem | None:
        """Return the object, or None if it is gone."""
        ...

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        """Return the object of this calendar with this UID, wherever it is. None if none has it."""
        ...

    def put(self, href: str, text: str, *, etag: str) -> str:
        """Write the object, and return its new ETag. It is empty if the server tells none.

        Without an `etag` the object must not exist yet. `conflict` if it is another one by now.
        """
        ...

    def delete(self, href: str, *, etag: str) -> None:
        """Delete the object. One that is gone counts as deleted."""
        ...

    def href_for(self, calendar: str, uid: str) -> str:
        """Return where an object with this UID is to be written."""
        ...

"""Sources of what Parley puts into people's calendars. Each upper app registers its own."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from accounts.models import User


class Upcoming(NamedTuple):
    """A row that is to stand in a calendar."""

    number: int
    uid: str
    ends_at: datetime


class Source(ABC):
    """Bookings or meetings, as they stand in a person's calendar."""

    @abstractmethod
    def own(self, uids: Collection[str], *, user: User) -> set[str]:
        """Return which of these UIDs are of this person's rows: they have claims of their own."""

    @abstractmethod
    def text(self, number: int, *, user: User, now: datetime) -> str | None:
        """Return the calendar object of the row with this number, for this person's calendar.

        None if nothing is to stand there now.
        """

    @abstractmethod
    def upcoming(self, *, user: User, now: datetime, most: int) -> Sequence[Upcoming]:
        """Return at most so many rows that are to stand there and have not begun."""

    @abstractmethod
    def pieces(
        self, *, user: User, since: datetime, now: datetime, shows_titles: bool, most: int
    ) -> Iterator[bytes]:
        """Yield what stands in this person's feed and ends after `since`: at most so many."""


_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Have this source answer for the rows of this name."""
    _sources[name] = source


def of(name: str) -> Source:
    return _sources[name]


def named() -> Collection[tuple[str, Source]]:
    """Return all sources with their names."""
    return _sources.items()

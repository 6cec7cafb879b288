"""Personal data in outside calendars. See `core.people.privacy`."""

from collections.abc import Iterator
from datetime import datetime

from core.people.privacy import File, Outdated


def export(*, person_id: int, now: datetime) -> Iterator[File]:
    yield from ()


def consequences(*, person_id: int, now: datetime) -> Iterator[str]:
    yield from ()


def erase(*, person_id: int, now: datetime) -> None:
    """Nothing is kept yet."""


def outdated(*, now: datetime) -> Iterator[Outdated]:
    yield from ()

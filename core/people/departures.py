"""What becomes of what is to come when somebody is deactivated or leaves a team, floor by floor.

Each floor with such things has a module of this shape, named in `settings.DEPARTURES`.
"""

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings


@dataclass(frozen=True)
class Coming:
    """One thing to come: what it is in words, when it starts, and its staff page."""

    name: str
    start: datetime
    url: str


class Part(Protocol):
    """One floor's."""

    def coming(self, *, person_id: int, now: datetime, most: int) -> list[Coming]:
        """Return the first `most` things to come with this person."""

    def call_off(self, *, person_id: int, staff_id: int, now: datetime, most: int) -> int:
        """Cancel the first `most` of them as staff, each in a transaction; how many that was."""

    def hold_team(self, *, person_id: int, team_id: int) -> None:
        """Lock what waits between this person and others in the team: that comes before people."""

    def leave_team(self, *, person_id: int, team_id: int, now: datetime) -> None:
        """End what waits between this person and others in the team that they have left."""


def _parts() -> list[Part]:
    return [cast(Part, import_module(name)) for name in settings.DEPARTURES]


def coming(*, person_id: int, now: datetime, most: int) -> list[Coming]:
    """Return the first `most` things to come with this person, by their start."""
    found = [
        each for part in _parts() for each in part.coming(person_id=person_id, now=now, most=most)
    ]
    return sorted(found, key=lambda each: each.start)[:most]


def call_off(*, person_id: int, staff_id: int, now: datetime, most: int) -> int:
    """Cancel the first `most` things to come with this person as staff; how many that was.

    Not in a transaction: each is cancelled and told in one of its own.
    """
    count = 0
    for part in _parts():
        left = most - count
        if left > 0:
            count += part.call_off(person_id=person_id, staff_id=staff_id, now=now, most=left)
    return count


def hold_team(*, person_id: int, team_id: int) -> None:
    """Lock what waits between this person and others in the team, before anybody is locked."""
    for part in _parts():
        part.hold_team(person_id=person_id, team_id=team_id)


def leave_team(*, person_id: int, team_id: int, now: datetime) -> None:
    """End what waits between this person and others in a team that they have left.

    In the transaction that takes them out of it. Where `hold_team` was not called first, or more
    came since, this may deadlock with an answer: so the caller runs it in `core.db.retrying`.
    """
    for part in _parts():
        part.leave_team(person_id=person_id, team_id=team_id, now=now)

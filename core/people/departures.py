"""Future appointments of a person who is deactivated or leaves a team, app by app.

Each app with such appointments has a module of this shape, named in `settings.DEPARTURES`.
"""

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings


@dataclass(frozen=True)
class Coming:
    """One future appointment: its name in words, its start, and its staff page."""

    name: str
    start: datetime
    url: str


class Part(Protocol):
    """The future appointments of one app."""

    def coming(self, *, person_id: int, now: datetime, most: int) -> list[Coming]:
        """Return the first `most` future appointments with this person."""

    def call_off(self, *, person_id: int, staff_id: int, now: datetime, most: int) -> int:
        """Cancel the first `most` of them as staff, each in its own transaction.

        Return how many.
        """

    def hold_team(self, *, person_id: int, team_id: int) -> None:
        """Lock what is pending between this person and others in the team.

        Lock it before any person.
        """

    def leave_team(self, *, person_id: int, team_id: int, now: datetime) -> None:
        """End what is pending between this person and others in the team they have left."""


def _parts() -> list[Part]:
    return [cast(Part, import_module(name)) for name in settings.DEPARTURES]


def coming(*, person_id: int, now: datetime, most: int) -> list[Coming]:
    """Return the first `most` future appointments with this person, sorted by start."""
    found = [
        each for part in _parts() for each in part.coming(person_id=person_id, now=now, most=most)
    ]
    return sorted(found, key=lambda each: each.start)[:most]


def call_off(*, person_id: int, staff_id: int, now: datetime, most: int) -> int:
    """Cancel the first `most` future appointments with this person as staff. Return how many.

    Do not call it in a transaction. Each appointment is cancelled, with its notifications, in a
    transaction of its own.
    """
    count = 0
    for part in _parts():
        left = most - count
        if left > 0:
            count += part.call_off(person_id=person_id, staff_id=staff_id, now=now, most=left)
    return count


def hold_team(*, person_id: int, team_id: int) -> None:
    """Lock what is pending between this person and others in the team.

    Call it before locking people.
    """
    for part in _parts():
        part.hold_team(person_id=person_id, team_id=team_id)


def leave_team(*, person_id: int, team_id: int, now: datetime) -> None:
    """End what is pending between this person and others in a team that this person has left.

    Call it in the transaction that ends the membership. It may deadlock with an answer to a pending
    request if `hold_team` was not called first, or if more requests came since. So the caller runs
    it in `core.db.retrying`.
    """
    for part in _parts():
        part.leave_team(person_id=person_id, team_id=team_id, now=now)

"""What goes on reaching into an account by itself, floor by floor, whatever its password is.

Each floor that has such things has a module of this shape, named in `settings.LASTING_ACCESS`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise

from core.db.retrying import retrying


@dataclass(frozen=True)
class Access:
    """One thing that reaches into the account: its kind in words, its name, the page to end it.

    `is_ended` tells whether ending all of them ends it too.
    """

    kind: Promise
    name: str
    page: str
    since: datetime | None = None
    is_ended: bool = True


class Part(Protocol):
    """One floor's."""

    def lasting(self, *, person_id: int, now: datetime) -> Iterator[Access]:
        """Give what reaches into this account now."""

    def end(self, *, person_id: int, now: datetime) -> None:
        """End all of it at once; the caller holds a transaction."""


def _parts() -> list[Part]:
    return [cast(Part, import_module(name)) for name in settings.LASTING_ACCESS]


def lasting(*, person_id: int, now: datetime) -> list[Access]:
    """All that reaches into this account by itself."""
    return [each for part in _parts() for each in part.lasting(person_id=person_id, now=now)]


def end_all(*, person_id: int, now: datetime) -> None:
    """End all of it on every floor, or on none."""

    def write() -> None:
        with transaction.atomic():
            for part in _parts():
                part.end(person_id=person_id, now=now)

    retrying(write)

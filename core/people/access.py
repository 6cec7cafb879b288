"""Lasting access to an account: access that remains when the password changes, app by app.

Each app with such access has a module of this shape, named in `settings.LASTING_ACCESS`.
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
    """One lasting access to the account: its kind in words, its name, and the page that ends it.

    `is_ended` tells whether `end_all` ends it too.
    """

    kind: Promise
    name: str
    page: str
    since: datetime | None = None
    is_ended: bool = True


class Part(Protocol):
    """The lasting access of one app."""

    def lasting(self, *, person_id: int, now: datetime) -> Iterator[Access]:
        """Yield the access to this account that is valid now."""

    def end(self, *, person_id: int, now: datetime) -> None:
        """End all of it at once. The caller holds a transaction."""


def _parts() -> list[Part]:
    return [cast(Part, import_module(name)) for name in settings.LASTING_ACCESS]


def lasting(*, person_id: int, now: datetime) -> list[Access]:
    """Return all lasting access to this account, of every app."""
    return [each for part in _parts() for each in part.lasting(person_id=person_id, now=now)]


def end_all(*, person_id: int, now: datetime) -> None:
    """End the lasting access of every app, or of none."""

    def write() -> None:
        with transaction.atomic():
            for part in _parts():
                part.end(person_id=person_id, now=now)

    retrying(write)

"""Things that a new person finds when they sign in for the first time, app by app.

Each app that gives something has a module of this shape, named in `settings.ARRIVALS`.
"""

from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings


class Part(Protocol):
    """The gift of one app."""

    def arrive(self, *, person_id: int, now: datetime) -> None:
        """Give the person what they lack to begin with."""


def arrive(*, person_id: int, now: datetime) -> None:
    """Give a person what they lack to begin with.

    Call it in the transaction that confirms the first address, with the person locked.
    """
    for name in settings.ARRIVALS:
        cast(Part, import_module(name)).arrive(person_id=person_id, now=now)

"""Outboxes of all apps, for those who look after messages that are stuck.

`manage.py outbox` and the staff pages find rows by this module and act on them. Each app with an
outbox has a module of the shape of `Part`, named in `settings.OUTBOXES`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

from django.conf import settings
from django.db.models import Q, QuerySet

from core.db.outbox import OutboxRow, OutboxState, one_hint, unleased
from core.errors import DomainError


class Change(Protocol):
    """A verb for one row. It opens a transaction, and raises a DomainError if it refuses."""

    def __call__(self, *, pk: int, now: datetime) -> None: ...


@dataclass(frozen=True)
class Outbox:
    """Rows of one table that are sent in one way.

    `kind`, `topic` and `account` are lookups: they say where a row's kind, its topic and the number
    of its account stand. `kinds` returns the kinds that are known. The verbs take any row of the
    table.
    """

    name: str
    rows: QuerySet[Any, Any]
    kind: str
    topic: str
    account: str
    kinds: Callable[[], Sequence[str]]
    requeue: Change
    withdraw: Change


class Part(Protocol):
    """The outboxes of one app: `<app>/domain/outboxes.py`."""

    def outboxes(self) -> Iterable[Outbox]:
        """Return the app's outboxes."""


class Entry(NamedTuple):
    """A row without its content and its address."""

    outbox: str
    id: int
    state: str
    kind: str
    topic: str
    account: int | None
    due_at: datetime
    attempts: int
    last_error: str


@dataclass(frozen=True)
class Search:
    """A question for rows: in one state, and with what else is named."""

    state: OutboxState
    kind: str = ""
    topic: str = ""
    account: int | None = None
    due_before: datetime | None = None


def outboxes() -> list[Outbox]:
    """Return the outboxes of all apps."""
    parts = [cast(Part, import_module(name)) for name in settings.OUTBOXES]
    return [box for part in parts for box in part.outboxes()]


def of_table(model: type[OutboxRow]) -> list[Outbox]:
    """Return the outboxes whose rows are in this table."""
    return [box for box in outboxes() if box.rows.model is model]


def found(box: Outbox, search: Search) -> QuerySet[Any, Any]:
    """Return the rows that the search asks for, those that are due for longest first."""
    rows = box.rows.filter(state=search.state)
    if search.kind:
        rows = rows.filter(**{box.kind: search.kind})
    if search.topic:
        rows = rows.filter(**{box.topic: search.topic})
    if search.account is not None:
        rows = rows.filter(**{box.account: search.account})
    if search.due_before is not None:
        rows = rows.filter(due_at__lte=search.due_before)
    return rows.order_by("due_at", "id")


def entries(
    boxes: Iterable[Outbox], search: Search, *, most: int, only: Q | None = None
) -> list[Entry]:
    """Return the first `most` rows that the search asks for and that meet a condition."""
    named = [
        Entry(box.name, *values)
        for box in boxes
        for values in found(box, search)
        .filter(only or Q())
        .values_list(
            "pk", "state", box.kind, box.topic, box.account, "due_at", "attempts", "last_error"
        )[:most]
    ]
    return sorted(named, key=lambda entry: (entry.due_at, entry.id))[:most]


def leased(box: Outbox, search: Search, *, now: datetime) -> int:
    """Return how many of the rows that the search asks for a worker holds."""
    return found(box, search).exclude(unleased(now)).count()


def change(verb: Change, keys: Iterable[int], *, now: datetime) -> tuple[int, Counter[str]]:
    """Do this to each of these rows, each in a transaction, and tell the workers once.

    Return how many were changed, and the counts of refusals.
    """
    count, refused = 0, Counter[str]()
    with one_hint():
        for pk in keys:
            try:
                verb(pk=pk, now=now)
            except DomainError as error:
                refused[error.message] += 1
            else:
                count += 1
    return count, refused

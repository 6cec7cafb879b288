"""Door through which bookings and meeting requests change their status or time.

Lock order: the row, people in ascending order, the ledger, webhooks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core.db.inserting import insert
from core.db.retrying import retrying
from core.errors import Invalid, InvalidTransition
from scheduling.models.enums import Change, Role, Status
from scheduling.models.lifecycle import L, Lifecycle, LifecycleQuerySet, history_of

R = TypeVar("R", bound=str)

_REASON_LENGTH = 500
_BATCH = 200


@dataclass(frozen=True)
class Actor(Generic[R]):
    """Person or process that changes a row: the role, and the account, if any."""

    role: R
    user: User | None = None


@dataclass(frozen=True)
class Step(Generic[R]):
    """A change that an actor asks for. `sequence` is the one that they saw, if it matters.

    `calendars_as_of` says as of when outside calendars are known, where they could not be read.
    """

    change: Change
    actor: Actor[R]
    now: datetime
    reason: str = ""
    sequence: int | None = None
    calendars_as_of: datetime | None = None


def was_made(locked: Lifecycle, step: Step[Any], present: Status) -> bool:
    """Return whether this actor has brought the row into its present status."""
    if present.value != step.change.value:
        return False
    made = history_of(locked).filter(to_status=present, actor=step.actor.user)
    found: bool = (made if step.actor.user else made.filter(role=step.actor.role)).exists()
    return found


def move(
    row: L,
    step: Step[R],
    *,
    prepare: Callable[[L, Step[R], Status], Status],
    announce: Callable[[L, Step[R], Status], None],
    fields: Iterable[str] = (),
    is_repeated: Callable[[L, Step[R], Status], bool] = was_made,
) -> L:
    """Make a change and its history row in one transaction, and return the locked row.

    Each hook gets the locked row, the step and the present status. `prepare` keeps the ledger, sets
    the columns `fields` and returns the new status. `announce` publishes and notifies. A step that
    `is_repeated` changes nothing. Invalid for a long reason. InvalidTransition where the status
    does not allow the change, or the row has changed since the actor saw it.
    """
    if len(step.reason) > _REASON_LENGTH:
        message = _("The reason is over %(count)d characters long.") % {"count": _REASON_LENGTH}
        raise Invalid(message, field="reason")
    rows: LifecycleQuerySet[L] = type(row)._default_manager.all()  # type: ignore[assignment]

    def write() -> L:
        with transaction.atomic():
            locked = rows.lock(row.pk)
            is_clock, present = step.actor.role == Role.CLOCK, locked.status_at(step.now)
            was = Status(locked.status) if is_clock else present
            if is_repeated(locked, step, was):
                return locked
            is_stale = step.sequence is not None and step.sequence != locked.sequence
            if is_clock:  # somebody may have moved it to a later time meanwhile
                is_stale = present.value != step.change.value
            if is_stale or not locked.allows(step.change, step.actor.role, was):
                message = str(locked.refusal) % {"status": was.label}
                raise InvalidTransition(message, reason=was)
            locked.status = prepare(locked, step, was)
            locked.sequence += 1
            locked.updated_at = step.now
            locked.save(update_fields=["status", "sequence", "updated_at", *fields])
            record(locked, step, was=was)
            announce(locked, step, was)
        return locked

    return retrying(write)


def record(row: L, step: Step[R], *, was: str = "") -> None:
    """Write the history row of a change that is made."""
    history = history_of(row)
    entry = history.model(
        sequence=row.sequence,
        change=step.change,
        from_status=was,
        to_status=row.status,
        start=row.start,
        end=row.end,
        actor=step.actor.user,
        role=step.actor.role,
        reason=step.reason,
        calendars_as_of=step.calendars_as_of,
        at=step.now,
    )
    setattr(entry, history.field.name, row)
    insert(entry)


def overdue_change(row: L, now: datetime) -> Change:
    """Return the change that time has made to an overdue row: expired or completed."""
    return Change(row.status_at(now).value)


def sweep(rows: LifecycleQuerySet[L], verb: Callable[[L], object], *, now: datetime) -> None:
    """Record a batch of overdue rows."""
    move_each(rows.overdue(now).order_by("start", "id")[:_BATCH], verb)


def move_each(rows: Iterable[L], verb: Callable[[L], object]) -> int:
    """Apply a verb to each row and count them. Skip a row that was changed meanwhile."""
    count = 0
    for row in rows:
        try:
            verb(row)
        except InvalidTransition:
            continue
        count += 1
    return count

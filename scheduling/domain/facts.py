"""Facts of a change of a booking or a meeting: what a message tells that cannot be read later."""

import copy
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from notifications.domain.kinds import Facts, Untrue
from scheduling.models.enums import Status
from scheduling.models.lifecycle import L, Lifecycle

GUEST = "guest"
"""The fact `to` of messages to a guest; `guest` is their number."""
USUAL_REMINDERS = (timedelta(days=1), timedelta(minutes=15))
"""Times before the start of a meeting at which reminders are due, longest first."""
_UNANSWERED = timedelta(days=1)


def of(row: Lifecycle, *, now: datetime, **more: Any) -> Facts:
    """Return the present facts of this row, and `more` without what is empty."""
    return {
        "id": row.pk,
        "status": row.status,
        "start": row.start.isoformat(),
        "end": row.end.isoformat(),
        "sequence": row.sequence,
        "at": now.isoformat(),
        **{name: value for name, value in more.items() if value},
    }


def as_of(row: L, facts: Facts) -> L:
    """Return the row with the status, time and sequence that it had at the change."""
    then = copy.copy(row)
    then.status, then.sequence = facts["status"], facts["sequence"]
    then.start, then.end = moment(facts, "start"), moment(facts, "end")
    return then


def moment(facts: Facts, name: str) -> datetime:
    return datetime.fromisoformat(facts[name])


def reminders(
    row: Lifecycle, leads: Sequence[timedelta], *, now: datetime
) -> Iterator[tuple[datetime, str]]:
    """Yield when each reminder of this row is due, and the fact `until` of when it serves.

    `leads` say how long before the start, longest first.
    """
    ends = [*(row.start - lead for lead in leads[1:]), row.start]
    for lead, until in zip(leads, ends, strict=False):
        due_at = row.start - lead
        if due_at > now:
            yield due_at, until.isoformat()


def unanswered_at(row: Lifecycle, *, now: datetime) -> datetime | None:
    """Return when a request that nobody has answered is due for a reminder. None if that is past.

    It is a day before the request expires.
    """
    due_at = row.start - _UNANSWERED
    return due_at if due_at > now else None


def check_reminder(row: Lifecycle, facts: Facts, *, now: datetime) -> None:
    """Raise Untrue for a reminder of what is off, or at another time, or due to the next one."""
    if row.status != Status.CONFIRMED or row.start != moment(facts, "start"):
        raise Untrue("changed")
    if now >= moment(facts, "until"):
        raise Untrue("late")


def check_link(row: Lifecycle, facts: Facts, *, now: datetime) -> None:
    """Raise Untrue for a link of what has changed since, whose message has it, or is over."""
    if row.sequence != facts["sequence"] or row.status_at(now) != Status.CONFIRMED:
        raise Untrue("changed")


def check_request(row: Lifecycle, facts: Facts, *, now: datetime) -> None:
    """Raise Untrue for a message that asks for an answer to what needs none any more."""
    if not waits_for_answer(row, facts, now=now):
        raise Untrue("changed")


def waits_for_answer(row: Lifecycle, facts: Facts, *, now: datetime) -> bool:
    """Return whether this row is still the request that it was at the change."""
    return row.sequence == facts["sequence"] and row.status_at(now) == Status.PENDING

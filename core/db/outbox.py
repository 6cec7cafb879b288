"""Outbox rows: each reports a fact to the outside, and none is lost.

A row commits together with the fact it reports. A worker *claims* a batch of rows (a lease with an
end), sends them with no transaction open, and *settles* those whose lease it still holds. The
Celery message is only a hint, one a transaction, that may be lost, doubled or late. A sweep every
few seconds hands out the rows that are due and the rows that a dead worker left. So everything is
sent at least once, and a crash costs no attempt.
"""

import math
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import structlog
from celery import current_app
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerError
from kombu.pools import producers

from core.ops import circuit, faults

# A send must end within this part of the lease. The rest is for settling.
_SEND_PART = 0.75
# How long a broker that does not answer may delay the caller.
_HINT_SECONDS = 0.3
# After a lost hint, no other is sent for this long, so that one caller waits and not all.
_QUIET_SECONDS = 1.0
_quiet_until = 0.0

log = structlog.get_logger(__name__)


class OutboxState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    WITHDRAWN = "withdrawn", _("withdrawn")


class OutboxRow(models.Model):
    """An outbox row: a message to send, its due time and its state."""

    state = models.CharField(
        max_length=10, choices=OutboxState.choices, default=OutboxState.WAITING, editable=False
    )
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    due_at = models.DateTimeField(_("due"))
    lease = models.CharField(max_length=22, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)

    # The end of the send, by `time.monotonic()`, so that the lease lasts longer than the send.
    send_by = math.inf

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                "due_at", "id", condition=Q(state=OutboxState.WAITING), name="%(class)s_due"
            ),
            # Few rows: it costs a row that is sent nothing.
            models.Index(
                "due_at", "id", condition=Q(state=OutboxState.FAILED), name="%(class)s_failed"
            ),
        ]

    def seconds_to_send(self) -> float:
        """Return the seconds that a send of this row may still take. The number may be negative."""
        return self.send_by - time.monotonic()


Row = TypeVar("Row", bound=OutboxRow)


def unleased(now: datetime) -> Q:
    """Return the condition for rows that no worker holds."""
    return Q(lease_until=None) | Q(lease_until__lte=now)


def claim(rows: "models.QuerySet[Row]", *, now: datetime, most: int) -> list[Row]:
    """Lease the first `most` of these rows that are due and have no lease, under one lease."""
    # Before the wait for the database: the lease is counted from `now`.
    send_by = time.monotonic() + settings.OUTBOX_LEASE_SECONDS * _SEND_PART
    lease, until = secrets.token_urlsafe(16), now + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
    with transaction.atomic(savepoint=False):
        free = (
            rows.filter(state=OutboxState.WAITING, due_at__lte=now)
            .filter(unleased(now))
            .select_for_update(skip_locked=True, of=("self",))
        )
        claimed = list(free.order_by("due_at", "id")[:most])
        if claimed:
            _of(claimed).update(lease=lease, lease_until=until)
            faults.point("outbox.claiming")
    for row in claimed:
        row.lease, row.lease_until, row.send_by = lease, until, send_by
    return claimed


def settle(rows: Sequence[Row], *, state: OutboxState, now: datetime, error: str = "") -> int:
    """Record how an attempt at each of these rows ended. Return how many were settled.

    A row whose lease this worker no longer holds is not changed.
    """
    return _release(
        rows, attempts=F("attempts") + 1, state=state, settled_at=now, last_error=error[:200]
    )


def retry_later(row: Row, *, now: datetime, error: str, delay: timedelta | None) -> int:
    """Put the row back for an attempt after `delay`.

    None: it was the last attempt, and the row failed. Return 0, and change nothing, if this worker
    no longer holds the lease.
    """
    if delay is None:
        return settle([row], state=OutboxState.FAILED, now=now, error=error)
    return _release([row], attempts=F("attempts") + 1, due_at=now + delay, last_error=error[:200])


def give_back(rows: Sequence[Row]) -> int:
    """End the lease of rows that were claimed and not tried. It costs them no attempt."""
    return _release(rows)


def _of(rows: Sequence[Row]) -> "models.QuerySet[Row]":
    return type(rows[0])._default_manager.filter(pk__in=[row.pk for row in rows])


def _release(rows: Sequence[Row], **outcome: Any) -> int:
    if not rows:
        return 0
    held = _of(rows).filter(lease__in={row.lease for row in rows}, state=OutboxState.WAITING)
    return held.update(lease="", lease_until=None, **outcome)


def withdraw(rows: "models.QuerySet[Row]", *, now: datetime) -> int:
    """Withdraw the rows that have not been sent. Return how many were withdrawn."""
    waiting = rows.filter(state=OutboxState.WAITING)
    return waiting.update(state=OutboxState.WITHDRAWN, settled_at=now, lease="", lease_until=None)


def take_back(rows: "models.QuerySet[Row]", *, now: datetime) -> int:
    """Withdraw the rows that wait or have failed. Return how many were withdrawn.

    Rows that a worker holds are left alone: they may be sent already.
    """
    unsent = rows.filter(unleased(now), state__in=[OutboxState.WAITING, OutboxState.FAILED])
    return unsent.update(state=OutboxState.WITHDRAWN, settled_at=now, lease="", lease_until=None)


def retry_now(rows: "models.QuerySet[Row]", *, now: datetime) -> int:
    """Make the rows due that wait for a retry. Return how many; attempts start at 0.

    Rows that a worker holds are left alone, and so are rows that were never tried: a reminder waits
    for its time.
    """
    put_off = rows.filter(unleased(now), state=OutboxState.WAITING, attempts__gt=0)
    return put_off.update(due_at=now, attempts=0, lease="", lease_until=None)


def requeue(rows: "models.QuerySet[Row]", *, now: datetime) -> int:
    """Send rows again that failed, were sent or were withdrawn.

    Return how many; attempts start at 0.
    """
    ended = rows.exclude(state=OutboxState.WAITING)
    return ended.update(
        state=OutboxState.WAITING, attempts=0, due_at=now, settled_at=None, last_error=""
    )


def hint(task: str, *args: int | str) -> None:
    """Tell the workers after the commit that there is work for the task of this name.

    All hints of a transaction are one message. A failure to send it never reaches the caller.
    """
    connection = transaction.get_connection()
    for savepoints, hook, _robust in connection.run_on_commit:
        # Rolled back only if this call is rolled back too.
        if isinstance(hook, _Hints) and savepoints <= set(connection.savepoint_ids):
            hook.tasks[(task, *args)] = None
            return
    transaction.on_commit(_Hints(task, *args), robust=True)


class _Hints:
    """The tasks to tell the workers about when the transaction commits, each once."""

    def __init__(self, task: str, *args: int | str) -> None:
        self.tasks: dict[tuple[int | str, ...], None] = {(task, *args): None}
        # Django names the hook that fails.
        self.__qualname__ = "hints"

    def __call__(self) -> None:
        gathered = _gathered.get()
        if gathered is None:
            _send(self.tasks)
        else:
            gathered.update(self.tasks)


# Hints of the transactions inside of `one_hint`.
_gathered: ContextVar[dict[tuple[int | str, ...], None] | None] = ContextVar(
    "gathered", default=None
)


@contextmanager
def one_hint() -> Iterator[None]:
    """Send the hints of all transactions inside as one message at the end."""
    gathered: dict[tuple[int | str, ...], None] = {}
    token = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(token)
        if gathered:
            _send(gathered)


def _send(tasks: Iterable[tuple[int | str, ...]]) -> None:
    first, *others = tasks
    if others:
        send_hint("core.tasks.hand_on", [first, *others])
    else:
        send_hint(str(first[0]), *first[1:])


def send_hint(task: str, *args: object) -> None:
    """Send this hint at once. Without a broker it is lost, and the sweep finds the rows."""
    global _quiet_until  # noqa: PLW0603  one broker per process
    if time.monotonic() < _quiet_until:
        return
    try:
        with producers[_broker()].acquire(block=True) as producer:
            current_app.send_task(
                task, args, producer=producer, retry=False, expires=settings.MESSAGE_SECONDS
            )
        faults.point("outbox.hinted")
    except (BrokerError, OSError) as error:
        # The broker's address stays out of the log.
        log.warning("hint_lost", task=task, error=circuit.reason_of(error))
        _quiet_until = time.monotonic() + _QUIET_SECONDS


@cache
def _broker() -> Connection:
    """Return the connection for hints.

    A worker waits for a broker that is away; a caller must not.
    """
    impatient = {
        "socket_connect_timeout": _HINT_SECONDS,
        "socket_timeout": _HINT_SECONDS,
        "max_retries": 0,
    }
    connection: Connection = current_app.connection_for_write(transport_options=impatient)
    return connection

"""Results of attempts, in words. Only staff see the body of an answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.db.outbox import OutboxState
from webhooks.models import Attempt, Delivery

_ERRORS: dict[str, Promise] = {
    "blocked_address": _("the address is not public"),
    "invalid_url": _("the address cannot be used"),
    "dns": _("the name of the host was not found"),
    "refused": _("nothing answers at this address"),
    "tls": _("no secure connection: the certificate was not accepted, or there is none"),
    "timeout": _("no answer in time"),
    "invalid_answer": _("what came back was not HTTP"),
    "inactive": _("the webhook was inactive"),
    "interrupted": _("Parley was interrupted"),
    "internal": _("a fault of Parley’s own"),
}
STATES: dict[str, Promise] = {
    OutboxState.WAITING: _("Waiting"),
    OutboxState.SENT: _("Delivered"),
    OutboxState.FAILED: _("Failed"),
}
_PILLS = {
    OutboxState.WAITING: "pending",
    OutboxState.SENT: "confirmed",
    OutboxState.FAILED: "rejected",
}


def outcome(attempt: Attempt) -> str:
    """Return `HTTP 204`, or the reason why there was no answer."""
    if attempt.response_code is not None:
        return gettext("HTTP %(code)s") % {"code": attempt.response_code}
    return in_words(attempt.error)


def in_words(error: str) -> str:
    return str(_ERRORS.get(error, error))


@dataclass(frozen=True)
class AttemptLine:
    """One attempt, as the log shows it."""

    attempt: Attempt
    outcome: str


@dataclass(frozen=True)
class Line:
    """One delivery in the log."""

    delivery: Delivery
    state: Promise
    pill: str
    attempts: list[AttemptLine]
    # The reason of the failure, if no attempt shows it.
    error: str
    # The time of the next attempt. None if there is none.
    next_at: datetime | None

    @property
    def is_waiting(self) -> bool:
        return self.next_at is not None


def lines_of(deliveries: Iterable[Delivery]) -> list[Line]:
    """Return a log line for each delivery.

    Prefetch their events and attempts (`prefetch_related`).
    """
    return [_line(delivery) for delivery in deliveries]


def _line(delivery: Delivery) -> Line:
    state, attempts = OutboxState(delivery.state), list(delivery.attempt_rows.all())
    told = {attempt.error for attempt in attempts}
    return Line(
        delivery=delivery,
        state=STATES[state],
        pill=_PILLS[state],
        attempts=[AttemptLine(attempt, outcome(attempt)) for attempt in attempts],
        error="" if delivery.last_error in told else in_words(delivery.last_error),
        next_at=delivery.due_at if state is OutboxState.WAITING else None,
    )

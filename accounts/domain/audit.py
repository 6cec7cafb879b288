"""The audit log: what was done to accounts, and by staff."""

from datetime import datetime

from structlog.contextvars import get_contextvars

from accounts.models import AuditEntry, User
from core.web import clients

Action = AuditEntry.Action
_LONGEST_SUBJECT = 300


def record(
    action: Action,
    *,
    now: datetime,
    person: User | None = None,
    actor: User | None = None,
    subject: str = "",
) -> None:
    """Write an entry, in the caller's transaction if there is one.

    `person` is whose account it concerns, `actor` who did it; `subject` says to what, in words,
    without a secret. The address and the number of the request that is being answered are added.
    """
    AuditEntry.objects.create(
        at=now,
        action=action,
        person=person,
        actor=actor,
        subject=subject[:_LONGEST_SUBJECT],
        address=clients.current(),
        request_id=get_contextvars().get("request_id", ""),
    )

"""Size and age of the rows that wait in an outbox, for the metrics of each app with an outbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.db.models.functions import Coalesce
from prometheus_client import Metric

from core.db.outbox import OutboxRow, OutboxState
from core.ops.metrics import gauge

_HOUR = timedelta(hours=1)


def families(model: type[OutboxRow], now: datetime) -> Iterator[Metric]:
    """Yield the number and age of due rows, and the number of rows that failed in the last hour."""
    table = (model._meta.db_table,)
    rows = model._default_manager.order_by()
    due = rows.filter(state=OutboxState.WAITING, due_at__lte=now)
    found = due.aggregate(count=Count("pk"), oldest=Min("due_at"))
    age = now - found["oldest"] if found["oldest"] else timedelta(0)
    failed = rows.filter(state=OutboxState.FAILED, settled_at__gt=now - _HOUR).count()
    for name, help_, value in (
        ("parley_outbox_due", "Rows that are due and not settled.", found["count"]),
        ("parley_outbox_oldest_due_seconds", "Age of the oldest of them.", age.total_seconds()),
        ("parley_outbox_failed_last_hour", "Rows that were given up in the last hour.", failed),
    ):
        yield gauge(name, help_, ["table"], {table: value})


def waited(rows: "QuerySet[Any, Any]", now: datetime) -> timedelta:
    """Return how long the oldest of these rows has waited for a worker to claim it.

    A row whose worker died counts from the end of its lease.
    """
    free = rows.filter(state=OutboxState.WAITING, due_at__lte=now).exclude(lease_until__gt=now)
    since = free.order_by().aggregate(since=Min(Coalesce("lease_until", "due_at")))["since"]
    return now - since if since else timedelta(0)

"""What this floor measures of its own work. See `core.ops.metrics`."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet
from prometheus_client import Metric

from core.ops.metrics import RECENT, gauge
from scheduling.models import Booking, HistoryEntry
from scheduling.models.enums import Change, Status


def families(now: datetime) -> Iterator[Metric]:
    recent = HistoryEntry.objects.filter(at__gt=now - RECENT).order_by()
    counts = dict(recent.values_list("change").annotate(count=Count("pk")))
    yield gauge(
        "parley_booking_changes_last_5m",
        "Changes of bookings in the last five minutes.",
        ["change"],
        {(change,): counts.get(change, 0) for change in Change.values},
    )


def behind(now: datetime) -> Mapping[str, timedelta]:
    return {"bookings": overdue(Booking.objects.all(), now)}


def overdue(rows: "QuerySet[Any, Any]", now: datetime) -> timedelta:
    """For how long the sweep should have moved the oldest of these on; meetings' too.

    Status by status, for each of which there is an index; of what both are in there is none.
    """
    pending = rows.filter(status=Status.PENDING, start__lte=now)
    confirmed = rows.filter(status=Status.CONFIRMED, end__lte=now)
    ends = [
        pending.order_by().aggregate(since=Min("start"))["since"],
        confirmed.order_by().aggregate(since=Min("end"))["since"],
    ]
    return max((now - since for since in ends if since), default=timedelta(0))

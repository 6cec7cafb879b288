"""Metrics of bookings. See `core.ops.metrics`."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Count
from prometheus_client import Metric

from core.ops.metrics import RECENT, gauge
from scheduling.models import Booking, HistoryEntry
from scheduling.models.enums import Change


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
    return {"bookings": Booking.objects.behind(now)}

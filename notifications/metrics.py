"""Metrics of notifications. See `core.ops.metrics`."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Count
from prometheus_client import Metric

from core.db import backlog
from core.db.outbox import OutboxState
from core.ops.metrics import RECENT, gauge
from notifications.models import Notification

_OUTCOMES = (OutboxState.SENT, OutboxState.FAILED, OutboxState.WITHDRAWN)


def families(now: datetime) -> Iterator[Metric]:
    yield from backlog.families(Notification, now)
    settled = Notification.objects.filter(settled_at__gt=now - RECENT).order_by()
    none = {(channel, outcome): 0 for channel in Notification.Channel for outcome in _OUTCOMES}
    counts = settled.values_list("channel", "state").annotate(count=Count("pk"))
    yield gauge(
        "parley_notifications_last_5m",
        "Notifications that were settled in the last five minutes, by what came of them.",
        ["channel", "outcome"],
        none | {(channel, state): count for channel, state, count in counts},
    )


def behind(now: datetime) -> Mapping[str, timedelta]:
    return {"notifications": backlog.waited(Notification.objects.all(), now)}

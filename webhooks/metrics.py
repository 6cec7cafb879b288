"""Metrics of webhooks. See `core.ops.metrics`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Count
from prometheus_client import Metric

from core.db import backlog
from core.db.outbox import OutboxState
from core.ops.metrics import RECENT, gauge
from webhooks.models import Attempt, Delivery, Webhook

# Shown even if their count is 0, so that an alert has a series to watch.
_USUAL = ("delivered", "http_3xx", "http_4xx", "http_5xx", "refused", "timeout")


def families(now: datetime) -> Iterator[Metric]:
    yield from backlog.families(Delivery, now)
    recent = Attempt.objects.filter(at__gt=now - RECENT).order_by()
    outcomes = Counter(dict.fromkeys(_USUAL, 0))
    for error, count in recent.values_list("error").annotate(count=Count("pk")):
        outcomes[_outcome(error)] += count
    yield gauge(
        "parley_webhook_attempts_last_5m",
        "Attempts to tell a webhook in the last five minutes, by what came of them.",
        ["outcome"],
        {(outcome,): count for outcome, count in outcomes.items()},
    )


def _outcome(error: str) -> str:
    """Return the outcome for the metric: `http_5xx` for `http_503`, to have few series."""
    if not error:
        return "delivered"
    return f"{error[:6]}xx" if error.startswith("http_") else error


def behind(now: datetime) -> Mapping[str, timedelta]:
    """Return how long deliveries have waited, by sweep.

    Accounts with a delivery under way are left out: they have their share, so the sweep is not
    behind.
    """
    under_way = Delivery.objects.filter(state=OutboxState.WAITING, lease_until__gt=now)
    rows = Delivery.objects.filter(webhook__status=Webhook.Status.ACTIVE)
    idle = rows.exclude(webhook__owner__in=under_way.order_by().values("webhook__owner"))
    return {"deliveries": backlog.waited(idle, now)}

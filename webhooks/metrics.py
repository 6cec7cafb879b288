"""What this floor measures of its own work. See `core.ops.metrics`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Count
from prometheus_client import Metric

from core.db import backlog
from core.db.outbox import OutboxState
from core.ops.metrics import RECENT, gauge
from webhooks.models import Attempt, Delivery, Webhook

# Told of even while nothing comes to it, so that an alert has something to look at.
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
    """`http_503` is one of `http_5xx`: there are few of those."""
    if not error:
        return "delivered"
    return f"{error[:6]}xx" if error.startswith("http_") else error


def behind(now: datetime) -> Mapping[str, timedelta]:
    """An account that is being told something has its share: the sweep is not behind with it."""
    under_way = Delivery.objects.filter(state=OutboxState.WAITING, lease_until__gt=now)
    rows = Delivery.objects.filter(webhook__status=Webhook.Status.ACTIVE)
    idle = rows.exclude(webhook__owner__in=under_way.order_by().values("webhook__owner"))
    return {"deliveries": backlog.waited(idle, now)}

"""Metrics of outside calendars. See `core.ops.metrics`."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.db.models.functions import Coalesce
from prometheus_client import Metric

from calendars.domain import reading
from calendars.models import CalendarAccount, Push
from core.db import backlog
from core.ops.metrics import gauge


def families(now: datetime) -> Iterator[Metric]:
    yield from backlog.families(Push, now)
    accounts = CalendarAccount.objects.filter(is_ending=False, user__is_active=True).order_by()
    counts = dict(accounts.values_list("state").annotate(count=Count("pk")))
    yield gauge(
        "parley_calendar_accounts",
        "Accounts at calendar servers, by whether they can be read.",
        ["state"],
        {(state,): counts.get(state, 0) for state in CalendarAccount.State.values},
    )
    readable = accounts.filter(state=CalendarAccount.State.OK)
    oldest = readable.aggregate(at=Min("read_at"))["at"]
    age = now - oldest if oldest else timedelta(0)
    yield gauge(
        "parley_calendar_oldest_reading_seconds",
        "Age of the oldest last reading of an account that can be read.",
        [],
        {(): age.total_seconds()},
    )


def behind(now: datetime) -> Mapping[str, timedelta]:
    """Return how long an account has waited to be read, or an entry to be written."""
    due = CalendarAccount.objects.filter(reading.due(now)).order_by()
    since = due.aggregate(since=Min(Coalesce("lease_until", "due_at")))["since"]
    unread = now - since if since else timedelta(0)
    return {"calendars": max(unread, backlog.waited(Push.objects.all(), now))}

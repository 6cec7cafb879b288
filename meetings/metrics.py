"""Metrics of meeting requests. See `core.ops.metrics`."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Count
from prometheus_client import Metric

from core.ops.metrics import RECENT, gauge
from meetings.models import HistoryEntry, MeetingRequest
from scheduling.models.enums import Status


def families(now: datetime) -> Iterator[Metric]:
    recent = HistoryEntry.objects.filter(at__gt=now - RECENT).order_by()
    counts = dict(recent.values_list("to_status").annotate(count=Count("pk")))
    yield gauge(
        "parley_meeting_changes_last_5m",
        "Meetings that came into a status in the last five minutes.",
        ["status"],
        {(status,): counts.get(status, 0) for status in Status.values},
    )


def behind(now: datetime) -> Mapping[str, timedelta]:
    return {"meetings": MeetingRequest.objects.behind(now)}

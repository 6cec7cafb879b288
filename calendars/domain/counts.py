"""Numbers of a calendar that its owner sees, in the query that reads the calendar."""

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from calendars.models import Calendar, Item, Push
from core.db.outbox import OutboxState


def with_counts(calendars: "QuerySet[Calendar, Calendar]") -> "QuerySet[Calendar, Any]":
    """Add `entry_count`, `unreadable_count` and `unwritten_count` to each calendar.

    A series counts as one entry. The bookings and meetings that Parley wrote there do not count.
    """
    items = Item.objects.all()
    return calendars.annotate(
        entry_count=_count_of(items.filter(error="", is_own=False)),
        unreadable_count=_count_of(items.exclude(error="")),
        unwritten_count=_count_of(Push.objects.filter(state=OutboxState.WAITING)),
    )


def _count_of(rows: "QuerySet[Any, Any]") -> Coalesce:
    """Return the number of these rows that belong to the calendar of the outer query."""
    of_calendar = rows.filter(calendar=OuterRef("pk")).order_by().values("calendar")
    return Coalesce(Subquery(of_calendar.annotate(count=Count("pk")).values("count")), 0)

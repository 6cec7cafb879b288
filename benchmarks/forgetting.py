"""Rows that bookings left some time ago, and runs of retention, in a deployment.

See `benchmarks.retention`.
"""

import threading
import time
from copy import copy
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from core.db.outbox import OutboxState
from core.people import privacy
from core.tasks import RETAIN_SECONDS
from notifications.models import Notification, PushDevice
from scheduling.domain import availability
from scheduling.models import Booking, EventType
from scheduling.models.enums import Status
from tests import factories
from webhooks.models import Attempt, Delivery, WebhookEvent

# How long a client waits between two bookings.
_PACE_SECONDS = 0.05
_BEFORE = 40
_DAYS = 50
# Of bookings that are copied at once.
_BATCH = 500

M = TypeVar("M", bound=Model)


def run(bookings: int, seconds: float) -> dict[str, Any]:
    """Forget, for so many seconds, the messages that so many bookings left, then the invitees.

    Return per second the messages and the invitees that were forgotten, the messages that one
    booking leaves, how long a run by beat lasts, and the waits of bookings before and meanwhile.
    """
    host = factories.user("host")
    PushDevice.objects.create(user=host, token="phone", platform="ios")
    factories.webhook(host)
    event_type = factories.event_type(host)
    starts = _free_starts(event_type)
    before = [_wait(event_type, start) for start in starts[:_BEFORE]]
    pattern = Booking.objects.latest("pk")
    now = timezone.now()
    left = _leave(pattern, bookings, at=now - timedelta(days=400), erased_at=now)
    over, meanwhile = threading.Event(), list[float]()

    def book() -> None:
        for start in starts[_BEFORE:]:
            if over.wait(_PACE_SECONDS):
                break
            meanwhile.append(_wait(event_type, start))
        connection.close()

    client = threading.Thread(target=book)
    client.start()
    count, took = _forget(_messages, now, seconds)
    over.set()
    client.join()
    privacy.retain(now=now)
    _leave(pattern, bookings // 4, at=now - timedelta(days=2))
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"bookings": 1}
    invitees, took_them = _forget(_invitees, now, seconds)
    return {
        "messages": count / took,
        "invitees": invitees / took_them,
        "left": left / bookings,
        "run": RETAIN_SECONDS,
        "before": before,
        "meanwhile": meanwhile,
    }


def _free_starts(event_type: EventType) -> list[datetime]:
    now = timezone.now()
    first = now.date() + timedelta(days=1)
    offered = EventType.objects.with_hours().get(pk=event_type.pk)
    days = availability.slots_by_date(
        offered, zone=offered.zone, first=first, last=first + timedelta(days=_DAYS), now=now
    )
    return [
        datetime.fromtimestamp(slot.start, now.tzinfo)
        for _date, slots in days
        for slot in slots
        if not slot.reason
    ]


def _wait(event_type: EventType, start: datetime) -> float:
    began = time.perf_counter()
    factories.booking(event_type, start=start, now=timezone.now())
    return time.perf_counter() - began


def _forget(count: Any, now: datetime, seconds: float) -> tuple[int, float]:
    """Forget for so many seconds. Return how much is gone, and how long it took."""
    before, began = count(), time.monotonic()
    privacy.retain(now=now, until=began + seconds)
    return before - count(), time.monotonic() - began


def _messages() -> int:
    """Count the messages of the past."""
    settled = {"settled_at__isnull": False}
    told = WebhookEvent.objects.filter(deliveries__settled_at__isnull=False)
    return (
        Notification.objects.filter(**settled).count()
        + Delivery.objects.filter(**settled).count()
        + Attempt.objects.count()
        + told.count()
    )


def _invitees() -> int:
    return Booking.objects.filter(erased_at=None).count()


def _leave(pattern: Booking, count: int, *, at: datetime, erased_at: datetime | None = None) -> int:
    """Leave so many bookings of the past with their messages. Return how many messages.

    They are copies of a booking, except that its messages are sent, and its webhook told.
    """
    notes = list(Notification.objects.filter(topic__in=Booking.topics_of([pattern.pk])))
    events = list(WebhookEvent.objects.filter(topic=pattern.topic))
    hook = events[0].deliveries.get().webhook
    settled = {"state": OutboxState.SENT, "attempts": 1, "settled_at": at}
    for first in range(0, count, _BATCH):
        number = min(_BATCH, count - first)
        past = {
            "start": at,
            "end": at + timedelta(minutes=30),
            "status": Status.COMPLETED,
            "erased_at": erased_at,
            "busy_time": None,
        }
        made = Booking.objects.bulk_create(_copy(pattern, **past) for _row in range(number))
        Notification.objects.bulk_create(
            _copy(note, topic=booking.topic, **settled) for booking in made for note in notes
        )
        told = WebhookEvent.objects.bulk_create(
            _copy(event, topic=booking.topic, created_at=at) for booking in made for event in events
        )
        deliveries = Delivery.objects.bulk_create(
            Delivery(webhook=hook, event=event, due_at=at, created_at=at, **settled)
            for event in told
        )
        Attempt.objects.bulk_create(
            Attempt(delivery=row, at=at, succeeded=True, response_code=200, response_time_ms=245)
            for row in deliveries
        )
    if connection.vendor == "postgresql":  # as autovacuum does sooner or later
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return count * (len(notes) + 3 * len(events))


def _copy(row: M, **values: Any) -> M:
    """Return a row with the same values, except these and its identifiers."""
    made = copy(row)
    made.pk = None
    made._state = type(row._state)()
    for field in type(row)._meta.concrete_fields:
        if field.unique and not field.primary_key and field.has_default():
            setattr(made, field.attname, field.get_default())
    for name, value in values.items():
        setattr(made, name, value)
    return made

"""Tasks that the workers run for bookings."""

from celery import shared_task
from django.utils import timezone

from scheduling.domain import bookings, holds, lifecycle
from scheduling.models import Booking


@shared_task
def sweep_bookings() -> None:
    """Free what was held in vain; record which bookings have expired and which have taken place."""
    now = timezone.now()
    holds.sweep(now=now)
    lifecycle.sweep(
        Booking.objects.all(), lambda row: bookings.record_overdue(booking=row, now=now), now=now
    )

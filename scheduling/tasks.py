"""Tasks that the workers run for bookings."""

from celery import shared_task
from django.utils import timezone

from scheduling.domain import bookings, holds, lifecycle
from scheduling.models import Booking


@shared_task
def sweep_bookings() -> None:
    """Record which bookings have expired and which have taken place."""
    now = timezone.now()
    lifecycle.sweep(
        Booking.objects.all(), lambda row: bookings.record_overdue(booking=row, now=now), now=now
    )


@shared_task
def sweep_holds() -> None:
    """Free the time of holds whose link nobody has followed."""
    holds.sweep(now=timezone.now())

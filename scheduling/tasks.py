"""What the workers do for this floor."""

from celery import shared_task
from django.utils import timezone

from core.errors import InvalidTransition
from scheduling.domain import bookings
from scheduling.models import Booking

_BATCH = 200


@shared_task
def sweep_bookings() -> None:
    """Write down which bookings have expired and which have taken place."""
    now = timezone.now()
    for booking in Booking.objects.overdue(now).order_by("start", "id")[:_BATCH]:
        try:
            bookings.record_overdue(booking=booking, now=now)
        except InvalidTransition:
            continue  # somebody, or another sweep, moved it meanwhile

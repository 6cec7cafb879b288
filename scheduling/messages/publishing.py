"""Webhook events about bookings, for the host."""

from datetime import datetime

from django.utils import translation

from scheduling.domain.readings import EventSerializer
from scheduling.models import Booking
from scheduling.models.enums import Change
from webhooks.domain import publishing


def publish(booking: Booking, change: Change, *, now: datetime) -> None:
    """Publish in the caller's transaction; the event holds the booking as the API shows it."""
    with translation.override("en"):  # in whatever language the page is
        data = EventSerializer(booking).data
    publishing.publish(
        owner=booking.host,
        type_=f"booking.{change.value}",
        topic=booking.topic,
        data=data,
        now=now,
    )

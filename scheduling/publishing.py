"""What a host's webhooks are told about bookings."""

from datetime import datetime

from django.utils import translation

from scheduling.api.serializers import EventSerializer
from scheduling.enums import Change
from scheduling.models import Booking
from scheduling.notifications import topic
from webhooks import publishing


def publish(booking: Booking, change: Change, *, now: datetime) -> None:
    """In the caller's transaction; the event is told as the API shows it."""
    with translation.override("en"):  # on whatever page this is
        data = EventSerializer(booking).data
    publishing.publish(
        owner=booking.host,
        type_=f"booking.{change.value}",
        topic=topic(booking),
        data=data,
        now=now,
    )

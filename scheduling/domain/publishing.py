"""Bookings as other programs hear of them: the host's webhooks and own calendar."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import translation

from accounts.models import User
from calendars.domain import publishing as outside
from scheduling.domain.readings import EventDetailsSerializer
from scheduling.models import Booking, EventType
from scheduling.models.enums import FREED, Change, Role, Status
from webhooks.domain import publishing

_NO_ID = "0" * 20


def publish(booking: Booking, *changes: Change, now: datetime) -> None:
    """Publish in the caller's transaction; the events hold the booking as the API shows it."""
    show(booking, now=now)
    publishing.publish(
        owners=[booking.host],
        types=[f"booking.{change.value}" for change in changes],
        topic=booking.topic,
        data=lambda: _shown(booking),
        now=now,
    )


def show(booking: Booking, *, now: datetime) -> None:
    """Have the host's calendar show the present state of this booking, or drop it."""
    shown = outside.Shown("booking", booking.pk, booking.calendar_uid, booking.end)
    verb = outside.remove if booking.status in FREED else outside.put
    verb(shown, owners=[booking.host_id], now=now)


def sample(*, owner: User, now: datetime) -> Mapping[str, Any]:
    """Return a booking that does not exist, as the API would show it to this host."""
    start = now + timedelta(days=1)
    question = {"name": "company", "label": "Company", "type": "text"}
    return _shown(
        Booking(
            id=0,
            uuid=f"evt_{_NO_ID}",
            event_type=EventType(
                id=0,
                uuid=f"et_{_NO_ID}",
                name="30 Minute Meeting",
                slug="30-minute-meeting",
                duration=30,
                location_link="https://example.com/meet",
                custom_fields=[question | {"required": False, "options": []}],
            ),
            host=owner,
            invitee_name="John Doe",
            invitee_email="john@example.com",
            invitee_phone="+12025550123",
            timezone="America/New_York",
            start=start,
            end=start + timedelta(minutes=30),
            notes="Project discussion",
            custom_field_values={"company": "ACME Corp"},
            metadata={"order": "1234"},
            status=Status.CONFIRMED,
            last_change=Change.CREATED,
            last_by=Role.INVITEE,
            last_at=now,
            created_at=now,
            updated_at=now,
        )
    )


def _shown(booking: Booking) -> Mapping[str, Any]:
    with translation.override("en"):  # in whatever language the page is
        return EventDetailsSerializer(booking).data

"""Hours of hosts, event types, and bookings."""

from scheduling.models.bookings import Booking, HistoryEntry, name_of_invitee, new_booking_uuid
from scheduling.models.event_types import (
    SLUG,
    EventType,
    FormerSlug,
    every_day,
    location_in_words,
    new_event_type_uuid,
)
from scheduling.models.hours import DateOverride, WeeklyAvailability

__all__ = [
    "SLUG",
    "Booking",
    "DateOverride",
    "EventType",
    "FormerSlug",
    "HistoryEntry",
    "WeeklyAvailability",
    "every_day",
    "location_in_words",
    "name_of_invitee",
    "new_booking_uuid",
    "new_event_type_uuid",
]

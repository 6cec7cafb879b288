"""Hours of hosts, event types, and bookings."""

from scheduling.models.bookings import (
    Booking,
    Guest,
    HistoryEntry,
    link_to_join,
    name_of_invitee,
    new_booking_uuid,
)
from scheduling.models.event_types import (
    SLUG,
    EventType,
    FormerSlug,
    every_day,
    link_is_later,
    location_in_words,
    new_event_type_uuid,
    usual_reminders,
)
from scheduling.models.holds import Hold
from scheduling.models.hours import DateOverride, Schedule, WeeklyAvailability

__all__ = [
    "SLUG",
    "Booking",
    "DateOverride",
    "EventType",
    "FormerSlug",
    "Guest",
    "HistoryEntry",
    "Hold",
    "Schedule",
    "WeeklyAvailability",
    "every_day",
    "link_is_later",
    "link_to_join",
    "location_in_words",
    "name_of_invitee",
    "new_booking_uuid",
    "new_event_type_uuid",
    "usual_reminders",
]

"""Event types that a webhook can subscribe to."""

BOOKING = ("created", "confirmed", "rejected", "cancelled", "rescheduled", "completed", "expired")
MEETING = ("created", "confirmed", "rejected", "cancelled", "completed", "expired")

EVENTS = (
    *(f"booking.{change}" for change in BOOKING),
    *(f"meeting.{change}" for change in MEETING),
)
# The event type of a test. Nobody can subscribe to it.
TEST = "webhook.test"

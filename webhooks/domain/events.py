"""What a webhook can be told of."""

BOOKING = ("created", "confirmed", "rejected", "cancelled", "rescheduled", "completed", "expired")
MEETING = ("created", "confirmed", "rejected", "cancelled", "completed", "expired")

EVENTS = (
    *(f"booking.{change}" for change in BOOKING),
    *(f"meeting.{change}" for change in MEETING),
)
# What a test send says; nobody subscribes to it.
TEST = "webhook.test"

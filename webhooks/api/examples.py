"""Examples of webhooks in the OpenAPI document."""

NEW_WEBHOOK = {
    "name": "Booking Notifications",
    "url": "https://my-app.com/api/webhooks/bookings",
    "events": ["booking.created", "booking.confirmed", "booking.cancelled"],
    "headers": {"X-API-Key": "my-api-key", "X-Custom-Header": "custom-value"},
    "timeout_seconds": 30,
    "max_retries": 3,
    "verify_ssl": True,
}
WEBHOOK_CHANGE = {
    "name": "Updated Webhook Name",
    "events": ["booking.created", "booking.cancelled", "booking.rescheduled"],
    "status": "active",
}
WEBHOOK = {
    "uuid": "wh_abc123def456ghi789jk",
    "id": 123,
    "name": "Main Webhook",
    "url": "https://your-app.com/webhooks/calendar",
    "events": ["booking.created", "booking.cancelled"],
    "status": "active",
    "disabled_reason": None,
    "secret": "whsec_1234567890abcdef...",
    "headers": {"X-Custom-Header": "value"},
    "timeout_seconds": 30,
    "max_retries": 3,
    "verify_ssl": True,
    "stats": {
        "success_count": 45,
        "failure_count": 2,
        "success_rate": 95.74,
        "last_success_at": "2026-06-15T14:30:00Z",
        "last_failure_at": "2026-06-14T09:15:00Z",
    },
    "created_at": "2026-06-01T10:00:00Z",
    "updated_at": "2026-06-15T14:30:00Z",
}
WEBHOOK_WITH_SECRET = WEBHOOK | {"secret": "whsec_MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY="}
TEST = {
    "message": "Test webhook sent successfully",
    "delivery": {
        "id": "del_abc123def456ghi789jk",
        "status": "delivered",
        "error": None,
        "response_code": 200,
        "response_time_ms": 245,
        "sent_at": "2026-06-15T14:30:00Z",
    },
}
DELIVERY = {
    "id": "del_abc123def456ghi789jk",
    "event_id": "msg_abc123def456ghi789jk",
    "event": "booking.created",
    "status": "delivered",
    "next_attempt_at": None,
    "attempts": [
        {
            "sent_at": "2026-06-15T14:30:00Z",
            "status": "delivered",
            "error": None,
            "response_code": 200,
            "response_time_ms": 245,
        }
    ],
    "created_at": "2026-06-15T14:30:00Z",
}
RECOVER = {"since": "2026-06-14T09:00:00Z"}
RECOVERED = {"count": 7}

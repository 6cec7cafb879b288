"""Examples of meetings for the OpenAPI document."""

NEW_MEETING = {
    "user_id": 5,
    "team_id": 1,
    "date": "2026-12-15 14:00:00",
    "link": "https://zoom.us/j/1234567890",
}
CONFIRMATION = {"over_calendar": False}
MEETING = {
    "id": 123,
    "booking_number": "MTG-20261128-001",
    "client_id": 5,
    "user_id": 1,
    "team_id": 1,
    "timezone": "America/New_York",
    "booking_date": "2026-12-15 19:00:00",
    "start_time": 1797361200,
    "end_time": 1797364800,
    "created_at": "2026-11-28T10:30:00Z",
    "updated_at": "2026-11-28T10:30:00Z",
    "status": "pending",
    "link": "https://zoom.us/j/1234567890",
}

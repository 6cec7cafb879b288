"""Examples of people, teams and devices in the OpenAPI document."""

PROFILE = {
    "uuid": "usr_abc123def456ghi789jk",
    "id": 123,
    "email": "john@example.com",
    "name": "John Doe",
    "first_name": "John",
    "last_name": "Doe",
    "avatar_url": "https://example.com/avatar.jpg",
    "timezone": "America/New_York",
    "position": "Product Manager",
    "company": "ACME Corp",
    "locale": {"date_format": "MM/dd/yyyy", "time_format": "hh:mm a", "week_start": 1},
    "status": "active",
    "created_at": "2026-01-15T10:30:00Z",
    "updated_at": "2026-06-15T14:30:00Z",
    "uri": "/api/v1/users/me",
}
PROFILE_CHANGE = {
    "first_name": "John",
    "last_name": "Smith",
    "timezone": "Europe/London",
    "position": "Senior Product Manager",
    "company": "Tech Startup Inc",
    "date_format": "dd/MM/yyyy",
    "time_format": "HH:mm",
}
TEAM = {"id": 1, "name": "Founders", "role": "owner"}
MEMBER = {"id": 5, "name": "Jane Smith", "timezone": "Europe/London"}
NEW_DEVICE = {
    "token": "fGhJ2kLmN4pQ:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx",
    "platform": "android",
    "name": "Pixel 9",
}
DEVICE = {
    "id": 7,
    "platform": "android",
    "name": "Pixel 9",
    "token": "fGhJ2kLm...",
    "is_active": True,
    "created_at": "2026-06-15T14:30:00Z",
}
LEAKED_TOKEN = {"token": "pat_0123456789012345678901234567890123456789012345"}

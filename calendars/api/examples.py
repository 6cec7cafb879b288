"""Examples of outside calendars in the OpenAPI document."""

NEW_ACCOUNT = {
    "provider": "caldav",
    "name": "Work",
    "url": "https://cloud.example.com/remote.php/dav",
    "username": "ada",
    "password": "abcd-efgh-ijkl-mnop",
}
ACCOUNT_CHANGE = {"name": "Work", "password": "qrst-uvwx-yzab-cdef"}
CALENDAR_OF_ACCOUNT = {
    "uuid": "cal_abc123def456ghi789jk",
    "id": 71,
    "name": "Ada",
    "color": "#0082C9",
    "timezone": "Europe/Berlin",
    "is_writable": True,
    "blocks": True,
    "blocks_tentative": True,
    "blocks_all_day": True,
    "writes": True,
    "entries": 412,
    "unreadable": 0,
    "as_of": "2026-06-15T14:30:00Z",
    "error": None,
    "message": None,
    "unwritten": 0,
    "write_error": None,
    "write_message": None,
}
ACCOUNT = {
    "uuid": "cac_abc123def456ghi789jk",
    "id": 12,
    "provider": "caldav",
    "name": "Work",
    "server": "cloud.example.com",
    "state": "ok",
    "state_since": "2026-06-01T10:00:00Z",
    "error": None,
    "message": None,
    "read_at": "2026-06-15T14:30:00Z",
    "calendars": [CALENDAR_OF_ACCOUNT],
    "created_at": "2026-06-01T10:00:00Z",
    "updated_at": "2026-06-01T10:00:00Z",
}
CALENDAR = {
    **CALENDAR_OF_ACCOUNT,
    "account": {"uuid": "cac_abc123def456ghi789jk", "id": 12, "name": "Work"},
}
CALENDAR_CHANGE = {"blocks": True, "blocks_all_day": False, "writes": True}
FEED = {
    "url": "https://parley.example/calendar/feed/Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycA.ics",
    "shows_titles": True,
    "created_at": "2026-06-01T10:00:00Z",
}
NEW_FEED = {"shows_titles": True}

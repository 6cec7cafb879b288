"""Examples of hours, event types and events for the OpenAPI document."""

_NINE_TO_FIVE = {"start": "09:00", "end": "17:00"}
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]

AVAILABILITY = {
    "availability": {
        **{str(day): {"enabled": True, **_NINE_TO_FIVE} for day in range(1, 6)},
        **{str(day): {"enabled": False, **_NINE_TO_FIVE} for day in (6, 7)},
    },
    "timezone": "America/New_York",
}
AVAILABILITY_CHANGE = {
    "availability": {
        **{str(day): {"enabled": True, "start": "08:00", "end": "18:00"} for day in range(1, 5)},
        "5": {"enabled": True, "start": "08:00", "end": "16:00"},
        **{str(day): {"enabled": False, **_NINE_TO_FIVE} for day in (6, 7)},
    },
    "timezone": "America/New_York",
}
_EVENING = {"enabled": True, "start": "18:00", "end": "21:00"}
NEW_SCHEDULE = {
    "name": "Evenings",
    "availability": {
        **{str(day): _EVENING for day in range(1, 5)},
        "5": {"enabled": False},
    },
}
SCHEDULE = {
    "uuid": "sch_abc123def456ghi789jk",
    "id": 12,
    "name": "Evenings",
    "is_default": False,
    "availability": {
        **{str(day): _EVENING for day in range(1, 5)},
        **{str(day): {"enabled": False, **_NINE_TO_FIVE} for day in (5, 6, 7)},
    },
    "timezone": "America/New_York",
    "created_at": "2026-06-15T14:30:00Z",
    "updated_at": "2026-06-15T14:30:00Z",
    "uri": "/api/v1/users/me/schedules/12",
}
SCHEDULE_CHANGE = {"name": "Late evenings", "availability": {"4": {"end": "22:00"}}}
OVERRIDE_CHANGE = {
    "windows": [{"start": "10:00", "end": "12:00"}, {"start": "13:00", "end": "15:30"}]
}
OVERRIDE = {"date": "2026-12-24", **OVERRIDE_CHANGE}

EVENT_TYPE = {
    "uuid": "et_abc123def456ghi789jk",
    "id": 123,
    "name": "30 Minute Meeting",
    "slug": "30-minute-meeting",
    "description": "A quick 30-minute consultation",
    "duration": 30,
    "durations": [],
    "color": "#4F46E5",
    "location": {
        "type": "zoom_meeting",
        "display": "Zoom Call",
        "custom": None,
        "link": "https://zoom.us/j/1234567890",
        "link_later": False,
    },
    "is_active": True,
    "is_hidden": False,
    "requires_approval": False,
    "confirm_email": False,
    "scheduling_settings": {
        "buffer_time_before": 5,
        "buffer_time_after": 10,
        "min_advance_booking": 24,
        "max_advance_booking": 60,
        "available_days": _DAYS,
        "slot_interval": None,
        "daily_limit": None,
        "weekly_limit": 10,
        "cancellation_notice": 1440,
        "reminders": [1440, 15],
        "schedule_id": None,
    },
    "timezone": "America/New_York",
    "payment": {"is_paid": False, "price": None, "currency": "USD", "payment_method": None},
    "custom_fields": [],
    "redirect_url": None,
    "sort_order": 0,
    "created_at": "2026-06-15T14:30:00Z",
    "updated_at": "2026-06-15T14:30:00Z",
    "uri": "/api/v1/event_types/123",
    "scheduling_url": "username/30-minute-meeting",
}
NEW_EVENT_TYPE = {
    "name": "Strategy Session",
    "duration": 60,
    "description": "Deep dive strategy discussion",
    "color": "#7C3AED",
    "location": "zoom_meeting",
    "location_link": "https://zoom.us/j/1234567890",
    "timezone": "America/New_York",
    "requires_approval": True,
    "buffer_time_before": 15,
    "buffer_time_after": 15,
    "min_advance_booking": 48,
    "max_advance_booking": 90,
    "available_days": _DAYS[:4],
    "price": "150.00",
    "currency": "USD",
}
EVENT_TYPE_CHANGE = {
    "duration": 45,
    "daily_limit": 4,
    "custom_fields": [
        {"name": "company", "label": "Where do you work?", "type": "text", "required": True}
    ],
}
SLOTS = {
    "data": [
        {
            "date": "2026-12-15",
            "slots": [
                {
                    "start_time": "2026-12-15T09:00:00Z",
                    "end_time": "2026-12-15T10:00:00Z",
                    "available": True,
                },
                {
                    "start_time": "2026-12-15T10:30:00Z",
                    "end_time": "2026-12-15T11:30:00Z",
                    "available": False,
                    "reason": "busy",
                    "source": "calendar: Ada",
                },
            ],
        }
    ],
    "calendars": [
        {
            "uuid": "cal_abc123def456ghi789jk",
            "id": 71,
            "name": "Ada",
            "as_of": "2026-06-15T14:30:00Z",
            "error": None,
        }
    ],
}

EVENT = {
    "uuid": "evt_abc123def456ghi789jk",
    "id": 123,
    "status": "confirmed",
    "start_time": "2026-12-15T10:00:00Z",
    "end_time": "2026-12-15T10:30:00Z",
    "timezone": "America/New_York",
    "event_type": {
        "uuid": "et_abc123def456ghi789jk",
        "id": 123,
        "name": "30 Minute Meeting",
        "slug": "30-minute-meeting",
        "duration": 30,
    },
    "location": {
        "type": "zoom_meeting",
        "display": "Zoom Call",
        "custom": None,
        "join_url": "https://zoom.us/j/1234567890",
    },
    "join_url": "https://zoom.us/j/1234567890",
    "invitee": {"name": "John Doe", "email": "john@example.com", "phone": "+1234567890"},
    "guests": ["mary@example.com"],
    "host": {"name": "Jane Smith", "email": "jane@example.com"},
    "notes": "Project discussion",
    "custom_field_values": {"company": "ACME Corp"},
    "questions": [{"label": "Where do you work?", "answer": "ACME Corp"}],
    "metadata": {"order": "1234"},
    "no_show": False,
    "sequence": 1,
    "last_change": {
        "change": "rescheduled",
        "by": "host",
        "reason": "A clash on my side",
        "at": "2026-06-16T09:00:00Z",
    },
    "previous": {"start_time": "2026-12-14T10:00:00Z", "end_time": "2026-12-14T10:30:00Z"},
    "created_at": "2026-06-15T14:30:00Z",
    "updated_at": "2026-06-16T09:00:00Z",
    "uri": "/api/v1/events/123",
}
_PAGE = "https://parley.example.com/bookings/manage/WzEyMyw:1tabcd:signature"
EVENT_DETAILS = EVENT | {"cancel_url": f"{_PAGE}#cancel", "reschedule_url": f"{_PAGE}#move"}
NEW_EVENT = {
    "event_type_id": 123,
    "attendee_email": "john@example.com",
    "attendee_name": "John Doe",
    "attendee_phone": "+1234567890",
    "start_time": "2026-12-15T10:00:00Z",
    "timezone": "America/New_York",
    "notes": "Project discussion",
    "custom_field_values": {"company": "ACME Corp"},
    "guests": ["mary@example.com"],
    "metadata": {"order": "1234"},
}
EVENT_CHANGE = {
    "notes": "Discuss project requirements",
    "attendee_phone": "+1234567890",
    "custom_field_values": {"company": "Tech Startup Inc"},
    "join_url": "https://zoom.us/j/9876543210",
}
RESCHEDULE = {"start_time": "2026-12-16T10:00:00Z", "reason": "A clash on my side"}
NO_SHOW = {"no_show": True}
REASON = {"reason": "I am away that week"}
HISTORY = {
    "sequence": 0,
    "change": "created",
    "from_status": None,
    "to_status": "confirmed",
    "start_time": "2026-12-15T10:00:00Z",
    "end_time": "2026-12-15T10:30:00Z",
    "by": "invitee",
    "reason": "",
    "calendars_as_of": None,
    "at": "2026-06-15T14:30:00Z",
}

"""Settings of drf-spectacular: the description of the OpenAPI document itself."""

from pathlib import Path

from core.ops.version import VERSION

SPECTACULAR_SETTINGS = {
    "TITLE": "Parley API",
    "DESCRIPTION": Path(__file__).with_name("description.md").read_text(),
    "TAGS": [
        {"name": "event_types", "description": "What can be booked of you, and what is free."},
        {"name": "events", "description": "What is booked of you."},
        {"name": "webhooks", "description": "Where to tell of what happens, and how that went."},
        {"name": "deliveries", "description": "What Parley sends to your webhooks."},
        {
            "name": "calendar_accounts",
            "description": "Your accounts at calendar servers, whose calendars close your time.",
        },
        {"name": "calendars", "description": "The calendars of these accounts."},
        {"name": "users", "description": "You: your profile, your hours and your devices."},
        {"name": "teams", "description": "The teams that you are in, and their people."},
        {"name": "tokens", "description": "Tokens that somebody has found."},
        {"name": "meeting", "description": "Meetings that team mates ask one another for (v3)."},
    ],
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # PUT and PATCH take the same
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.describe_server",
        "core.api.schema.make_plain",
        "core.api.schema.describe_texts",
        "webhooks.api.schema.describe_webhooks",
    ],
    "ENUM_NAME_OVERRIDES": {
        "CalendarAccountState": "calendars.models.CalendarAccount.State",
        "CalendarProvider": "calendars.models.CalendarAccount.Provider",
        "CustomFieldType": "scheduling.rules.custom_fields.FieldType",
        "LocationType": "scheduling.models.enums.Location",
        "Status": "scheduling.models.enums.Status",
        "WebhookStatus": "webhooks.models.Webhook.Status",
    },
}

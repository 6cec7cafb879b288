"""People and how to reach them."""

from accounts.models.access import (
    ACCESS_PREFIX,
    REFRESH_PREFIX,
    TOKEN_PREFIX,
    ApiToken,
    AuditEntry,
    Session,
    checksum_holds,
    new_token,
)
from accounts.models.people import (
    DATE_FORMATS,
    DELETED_PERSON,
    TIME_FORMATS,
    FormerUsername,
    Invitation,
    Membership,
    Team,
    User,
    name_of,
    new_user_uuid,
)
from accounts.models.sending import IdempotencyRecord, Notification, PushDevice, new_message_id

__all__ = [
    "ACCESS_PREFIX",
    "DATE_FORMATS",
    "DELETED_PERSON",
    "REFRESH_PREFIX",
    "TIME_FORMATS",
    "TOKEN_PREFIX",
    "ApiToken",
    "AuditEntry",
    "FormerUsername",
    "IdempotencyRecord",
    "Invitation",
    "Membership",
    "Notification",
    "PushDevice",
    "Session",
    "Team",
    "User",
    "checksum_holds",
    "name_of",
    "new_message_id",
    "new_token",
    "new_user_uuid",
]

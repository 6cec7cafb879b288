"""People, their teams, what lets them in, and what was done."""

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
    Picture,
    Team,
    User,
    name_of,
    new_user_uuid,
)

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
    "Invitation",
    "Membership",
    "Picture",
    "Session",
    "Team",
    "User",
    "checksum_holds",
    "name_of",
    "new_token",
    "new_user_uuid",
]

"""What a token may be allowed to do, in words. Writing implies reading."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

SCOPES = {
    "events:read": _("See your bookings"),
    "events:write": _("Make and change your bookings"),
    "event_types:read": _("See your event types"),
    "event_types:write": _("Make and change your event types"),
    "users:read": _("See your profile, teams and devices"),
    "users:write": _("Change your profile and devices"),
    "webhooks:read": _("See your webhooks"),
    "webhooks:write": _("Make and change your webhooks"),
    "availability:read": _("See your hours and when you are free"),
    "availability:write": _("Change your hours"),
    "meetings:read": _("See your meeting requests"),
    "meetings:write": _("Ask for meetings and answer them"),
}


def allows(granted: Collection[str], needed: str) -> bool:
    """Whether the scopes granted cover the one needed."""
    return needed in granted or needed.replace(":read", ":write") in granted


def in_words(granted: Collection[str]) -> list[str]:
    """What they allow. Writing implies reading, which then need not be said."""
    implied = {scope.replace(":write", ":read") for scope in granted if ":write" in scope}
    return [str(words) for scope, words in SCOPES.items() if scope in {*granted} - implied]

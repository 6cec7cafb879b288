"""Scopes of tokens, in words. Write access implies read access."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

SCOPES = {
    "events:read": _("See your bookings"),
    "events:write": _("Create and change your bookings"),
    "event_types:read": _("See your event types"),
    "event_types:write": _("Create and change your event types"),
    "users:read": _("See your profile, teams and devices"),
    "users:write": _("Change your profile and devices"),
    "webhooks:read": _("See your webhooks"),
    "webhooks:write": _("Create and change your webhooks"),
    "calendars:read": _("See which calendars are connected, and when they were read"),
    "calendars:write": _("Connect and change calendars, and see the address of your feed"),
    "availability:read": _("See your availability"),
    "availability:write": _("Change your availability"),
    "meetings:read": _("See your meeting requests"),
    "meetings:write": _("Request meetings and answer requests"),
}


def allows(granted: Collection[str], needed: str) -> bool:
    """Tell whether the granted scopes cover the needed one."""
    return needed in granted or needed.replace(":read", ":write") in granted


def in_words(granted: Collection[str]) -> list[str]:
    """Return the granted scopes in words.

    A read scope is left out if its write scope is granted.
    """
    implied = {scope.replace(":write", ":read") for scope in granted if ":write" in scope}
    return [str(words) for scope, words in SCOPES.items() if scope in {*granted} - implied]

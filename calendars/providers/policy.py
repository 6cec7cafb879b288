"""Servers of calendars that may be reached, by the operator's settings."""

from django.conf import settings

from core.web import guarded_http


def policy() -> guarded_http.Policy:
    return guarded_http.Policy(
        allowed=settings.CALENDAR_ALLOWED_NETWORKS, ports=frozenset(settings.CALENDAR_PORTS)
    )

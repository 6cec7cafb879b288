"""Limits of a client address on the public booking pages, counted by django-ratelimit."""

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from core.web.pages import count_request, limited


def _posts() -> str:
    most: int = settings.LIMITS["public_posts"]
    return f"{most}/m" if most else ""


posted = limited("ip", _posts, ["POST"], group="public")
"""Count the forms that a client address sends to all public booking pages together."""


def count_client(request: HttpRequest, host: User, *, mails: int) -> None:
    """Count a booking that this client address requests from a host, by the people it mails.

    Raise TooManyRequests if there have been too many within an hour.
    """
    most = settings.LIMITS["bookings_client"]
    for _each in range(mails if most else 0):
        count_request(
            request, group=f"public:{host.pk}", key="ip", rate=f"{most}/h", method=["POST"]
        )


def count_hold(request: HttpRequest, host: User) -> None:
    """Count a time of this host that this client address has held for 15 minutes.

    So a stranger cannot close a host's calendar by addresses that nobody confirms.
    """
    if most := settings.LIMITS["holds_client"]:
        count_request(
            request, group=f"hold:{host.pk}", key="ip", rate=f"{most}/15m", method=["POST"]
        )

"""Where a request comes from."""

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest) -> str:
    """The client's IP address.

    A proxy appends the address it was called from to X-Forwarded-For, so only the last
    `TRUSTED_PROXIES` entries are true; whatever stands before them, a client may have made up.
    """
    peer: str = request.META.get("REMOTE_ADDR") or "unknown"
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= settings.TRUSTED_PROXIES:
            return hops[-settings.TRUSTED_PROXIES] or peer
    return peer

"""Where a request comes from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# Of a client that has no address, such as one at a Unix socket.
_NOWHERE = "0.0.0.0"  # noqa: S104  nothing listens here


def address(request: HttpRequest) -> str:
    """The client's IP address.

    A proxy appends the address it was called from to X-Forwarded-For, so only the last
    `TRUSTED_PROXIES` entries are true; whatever stands before them, a client may have made up.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        hops = forwarded.split(",") if forwarded else []
        if len(hops) >= settings.TRUSTED_PROXIES:
            peer = hops[-settings.TRUSTED_PROXIES]
    try:
        return str(ipaddress.ip_address(peer.strip()))
    except ValueError:
        return _NOWHERE

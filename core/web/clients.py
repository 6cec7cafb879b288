"""Where a request comes from, and from whom."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

from core.ops import private_names

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


def network(request: HttpRequest) -> str:
    """Return whom to count a request for: an IPv4 address, or the /64 network of an IPv6 one.

    A provider gives each customer a whole /64, so one person could call from any address in it.
    """
    parsed = ipaddress.ip_address(address(request))
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


# Where the API's middleware notes whose token a request bears.
ACCOUNT = "parley.account"

_answered: ContextVar[HttpRequest | None] = ContextVar("answered", default=None)


def current() -> str | None:
    """The address of the client whose request this thread answers; None outside of one."""
    request = _answered.get()
    return address(request) if request else None


def account() -> int | None:
    """The number of whoever's request this thread answers, as far as it is known by now.

    Asks nobody: neither the session nor the database, which may be what has just failed.
    """
    request = _answered.get()
    if request is None:
        return None
    bearer: int | None = request.META.get(ACCOUNT)
    if bearer is not None:
        return bearer
    return private_names.person_in_loaded_session(request)


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """Within this, `current` and `account` tell of that request's client."""
    token = _answered.set(request)
    try:
        yield
    finally:
        _answered.reset(token)

"""The client of a request: its IP address, its network and its account."""

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
    """Return the client's IP address.

    A proxy appends the address of its own client to X-Forwarded-For. So only the last
    `TRUSTED_PROXIES` entries are true. A client may have made up the entries before them.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        hops = forwarded.split(",") if forwarded else []
        if len(hops) >= settings.TRUSTED_PROXIES:
            peer = hops[-settings.TRUSTED_PROXIES]
    try:
        parsed = ipaddress.ip_address(_without_port(peer.strip()))
    except ValueError:
        return _NOWHERE
    # A socket for both versions names an IPv4 client by an IPv6 address. All of them share a /64.
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _without_port(peer: str) -> str:
    """Return the address of `192.0.2.7:5678` or `[2001:db8::7]:443`, as some proxies write it."""
    if peer.startswith("["):
        return peer[1:].partition("]")[0]
    return peer.partition(":")[0] if peer.count(":") == 1 else peer


def network(request: HttpRequest) -> str:
    """Return the key that counts a request: an IPv4 address, or the /64 network of an IPv6 address.

    A provider gives each customer a whole /64, so one person could call from any address in it.
    """
    parsed = ipaddress.ip_address(address(request))
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


# The key under which the API's middleware stores the owner of a request's token.
ACCOUNT = "parley.account"

_answered: ContextVar[HttpRequest | None] = ContextVar("answered", default=None)


def current() -> str | None:
    """Return the address of the client whose request this thread answers.

    None outside a request.
    """
    request = _answered.get()
    return address(request) if request else None


def account() -> int | None:
    """Return the number of the person whose request this thread answers. None if unknown.

    It asks neither the session nor the database, since either may have just failed.
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
    """Let `current` and `account` describe the client of this request inside the block."""
    token = _answered.set(request)
    try:
        yield
    finally:
        _answered.reset(token)

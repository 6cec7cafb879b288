"""Rules for the redirect URIs of OAuth applications (RFC 6749, 3.1.2; RFC 8252)."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

MOST = 10
_LONGEST = 500
# Nothing that a browser would read otherwise than we do, and nothing that means something in a
# Content-Security-Policy.
_SHAPE = re.compile(
    r"(?P<origin>https?://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)"
    r"([/?][A-Za-z0-9._~:/?@!$&'()+,;=%-]*)?"
)
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
# A program on somebody's computer takes whatever port is free (RFC 8252, 7.3).
_ANY_PORT = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\])):[0-9]{1,5}(?=[/?]|$)")


def problem_with(uri: str) -> str:
    """Return why this URI is not allowed, in words. Empty if it is allowed."""
    if "#" in uri:
        return _("A redirect URI has no fragment (#…).")
    if "*" in uri:
        return _("Write each address in full. Wildcards (*) are not supported.")
    shape = _SHAPE.fullmatch(uri) if len(uri) <= _LONGEST else None
    if shape is None or not _port_is_one(uri):
        return _("Write a full address such as https://example.com/callback.")
    if uri.startswith("http:") and shape["host"] not in _LOOPBACK:
        return _("Use https. Plain http is only for programs on one’s own computer (127.0.0.1).")
    return ""


def _port_is_one(uri: str) -> bool:
    try:
        return urlsplit(uri).port != 0
    except ValueError:
        return False


def allowed(uri: str, registered: Collection[str]) -> bool:
    """Tell whether this URI is a registered one, exactly.

    Only a loopback IP may have another port.
    """
    if problem_with(uri):
        return False
    return uri in registered or _portless(uri) in map(_portless, registered)


def _portless(uri: str) -> str:
    return _ANY_PORT.sub(r"\1", uri)


def host_of(uri: str) -> str:
    """Return the host of a valid redirect URI. Empty for the reader's own computer."""
    shape = _SHAPE.fullmatch(uri)
    host = shape["host"] if shape else ""
    return "" if host in _LOOPBACK else host


def form_action(uri: str) -> str:
    """Return the source expression of a Content-Security-Policy for a valid redirect URI."""
    shape = _SHAPE.fullmatch(uri)
    # It has no words for an address of IPv6.
    return "http:" if shape is None or "[" in shape["origin"] else shape["origin"]

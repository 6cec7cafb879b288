"""Redaction of texts for operators: no secret and no address leaves the server.

Log lines, error reports and traces use it. Every pattern begins where no character of its own kind
stands before. So the time for a long text grows only with its length.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

_SECRET = "[secret]"  # noqa: S105  what stands in its place

# The name of a value that is secret, however it is written: `name=value`, `'name': 'value'`.
_NAMES = (
    r"sessionid|csrftoken|csrfmiddlewaretoken|cookie|set-cookie|x-csrftoken"
    r"|authorization|proxy-authorization|idempotency-key"
    r"|password\d?|oldpassword|passwd|secret|secret_key|encryption_keys|private_key|api_key"
    r"|client_secret|code_verifier|token|access_token|refresh_token|id_token"
)
_IS_SECRET = re.compile(f"(?:{_NAMES})", re.IGNORECASE)
# A code that lets one in is long; that of an error or an answer may be read.
_IS_CODE = re.compile(r"[\w-]{16,}")
_IS = r"(['\"]?\s*(?:[=:]|%3D)\s*['\"]?)"
_ALONE = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))"  # or after what an address bar has escaped
_COLON = r"(?::|%3[Aa])"
# All that RFC 5322 (3.2.3) lets stand before the @. What also encloses or divides other texts is no
# beginning of one, and the name of a value stays.
_LOCAL_PART = (
    r"(?<![\w.+%!#$*^~-])([\w-]{1,64}=)?"
    r"[\w.+%!#$*^~-][\w.+%!#$*^~'`{|}&/=?-]{0,319}?"
)
_DOMAIN = r"(?:localhost|(?:[\w-]+\.)+[\w-]+)"
_FORMS = [
    # The user and the password of an address: redis://:pw@host, https://key@host.
    (re.compile(r"(?<=://)[^\s/?#]+@"), f"{_SECRET}@"),
    # The path alone of a webhook's URL may be a secret.
    (re.compile(r"(https?://[^\s/?#'\"]+)[/?#][^\s'\"]+"), r"\1/..."),
    (re.compile(r"(?i)\b(bearer|basic)(\s+|%20|\+)[\w.~+/=-]+"), rf"\1\2{_SECRET}"),
    (
        re.compile(rf"(?i)(?<![A-Za-z0-9])({_NAMES}){_IS}(?!\[|\s|bearer|basic)[^\s&,;'\"]+"),
        rf"\1\2{_SECRET}",
    ),
    (re.compile(rf"(?i)(?<![A-Za-z0-9])(code){_IS}{_IS_CODE.pattern}"), rf"\1\2{_SECRET}"),
    (re.compile(rf"{_ALONE}(?:pat|oat|ort|ocs)_\w{{8,}}"), _SECRET),
    (re.compile(r"whsec_[\w+/=-]{8,}"), _SECRET),
    # What Django's signing makes: a value, in most a time, and a signature.
    (
        re.compile(rf"(?<![\w.=-])[\w.=-]+{_COLON}(?:[\w-]{{5,7}}{_COLON})?[\w-]{{43}}(?![\w-])"),
        _SECRET,
    ),
    # The token of a person's feed, and that of a hold.
    (re.compile(r"(?:(?<=/calendar/feed/)|(?<=/bookings/confirm/))[\w-]{16,}"), _SECRET),
    # And its key to a new password: a person's number, a time and a digest.
    (re.compile(r"(?<![\w-])[0-9a-z]+-[0-9a-z]{6}-[0-9a-f]{32,64}(?![\w-])"), _SECRET),
    (re.compile(rf"{_LOCAL_PART}(?:@|%40){_DOMAIN}"), r"\1[email]"),
    (re.compile(rf'"(?:[^"\\]|\\"?){{1,320}}?"(?:@|%40){_DOMAIN}'), "[email]"),
    (re.compile(r"(?<![\w.])(?!127\.)(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)"), "[address]"),
]
# No form fits into such a text: each has another character, or is longer. Most values are so.
_PLAIN = re.compile(r"[A-Za-z0-9-]{0,40}")
_SHORT = 80  # what is longer hardly comes again
_MAYBE_IPV6 = re.compile(r"(?<!\w)[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?:\.\d{1,3}){0,3}")


def _if_ipv6(found: re.Match[str]) -> str:
    """Replace an IPv6 address. Times and ports have colons too, and `::1` belongs to nobody."""
    text = found[0]
    for candidate in (text, text.rstrip(":")):
        try:
            address = ip_address(candidate)
        except ValueError:
            continue
        if not address.is_loopback and candidate != "::":
            return "[address]" + text[len(candidate) :]
    return text


def text(value: str) -> str:
    """Return the text without secrets and addresses."""
    if _PLAIN.fullmatch(value):
        return value
    return _short(value) if len(value) <= _SHORT else _cut(value)


def _cut(value: str) -> str:
    for form, instead in _FORMS:
        value = form.sub(instead, value)
    return _MAYBE_IPV6.sub(_if_ipv6, value)


# The same routes and names come with every request.
_short = lru_cache(maxsize=1024)(_cut)


def clean(value: Any, name: str = "") -> Any:
    """Redact any value, with all values inside it.

    A value whose name is secret is removed whole.
    """
    if value is None or isinstance(value, bool):
        return value
    if value != "" and (
        _IS_SECRET.fullmatch(name) or (name == "code" and _IS_CODE.fullmatch(str(value)))
    ):
        return _SECRET
    if isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {text(str(key)): clean(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(inner) for inner in value]
    return text(value if isinstance(value, str) else str(value))

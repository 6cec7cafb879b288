"""Links that people give, such as where to meet, and texts without the links in them."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.errors import Invalid

LONGEST = 1000
# Slashes as JSON may write them too.
_DESTINATION = re.compile(
    r"(?ia)(https://(?=[^/?#]{1,253}(?:[/?#]|\Z))[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?)"
    r"(?:[/?#][!-~]*)?"
)
_LINK = re.compile(r"(?i)(https?:(?:\\?/){2}[^\s\\/?#]+)\\?[/?#]\S*")


def require_link(link: str, *, field: str) -> None:
    """Raise Invalid on this field for a text that is no http or https URL. Empty is no link."""
    problem = Invalid(_("The link must be an http or https URL."), field=field)
    if not link:
        return
    try:
        parts = urlsplit(link)
        host = parts.hostname
        _port = parts.port
    except ValueError:
        raise problem from None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or len(link) > LONGEST
        or not link.isprintable()
        or " " in link
    ):
        raise problem


def origin_of(link: str) -> str:
    """Return the origin of an https URL, or an empty text for any other.

    The host is ASCII (IDNA), so the origin can stand in a header. A URL with a user's name or
    password has none.
    """
    shape = _DESTINATION.fullmatch(link)
    return shape[1].lower() if shape else ""


def validate_destination(link: str) -> None:
    """Refuse a text to which a browser is not to be sent. Empty is no destination."""
    if link and not origin_of(link):
        raise ValidationError(_("Use an https URL without a user name or a password."))


def cut_links(value: Any) -> Any:
    """Return a JSON value in which every link ends with its host."""
    match value:
        case dict():
            return {name: cut_links(inner) for name, inner in value.items()}
        case list():
            return [cut_links(inner) for inner in value]
        case str():
            return _LINK.sub(r"\1/...", value)
    return value

"""Usernames: `[a-z0-9-]{2,30}` in lower case, never the first segment of Parley's own URLs."""

import re
from collections.abc import Iterator
from datetime import timedelta

from django.urls import URLResolver, get_resolver
from django.utils.crypto import salted_hmac
from django.utils.text import slugify
from django.utils.translation import gettext as _

MAX_LENGTH = 30
RESERVED = timedelta(days=90)
"""How long a name that was given up, of a person or an event type, leads to the new one."""
MOST_FORMER = 10
"""Names that one account, or one event type, has given up and still holds."""
LIMIT = {"count": MOST_FORMER, "days": RESERVED.days}
PATTERN = re.compile(r"[a-z0-9-]{2,30}")

# Words that a visitor would take for Parley's own, beside those in the URL patterns.
_OUR_WORDS = frozenset(
    """
    about abuse account admin anymail api app blog booking bookings calendar dashboard docs
    event events favicon health healthz help home host invite legal login logout mail me meeting
    meetings metrics new oauth parley pricing privacy profile readyz robots root security
    settings signup static status support team teams terms user users webhook webhooks www
    """.split()  # noqa: SIM905  a list of a word a line is harder to read
)


def is_reserved(username: str) -> bool:
    """Tell whether one of Parley's URLs begins like this, or a visitor would think so."""
    return username in _OUR_WORDS or username in _first_segments()


def _first_segments() -> set[str]:
    return set(_segments(get_resolver()))


def _segments(resolver: URLResolver) -> Iterator[str]:
    for entry in resolver.url_patterns:
        segment = str(entry.pattern).lstrip("^").split("/")[0]
        if not segment and isinstance(entry, URLResolver):  # mounted without an address of its own
            yield from _segments(entry)
        else:
            yield segment


def problem_with(username: str) -> str:
    """Return why this cannot be a username, in words. Empty if it can."""
    if not PATTERN.fullmatch(username):
        return _("Use 2 to 30 letters a-z, digits and hyphens.")
    if is_reserved(username):
        return _("This name is reserved.")
    return ""


def sealed(username: str) -> str:
    """Return the stand-in for the name of a deleted account: it reserves the name, and hides it."""
    mac = salted_hmac("usernames", username, algorithm="sha256")
    return f"~{mac.hexdigest()[: MAX_LENGTH - 1]}"


def from_email(email: str) -> str:
    """Return a first guess at a username: the part before the @, in allowed characters."""
    name = slugify(email.partition("@")[0].replace(".", "-").replace("_", "-"))
    name = re.sub(r"[^a-z0-9-]+", "", name)[:MAX_LENGTH].strip("-")
    return name if not problem_with(name) else f"person-{name}"[:MAX_LENGTH].rstrip("-")

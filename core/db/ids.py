"""Public identifiers: a short prefix that names the kind of thing, and 20 random characters."""

import re
import secrets
import string

from django.db.models import Q

_ALPHABET = string.ascii_lowercase + string.digits
# No more digits than every database can count.
_NUMBER = re.compile(r"[0-9]{1,18}")
_UUID = re.compile(r"[a-z]+_[a-z0-9]{20}")


def public_id(prefix: str) -> str:
    """Return `evt_` and 20 random characters (about 103 bits) for the prefix `evt`."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(20))}"


def column_of(key: str) -> tuple[str, int | str]:
    """Return ('pk', number), ('uuid', text) or ('', '') for a URL key.

    A URL may hold characters that not every database can look for.
    """
    if _NUMBER.fullmatch(key):
        return "pk", int(key)
    return ("uuid", key) if _UUID.fullmatch(key) else ("", "")


def named(key: str) -> Q:
    """Return the condition for the row with this number or uuid. Any other text matches no row."""
    column, value = column_of(key)
    return Q((column, value)) if column else Q(pk__in=())

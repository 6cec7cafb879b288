"""Public identifiers: a short prefix that says what a thing is, and 20 random characters."""

import re
import secrets
import string

from django.db.models import Q

_ALPHABET = string.ascii_lowercase + string.digits
# No more digits than every database can count.
_NUMBER = re.compile(r"[0-9]{1,18}")


def public_id(prefix: str) -> str:
    """`evt_` + 20 random characters (about 103 bits) for the prefix `evt`."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(20))}"


def named(key: str) -> Q:
    """The row that an address names, by its number or by its uuid."""
    return Q(pk=int(key)) if _NUMBER.fullmatch(key) else Q(uuid=key)

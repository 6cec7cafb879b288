"""Public identifiers: a short prefix that says what a thing is, and 20 random characters."""

import re
import secrets
import string

from django.db.models import Q

_ALPHABET = string.ascii_lowercase + string.digits
# No more digits than every database can count.
_NUMBER = re.compile(r"[0-9]{1,18}")
_UUID = re.compile(r"[a-z]+_[a-z0-9]{20}")


def public_id(prefix: str) -> str:
    """`evt_` + 20 random characters (about 103 bits) for the prefix `evt`."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(20))}"


def column_of(key: str) -> tuple[str, int | str]:
    """What an address names a row by: `pk` and a number, or `uuid` and that; of no row: empty.

    An address may hold characters that not every database can look for.
    """
    if _NUMBER.fullmatch(key):
        return "pk", int(key)
    return ("uuid", key) if _UUID.fullmatch(key) else ("", "")


def named(key: str) -> Q:
    """The row that an address names, by its number or by its uuid; none for any other text."""
    column, value = column_of(key)
    return Q((column, value)) if column else Q(pk__in=())

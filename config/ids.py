"""Public identifiers: a short prefix that says what a thing is, and 20 random characters."""

import secrets
import string

_ALPHABET = string.ascii_lowercase + string.digits


def public_id(prefix: str) -> str:
    """`evt_` + 20 random characters (about 103 bits) for the prefix `evt`."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(20))}"

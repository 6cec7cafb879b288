"""How long a client may take."""

_BYTES = 750_000


def seconds_for(size: int, seconds: float) -> float:
    """Return the time for so many bytes, of a body or of an answer.

    `seconds` is `CLIENT_TIMEOUT_SECONDS`: 15 s give 15 s and one more for each 50 kB.
    """
    return seconds * (1 + size / _BYTES)

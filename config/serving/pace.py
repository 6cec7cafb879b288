"""The time that a client may take.

`seconds` is `CLIENT_TIMEOUT_SECONDS`. The figures are those of its default, 15.
"""

_MOST_TIMES = 4
_BYTES = 750_000


def seconds_for_body(size: int, seconds: float) -> float:
    """Return the time for a body: 15 s and one more for each 50 kB, at most 60 s."""
    return min(_seconds_for(size, seconds), _MOST_TIMES * seconds)


def seconds_for_answer(size: int, seconds: float) -> float:
    """Return the time to take an answer: 60 s and four more for each 50 kB.

    A slow reader costs less than a slow sender, and a phone may be one.
    """
    return _MOST_TIMES * _seconds_for(size, seconds)


def _seconds_for(size: int, seconds: float) -> float:
    return seconds * (1 + size / _BYTES)

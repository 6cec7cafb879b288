"""Bounds on the work that one calendar can cause, and the error beyond them."""

import time

MOST_BYTES = 20_000_000  # of a feed
MOST_CHARACTERS = 1_000_000  # of one series
MOST_LINES = 1_000_000  # of a feed, of those that matter
MOST_OCCURRENCES = 2_000  # of one series in the window
MOST_DATES = 5_000  # of one series: what RDATE and EXDATE list
MOST_CHANGED = 2_000  # of one series: components with a RECURRENCE-ID
MOST_RULES = 10  # of one component
MOST_A_DAY = 24  # starts that a rule may name
LONGEST = 2.0  # seconds for one series
LONGEST_TITLE = 250
LONGEST_UID = 255


class Unreadable(Exception):
    """A calendar or a series cannot be read. `code` says why.

    - `not_a_calendar`: the text does not begin as a calendar
    - `too_large`: more bytes, characters or lines than allowed
    - `too_frequent`: a rule names more than 24 starts a day
    - `too_many`: more series, occurrences, listed dates or rules than allowed
    - `too_long`: the time for it is over
    - `broken`: a value cannot be read, or values contradict each other
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_time(until: float) -> None:
    """Raise Unreadable if `time.monotonic()` is beyond `until`."""
    if time.monotonic() > until:
        raise Unreadable("too_long")

"""Times of the day and windows of hours, as texts and as numbers.

A *window* is a pair of minutes since midnight, start before end. 1440 is 24:00 and can only be an
end. Texts are `HH:MM`.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypedDict

from django.utils.translation import gettext as _

from core.errors import Invalid
from scheduling.rules.slots import Interval

_DAY = 24 * 60
MOST_WINDOWS = 24
TIME_PATTERN = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_TIME = re.compile(TIME_PATTERN)


class Day(TypedDict):
    """Hours of a weekday. They are kept while the day is disabled."""

    enabled: bool
    windows: list[Interval]


class WindowText(TypedDict):
    start: str
    end: str


_NINE_TO_FIVE: Interval = (9 * 60, 17 * 60)


def usual_week() -> dict[str, Day]:
    """Return Monday to Friday, nine to five, by ISO weekday as text (JSON has text keys only)."""
    return {
        str(weekday): Day(enabled=weekday <= 5, windows=[_NINE_TO_FIVE]) for weekday in range(1, 8)
    }


def minutes(text: str, *, field: str) -> int:
    """Convert `09:30` to 570. Raise Invalid for a text that is no time of the day."""
    if not _TIME.fullmatch(text):
        raise Invalid(_("Use a time such as 09:30, up to 24:00."), field=field)
    return int(text[:2]) * 60 + int(text[3:])


def text_of(minute: int) -> str:
    """Convert 570 to `09:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def windows(texts: Sequence[WindowText], *, field: str) -> list[Interval]:
    """Return the windows in order.

    Raise Invalid if one ends before it starts, if two overlap, or if there are too many.
    """
    if len(texts) > MOST_WINDOWS:
        message = _("Use at most %(number)s time ranges a day.") % {"number": MOST_WINDOWS}
        raise Invalid(message, field=field)
    found = [window(text, field=f"{field}.{number}") for number, text in enumerate(texts)]
    in_order = sorted(found)
    for earlier, later in pairwise(in_order):
        if later[0] < earlier[1]:
            raise Invalid(_("Time ranges of a day may not overlap."), field=field)
    return in_order


def window(text: WindowText, *, field: str) -> Interval:
    start = minutes(text["start"], field=f"{field}.start")
    end = minutes(text["end"], field=f"{field}.end")
    if not end:
        message = _("The end must be after the start. Midnight at the end of a day is 24:00.")
        raise Invalid(message, field=f"{field}.end")
    if start >= end:
        raise Invalid(_("The end must be after the start."), field=f"{field}.end")
    return start, end


def texts_of(found: Iterable[Interval]) -> list[WindowText]:
    return [WindowText(start=text_of(start), end=text_of(end)) for start, end in found]

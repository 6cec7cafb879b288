"""Time until something starts, in words."""

from datetime import timedelta

import pytest
from django.utils import translation

from core.text import times


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        ({"hours": -2}, "in a minute"),
        ({"seconds": 0}, "in a minute"),
        ({"seconds": 89}, "in a minute"),
        ({"seconds": 91}, "in 2 minutes"),
        ({"minutes": 14, "seconds": 31}, "in 15 minutes"),
        ({"minutes": 15}, "in 15 minutes"),
        ({"minutes": 99}, "in 99 minutes"),
        ({"minutes": 100}, "in 2 hours"),
        ({"minutes": 149}, "in 2 hours"),
        ({"minutes": 151}, "in 3 hours"),
        ({"hours": 23, "minutes": 29}, "in 23 hours"),
        ({"hours": 23, "minutes": 31}, "in a day"),
        ({"hours": 24}, "in a day"),
        ({"hours": 35}, "in a day"),
        ({"hours": 37}, "in 2 days"),
        ({"days": 10}, "in 10 days"),
    ],
    ids=str,
)
def test_a_wait_is_rounded_to_what_people_say(wait: dict[str, int], words: str) -> None:
    with translation.override("en"):
        assert times.lead(timedelta(**wait)) == words

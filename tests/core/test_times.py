"""Times as people read them: how long until something starts, and when it does, in few words."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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


@pytest.mark.parametrize(
    ("age", "words"),
    [
        ({"seconds": -5}, "just now"),
        ({"seconds": 59}, "just now"),
        ({"seconds": 60}, "a minute ago"),
        ({"minutes": 59}, "59 minutes ago"),
        ({"minutes": 119}, "an hour ago"),
        ({"hours": 23}, "23 hours ago"),
        ({"hours": 47}, "a day ago"),
        ({"days": 3}, "3 days ago"),
    ],
    ids=str,
)
def test_an_age_is_rounded_down(age: dict[str, int], words: str) -> None:
    with translation.override("en"):
        assert times.ago(timedelta(**age)) == words


@dataclass(frozen=True)
class Reader:
    name: str
    time_format: str
    date_format: str = "MM/dd/yyyy"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.name)


@pytest.mark.parametrize(
    ("reader", "start", "words"),
    [
        (Reader("UTC", "HH:mm"), datetime(2026, 12, 8, 17, 45), "Tue 8 Dec, 17:45"),
        (Reader("UTC", "hh:mm a"), datetime(2026, 12, 8, 17, 45), "Tue 8 Dec, 5:45 PM"),
        (Reader("Asia/Kathmandu", "HH:mm"), datetime(2026, 12, 8, 20), "Wed 9 Dec, 01:45"),
        # The clock shows this time twice.
        (Reader("Europe/Berlin", "HH:mm"), datetime(2026, 10, 25, 0, 30), "Sun 25 Oct, 02:30 CEST"),
        (Reader("Europe/Berlin", "HH:mm"), datetime(2026, 10, 25, 1, 30), "Sun 25 Oct, 02:30 CET"),
    ],
    ids=str,
)
def test_a_start_is_told_in_few_words(reader: Reader, start: datetime, words: str) -> None:
    with translation.override("en"):
        assert times.beginning(start.replace(tzinfo=UTC), reader) == words

"""Table of a month: its weekdays, and its dates in weeks of seven."""

import calendar
from datetime import date

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR


def weekdays(week_start: int) -> list[tuple[str, str]]:
    """Return the weekday names, long and short, from the ISO weekday on which weeks begin."""
    return [(WEEKDAYS[day], WEEKDAYS_ABBR[day]) for day in _week(week_start).iterweekdays()]


def weeks(first: date, week_start: int) -> list[list[date | None]]:
    """Return the weeks of the month that begins on this date. None is a date of another month."""
    return [
        [day if day.month == first.month else None for day in days]
        for days in whole_weeks(first, week_start)
    ]


def whole_weeks(first: date, week_start: int) -> list[list[date]]:
    """Return the weeks of the month that begins on this date, with dates of other months."""
    return _week(week_start).monthdatescalendar(first.year, first.month)


def last_of(first: date) -> date:
    """Return the last date of the month that begins on this date."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _week(week_start: int) -> calendar.Calendar:
    return calendar.Calendar(week_start - 1)  # its Monday is 0

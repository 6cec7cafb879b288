"""Booking numbers: `MTG-YYYYMMDD-NNN`, by the UTC date of creation and a counter per day."""

from datetime import UTC, datetime

from django.db import connection

_NEXT = """
INSERT INTO meetings_daycounter (day, last) VALUES (%s, 1)
ON CONFLICT (day) DO UPDATE SET last = meetings_daycounter.last + 1
RETURNING last
"""


def next_number(now: datetime) -> str:
    """Return the day's next number. Take it last: others wait until this transaction ends."""
    day = now.astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [day.isoformat()])
        (count,) = cursor.fetchone()
    return f"MTG-{day:%Y%m%d}-{count:03}"

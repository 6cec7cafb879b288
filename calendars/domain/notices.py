"""Notices to owners about their calendars. `calendars.messages.letters` writes the texts."""

from datetime import datetime, timedelta

from calendars.models import Calendar, CalendarAccount
from notifications.domain import notifications
from notifications.models import Notification

_A_DAY = timedelta(days=1)


def failing(account: CalendarAccount, *, now: datetime) -> None:
    """Tell the owner that this account cannot be read. Call it in the transaction that says so."""
    facts = {"id": account.pk, "error": account.error, "state": account.state}
    facts["since"] = account.state_since.isoformat()
    row = notifications.email("calendar_failing", facts, user=account.user)
    notifications.enqueue([row], now=now)


def recovered(account: CalendarAccount, *, now: datetime) -> None:
    """Tell the owner that this account can be read again."""
    row = notifications.email("calendar_recovered", {"id": account.pk}, user=account.user)
    notifications.enqueue([row], now=now)


def not_written(calendar: Calendar, *, now: datetime) -> None:
    """Tell the owner that their bookings cannot be written to this calendar."""
    facts = {"id": calendar.pk, "error": calendar.write_error}
    row = notifications.email("calendar_not_written", facts, user=calendar.account.user)
    notifications.enqueue([row], now=now)


def emptied(calendar: Calendar, *, gone: int, now: datetime) -> None:
    """Tell the owner that so many entries are gone, as two readings have said: once a day at most.

    A server may drop and restore them as often as it likes.
    """
    told = Notification.objects.filter(kind="calendar_emptied", user=calendar.account.user)
    if told.filter(created_at__gt=now - _A_DAY).exists():
        return
    facts = {"id": calendar.pk, "gone": gone}
    row = notifications.email("calendar_emptied", facts, user=calendar.account.user)
    notifications.enqueue([row], now=now)

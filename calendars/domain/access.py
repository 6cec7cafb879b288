"""Calendars as lasting access to an account: what others read there. See `core.people.access`."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from calendars.domain import accounts
from calendars.models import Calendar, Feed
from core.people.access import Access

_PAGE = "calendars:accounts"


def lasting(*, person_id: int, now: datetime) -> Iterator[Access]:
    for feed in Feed.objects.filter(user=person_id):
        yield Access(_("Calendar feed"), str(_("Your bookings")), _PAGE, feed.created_at)
    for calendar in _written(person_id):
        name = f"{calendar.name} ({calendar.account.host or calendar.account.name})"
        yield Access(_("Calendar with your bookings"), name, _PAGE, calendar.account.created_at)


def end(*, person_id: int, now: datetime) -> None:
    """End the feed, and have no calendar get new bookings."""
    Feed.objects.filter(user=person_id).delete()
    for calendar in _written(person_id):
        accounts.change_calendar(calendar=calendar, now=now, writes=False)


def _written(person_id: int) -> list[Calendar]:
    rows = Calendar.objects.filter(user=person_id, writes=True, account__is_ending=False)
    return list(rows.select_related("account__user"))

"""The ledger, and the outside calendars that feed it and that are written to."""

from calendars.models.accounts import Calendar, CalendarAccount
from calendars.models.entries import Entry, Item
from calendars.models.feeds import Feed
from calendars.models.ledger import BusyTime
from calendars.models.pushes import Push

__all__ = ["BusyTime", "Calendar", "CalendarAccount", "Entry", "Feed", "Item", "Push"]

"""Meeting requests and their history."""

from meetings.models.requests import DayCounter, HistoryEntry, MeetingQuerySet, MeetingRequest

__all__ = ["DayCounter", "HistoryEntry", "MeetingQuerySet", "MeetingRequest"]

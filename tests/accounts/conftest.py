"""The moment and the meeting that pages of meetings are looked at with, for those of accounts."""

from tests.meetings.conftest import ask, at_now

__all__ = ["ask", "at_now"]

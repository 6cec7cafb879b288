"""Fixtures for account pages: the fixed time and the meeting from the tests of meetings."""

from tests.meetings.conftest import ask, at_now

__all__ = ["ask", "at_now"]

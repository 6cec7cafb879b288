"""Words of the messages about calendars, and when they are not sent."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from calendars.domain import notices
from calendars.models import Calendar, CalendarAccount
from notifications.models import Notification
from tests import factories, outbox
from tests.pages import NOW, stand_alone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def calendar(alice: User, settings: Settings) -> Calendar:
    stand_alone(settings)
    settings.PUBLIC_URL = "https://parley.example"
    return factories.chosen_calendar(alice, now=NOW)


def account(calendar: Calendar, **values: Any) -> CalendarAccount:
    CalendarAccount.objects.filter(pk=calendar.account_id).update(**values)
    return CalendarAccount.objects.select_related("user").get(pk=calendar.account_id)


def failing(calendar: Calendar, **values: Any) -> CalendarAccount:
    since = NOW - timedelta(minutes=11)
    usual = {"state": "failing", "state_since": since, "error": "timeout"}
    return account(calendar, **{**usual, **values})


def text() -> str:
    """Send what is due, and return the text of the only message, its lines joined."""
    outbox.send()
    [message] = outbox.posted()
    return " ".join(str(message.body).split())


def test_a_failure_says_since_when_why_what_holds_and_where_to_mend_it(calendar: Calendar) -> None:
    notices.failing(failing(calendar, read_at=NOW - timedelta(minutes=12)), now=NOW)
    said = text()
    assert 'not been able to read your calendar account "Office" since Mon 2 Mar, 8:49 AM' in said
    assert "The server did not answer in time." in said
    assert "Times known on Mon 2 Mar, 8:48 AM (UTC) stay blocked." in said
    assert "Parley goes on trying, at least once an hour" in said
    assert "Open your calendars: https://parley.example/settings/calendars" in said
    assert "office-secret" not in said


def test_refused_access_says_that_a_new_password_is_needed(calendar: Calendar) -> None:
    notices.failing(failing(calendar, state="revoked", error="unauthorized"), now=NOW)
    said = text()
    assert "The server asks for a valid user name and password." in said
    assert "enter a new password there" in said
    assert "It was never read, so it blocks no time yet." in said


def test_a_recovery_is_told(calendar: Calendar) -> None:
    notices.recovered(calendar.account, now=NOW)
    assert 'Parley reads your calendar account "Office" again.' in text()


def test_a_calendar_that_takes_no_bookings_is_named(calendar: Calendar) -> None:
    Calendar.objects.update(write_error="forbidden")
    calendar.refresh_from_db()
    notices.not_written(calendar, now=NOW)
    said = text()
    assert 'to the calendar "Work" of your account "Office"' in said
    assert "The server does not let this account do that." in said


def test_what_does_not_hold_any_more_is_not_sent(calendar: Calendar) -> None:
    notices.failing(failing(calendar), now=NOW)
    notices.not_written(calendar, now=NOW)  # which takes bookings again
    account(calendar, state="ok")
    notices.recovered(failing(calendar, state="ok"), now=NOW)
    account(calendar, is_ending=True)
    outbox.send()
    assert outbox.posted() == []
    assert set(Notification.objects.values_list("state", "last_error")) == {
        ("withdrawn", "changed")
    }

"""DELETE /api/v1/calendar_accounts/{id} and POST refresh."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from calendars.domain import accounts
from calendars.models import BusyTime, Calendar, CalendarAccount, Entry, Push
from core.db.outbox import OutboxState
from tests import factories
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

URL = "/api/v1/calendar_accounts"
DELETED = {"message": "Calendar account deleted successfully"}


@pytest.fixture
def calendar(alice: User) -> Calendar:
    calendar = factories.calendar(alice, now=NOW)
    factories.entry(calendar, start=START, end=START + timedelta(hours=1))
    return calendar


def written(calendar: Calendar, book: Book) -> Push:
    """Return what was written to this calendar: a booking."""
    accounts.change_calendar(calendar=calendar, writes=True, now=NOW)
    book(start=START + timedelta(hours=3))
    Push.objects.update(href="/Work/1.ics", state=OutboxState.SENT, settled_at=NOW)
    return Push.objects.get()


def test_it_closes_no_time_any_more(api: Client, calendar: Calendar) -> None:
    assert BusyTime.objects.count() == 1
    answer = api.delete(f"{URL}/{calendar.account.uuid}")
    assert (answer.status_code, answer.json()) == (200, DELETED)
    for model in (CalendarAccount, Calendar, Entry, BusyTime):
        assert not model._default_manager.exists()
    assert api.delete(f"{URL}/{calendar.account.pk}").status_code == 404


def test_what_was_written_there_stays_there(api: Client, calendar: Calendar, book: Book) -> None:
    written(calendar, book)
    assert api.delete(f"{URL}/{calendar.account.pk}?take_back=false").json() == DELETED
    assert not CalendarAccount.objects.exists()


def test_what_was_written_there_is_taken_back(api: Client, calendar: Calendar, book: Book) -> None:
    push = written(calendar, book)
    assert api.delete(f"{URL}/{calendar.account.pk}?take_back=true").json() == DELETED
    push.refresh_from_db()
    assert (push.state, push.due_at) == (OutboxState.WAITING, NOW)
    assert CalendarAccount.objects.get().is_ending
    assert not Entry.objects.exists()
    assert api.get(f"{URL}/{calendar.account.pk}").status_code == 404


@pytest.mark.parametrize("query", ["take_back=maybe", "take_back=", "take_back=1&take_back=1"])
def test_a_query_that_cannot_be_read_is_422(api: Client, calendar: Calendar, query: str) -> None:
    assert api.delete(f"{URL}/{calendar.account.pk}?{query}").status_code == 422
    assert CalendarAccount.objects.exists()


# --- refresh ------------------------------------------------------------------------------------


def read(calendar: Calendar) -> None:
    """Have the account look as after a reading."""
    CalendarAccount.objects.update(whole_at=NOW, read_at=NOW, due_at=NOW + timedelta(minutes=5))


def test_a_refresh_reads_all_at_once(api: Client, calendar: Calendar) -> None:
    read(calendar)
    answer = api.post(f"{URL}/{calendar.account.uuid}/refresh")
    assert (answer.status_code, answer.json()["data"]["id"]) == (202, calendar.account.pk)
    account = CalendarAccount.objects.get()
    assert (account.due_at, account.whole_at) == (NOW, None)


def test_a_refresh_lets_one_that_is_under_way_go_on(api: Client, calendar: Calendar) -> None:
    read(calendar)
    api.post(f"{URL}/{calendar.account.pk}/refresh")
    CalendarAccount.objects.update(lease="reading", lease_until=NOW + timedelta(minutes=1))
    assert api.post(f"{URL}/{calendar.account.pk}/refresh").status_code == 202
    assert CalendarAccount.objects.get().lease == "reading"


def test_somebody_elses_is_not_there(bob: User, calendar: Calendar) -> None:
    read(calendar)
    api = factories.client(bob)
    assert api.post(f"{URL}/{calendar.account.pk}/refresh").status_code == 404
    assert api.delete(f"{URL}/{calendar.account.pk}").status_code == 404
    assert CalendarAccount.objects.get().due_at > NOW

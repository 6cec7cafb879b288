"""GET /api/v1/calendars and /{id}, PUT and PATCH: what closes time, and where bookings go."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from calendars.models import BusyTime, Calendar, CalendarAccount, Entry, Push
from tests import factories
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

URL = "/api/v1/calendars"


@pytest.fixture
def calendar(alice: User) -> Calendar:
    calendar = factories.calendar(alice, now=NOW)
    factories.entry(calendar, start=START, end=START + timedelta(hours=1))
    return calendar


def change(api: Client, calendar: Calendar, method: str = "PATCH", **body: Any) -> Any:
    return api.generic(method, f"{URL}/{calendar.pk}", json.dumps(body), "application/json")


def test_one_names_its_account(api: Client, calendar: Calendar) -> None:
    expected = {
        "uuid": calendar.uuid,
        "id": calendar.pk,
        "name": "Work",
        "color": "#0082C9",
        "timezone": None,
        "is_writable": True,
        "blocks": True,
        "blocks_tentative": True,
        "blocks_all_day": True,
        "writes": False,
        "entries": 1,
        "unreadable": 0,
        "as_of": None,
        "error": None,
        "message": None,
        "unwritten": 0,
        "write_error": None,
        "write_message": None,
        "account": {
            "uuid": calendar.account.uuid,
            "id": calendar.account.pk,
            "name": "Work account",
        },
    }
    for key in (calendar.pk, calendar.uuid):
        assert api.get(f"{URL}/{key}").json() == {"data": expected}
    assert api.get(URL).json()["data"] == [expected]


def test_somebody_elses_is_not_there(bob: User, calendar: Calendar) -> None:
    api = factories.client(bob)
    assert api.get(URL).json()["data"] == []
    for answer in (api.get(f"{URL}/{calendar.pk}"), change(api, calendar, blocks=False)):
        assert (answer.status_code, answer.json()["message"]) == (404, "calendar not found")
    assert Calendar.objects.get().blocks


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_its_entries_close_no_time_any_more(api: Client, calendar: Calendar, method: str) -> None:
    Calendar.objects.update(read_at=NOW)
    CalendarAccount.objects.update(whole_at=NOW)
    shown = change(api, calendar, method, blocks=False).json()["data"]
    assert (shown["blocks"], shown["entries"], shown["as_of"]) == (False, 0, None)
    assert not BusyTime.objects.exists()
    again = change(api, calendar, method, blocks=True).json()["data"]
    assert (again["blocks"], again["blocks_tentative"], again["blocks_all_day"]) == (True,) * 3
    assert CalendarAccount.objects.get().whole_at is None  # it is read anew


def test_tentative_and_all_day_entries_by_switches(api: Client, calendar: Calendar) -> None:
    Entry.objects.update(is_all_day=True)
    assert change(api, calendar, blocks_all_day=False).json()["data"]["blocks_all_day"] is False
    assert not BusyTime.objects.exists()
    change(api, calendar, blocks_all_day=True)
    Entry.objects.update(shown_as="tentative")
    assert BusyTime.objects.count() == 1
    change(api, calendar, blocks_tentative=False)
    assert not BusyTime.objects.exists()


def test_bookings_are_written_to_one_calendar(
    api: Client, alice: User, calendar: Calendar, book: Book
) -> None:
    booking = book(start=START + timedelta(hours=2))
    other = factories.calendar(alice, now=NOW, name="Home")
    assert change(api, calendar, writes=True).json()["data"]["writes"]
    assert [(push.calendar, push.uid) for push in Push.objects.all()] == [
        (calendar, booking.calendar_uid)
    ]
    change(api, other, writes=True)
    assert list(Calendar.objects.filter(writes=True)) == [other]
    change(api, other, writes=False)
    assert not Calendar.objects.filter(writes=True).exists()


def test_to_write_nothing_to_one_leaves_the_other(
    api: Client, alice: User, calendar: Calendar
) -> None:
    other = factories.calendar(alice, now=NOW, name="Home")
    change(api, calendar, writes=True)
    change(api, other, writes=False)
    assert list(Calendar.objects.filter(writes=True)) == [calendar]


def test_what_cannot_be_written_to_is_422(api: Client, calendar: Calendar) -> None:
    Calendar.objects.update(is_writable=False)
    answer = change(api, calendar, writes=True, blocks=False)
    assert answer.json()["details"] == [
        {"field": "writes", "message": "This calendar cannot be written to."}
    ]
    assert Calendar.objects.get().blocks


@pytest.mark.parametrize("name", ["blocks", "blocks_tentative", "blocks_all_day", "writes"])
@pytest.mark.parametrize("value", ["true", 1, None, []])
def test_a_value_of_another_type_is_422(
    api: Client, calendar: Calendar, name: str, value: Any
) -> None:
    answer = change(api, calendar, **{name: value})
    assert [each["field"] for each in answer.json()["details"]] == [name]


def test_the_rest_of_it_is_the_servers(api: Client, calendar: Calendar) -> None:
    before = api.get(f"{URL}/{calendar.pk}").json()
    assert change(api, calendar, name="Mine", is_writable=False, uuid="cal_x").json() == before

"""GET /api/v1/calendar_accounts and /{id}: state, errors in words, counts, pages and owners."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from calendars.domain import entries
from calendars.models import Calendar, CalendarAccount
from calendars.models.entries import Entry
from tests import factories
from tests.pages import NOW, START

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

URL = "/api/v1/calendar_accounts"


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "calendars:read")


def test_a_list_answers_what_one_answers(api: Client, alice: User) -> None:
    first, second = (factories.calendar(alice, now=NOW, name=name) for name in ("Work", "Home"))
    answer = api.get(URL).json()
    assert [each["uuid"] for each in answer["data"]] == [first.account.uuid, second.account.uuid]
    assert answer["pagination"] == {"page": 1, "limit": 20, "total": 2, "pages": 1}
    for key in (first.account.uuid, first.account.pk):
        assert api.get(f"{URL}/{key}").json() == {"data": answer["data"][0]}


def test_it_says_how_it_went(api: Client, alice: User) -> None:
    calendar = factories.calendar(alice, now=NOW)
    factories.entry(calendar, start=START, end=START + timedelta(hours=1))
    entries.save(calendar, [entries.Reading("/broken.ics", "1", "broken", error="too_frequent")])
    earlier = NOW - timedelta(minutes=7)
    Calendar.objects.update(read_at=earlier, error="timeout", write_error="forbidden")
    CalendarAccount.objects.update(
        state="failing", error="http_503", state_since=NOW, read_at=earlier - timedelta(minutes=1)
    )
    shown = api.get(f"{URL}/{calendar.account.pk}").json()["data"]
    assert {name: shown[name] for name in ("state", "state_since", "error", "message")} == {
        "state": "failing",
        "state_since": "2026-03-02T09:00:00Z",
        "error": "http_503",
        "message": "The server answered with an error (503).",
    }
    assert shown["read_at"] == "2026-03-02T08:52:00Z"
    [told] = shown["calendars"]
    named = (
        "entries",
        "unreadable",
        "as_of",
        "error",
        "message",
        "unwritten",
        "write_error",
        "write_message",
    )
    assert {name: told[name] for name in named} == {
        "entries": 1,
        "unreadable": 1,
        "as_of": "2026-03-02T08:53:00Z",
        "error": "timeout",
        "message": "The server did not answer in time.",
        "unwritten": 0,
        "write_error": "forbidden",
        "write_message": "The server does not let this account do that.",
    }


def test_a_reading_without_news_counts(api: Client, alice: User) -> None:
    calendar = factories.calendar(alice, now=NOW)
    Calendar.objects.update(read_at=NOW - timedelta(hours=2))
    CalendarAccount.objects.update(read_at=NOW - timedelta(minutes=1))
    shown = api.get(f"/api/v1/calendars/{calendar.pk}").json()["data"]
    assert shown["as_of"] == "2026-03-02T08:59:00Z"


def test_a_calendar_that_was_never_read_is_known_as_of_no_time(api: Client, alice: User) -> None:
    """The account was read: its other calendars."""
    calendar = factories.calendar(alice, now=NOW)
    CalendarAccount.objects.update(read_at=NOW)
    shown = api.get(f"/api/v1/calendars/{calendar.pk}").json()["data"]
    assert shown["as_of"] is None


def test_accounts_of_others_are_not_there(api: Client, bob: User) -> None:
    calendar = factories.calendar(bob, now=NOW)
    assert api.get(URL).json()["data"] == []
    for key in (calendar.account.pk, calendar.account.uuid, "cac_0", "x", 10**17):
        answer = api.get(f"{URL}/{key}")
        assert (answer.status_code, answer.json()["message"]) == (404, "calendar account not found")


def test_an_account_that_is_being_disconnected_is_not_there(api: Client, alice: User) -> None:
    calendar = factories.calendar(alice, now=NOW)
    CalendarAccount.objects.update(is_ending=True)
    assert api.get(URL).json()["data"] == []
    assert api.get("/api/v1/calendars").json()["data"] == []
    assert api.get(f"{URL}/{calendar.account.pk}").status_code == 404
    assert api.get(f"/api/v1/calendars/{calendar.pk}").status_code == 404


@pytest.mark.parametrize("query", ["page=0", "limit=101", "page=", "limit=x", "page=1&page=2"])
def test_a_page_that_cannot_be_is_422(api: Client, query: str) -> None:
    assert api.get(f"{URL}?{query}").status_code == 422
    assert api.get(f"/api/v1/calendars?{query}").status_code == 422


@pytest.mark.parametrize("count", [1, 5])
def test_the_number_of_queries_does_not_grow(
    api: Client, alice: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        calendar = factories.calendar(alice, now=NOW, name=f"Calendar {number}")
        factories.entry(calendar, start=START, end=START + timedelta(hours=1))
    api.get(URL)  # the use of the token is written
    with django_assert_num_queries(3):  # token, accounts with their count, calendars
        assert len(api.get(URL).json()["data"]) == count
    with django_assert_num_queries(2):  # token, calendars with their count
        assert [each["entries"] for each in api.get("/api/v1/calendars").json()["data"]] == [
            1
        ] * count
    assert Entry.objects.count() == count

"""Staff pages of outside calendars: without secrets and titles, with what mends them."""

from datetime import timedelta

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, User
from calendars.domain import feeds, ledger
from calendars.models import Calendar, CalendarAccount, Entry, Feed, Item, Push
from calendars.models.entries import key_of
from tests import factories
from tests.admin.calls import act, listed, url

pytestmark = pytest.mark.django_db

TABLES: list[type[Model]] = [CalendarAccount, Calendar, Item, Entry, Feed, Push]


def connected(person: User) -> Push:
    """Connect a calendar with one entry, a feed and a failed write. Return the write."""
    now = timezone.now()
    calendar = factories.chosen_calendar(person, now=now)
    item = Item.objects.create(
        calendar=calendar, key=key_of("x"), href="/secret-path", etag="secret-etag", uid="secret-id"
    )
    [claim] = ledger.claim_outside(user_id=person.pk, spans=[(1_800_000_000, 1_800_003_600)])
    Entry.objects.create(
        calendar=calendar,
        item=item,
        start=claim.start,
        end=claim.end,
        title="Secret dentist",
        shown_as="busy",
        busy_time=claim,
    )
    feeds.rotate(user=person, now=now)
    return Push.objects.create(
        calendar=calendar,
        source="booking",
        number=1,
        uid="evt_1@parley.example",
        ends_at=now,
        href="/secret-path/2",
        state="failed",
        attempts=10,
        last_error="forbidden",
        due_at=now - timedelta(hours=2),
        created_at=now,
        settled_at=now,
    )


@pytest.fixture
def push(alice: User) -> Push:
    return connected(alice)


@pytest.mark.parametrize("model", TABLES, ids=str)
def test_no_page_shows_a_secret_or_a_title(
    staff: Client, alice: User, push: Push, model: type[Model]
) -> None:
    feed = Feed.objects.get()
    row = model._default_manager.get()
    for path in (url(model), url(model, "change/", row.pk)):
        page = staff.get(path)
        assert page.status_code == 200
        assert alice.email in page.content.decode() or path == url(model)
        for secret in ("secret", "Secret", "office-user", "/home/", feed.token, feed.digest):
            assert secret not in page.content.decode()


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("model", TABLES, ids=str)
def test_a_list_takes_as_many_queries_with_one_row_as_with_three(
    staff: Client,
    push: Push,
    model: type[Model],
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(1, count):
        connected(factories.user(f"host{number}"))
    with django_assert_num_queries(4):  # session, person, how many there are, and the rows
        assert len(listed(staff, model)) == count


@pytest.mark.parametrize("model", TABLES, ids=str)
def test_rows_are_found_by_their_person(
    staff: Client, alice: User, bob: User, push: Push, model: type[Model]
) -> None:
    assert len(listed(staff, model, person=alice.pk)) == 1
    assert len(listed(staff, model, q=alice.email)) == 1
    assert listed(staff, model, person=bob.pk) == []


def test_an_account_is_read_now_on_record(staff: Client, alice: User, push: Push) -> None:
    account = CalendarAccount.objects.get()
    later = timezone.now() + timedelta(hours=1)
    CalendarAccount.objects.update(due_at=later, whole_at=later)
    assert "Read now: done." in act(staff, "read_now", account)
    account.refresh_from_db()
    assert account.due_at <= timezone.now()
    assert account.whole_at is None
    assert AuditEntry.objects.get(action="staff_acted").person == alice


def test_a_write_is_sent_again_and_taken_back(staff: Client, push: Push) -> None:
    narrowed = {"kind": "booking", "state": "failed", "due_for": "1h"}
    assert listed(staff, Push, **narrowed) == [push]
    assert "Send again: done." in act(staff, "requeue", push)
    push.refresh_from_db()
    assert (push.state, push.attempts, push.last_error) == ("waiting", 0, "")
    act(staff, "withdraw", push)
    push.refresh_from_db()
    assert push.state == "withdrawn"
    assert "This message does not wait any more." in act(staff, "withdraw", push)

"""GET /api/v1/events: answer shape, order, filters and pages."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.api.filters import EventFilters
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START
from tests.scheduling.calls import call, data, wrong
from tests.scheduling.conftest import Book

pytestmark = pytest.mark.usefixtures("at_now")

NO_MOMENT = "Use a date and a time such as 2026-12-15T14:00:00Z (ISO 8601)."
NO_KEY = "Use the number or the uuid of an event type."
NO_STATUS = "Select a valid choice. {} is not one of the available choices."


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "events:read")


def found(api: Client, query: str = "") -> list[int]:
    return [row["id"] for row in data(call(api, "GET", f"/events{query}"))]


def test_it_has_the_documents_shape(alice: User) -> None:
    event_type = factories.event_type(alice, duration=60)
    start, now = (datetime(2025, 6, day, 10, tzinfo=UTC) for day in (20, 15))
    booking = factories.booking(
        event_type,
        start=start,
        now=now,
        notes="Discuss project requirements",
        timezone="America/New_York",
        phone="+1234567890",
    )
    with time_machine.travel(now, tick=False):
        answer = call(factories.client(alice, "events:read"), "GET", "/events")
    assert answer == (
        200,
        {
            "data": [
                {
                    "uuid": booking.uuid,
                    "id": booking.pk,
                    "status": "confirmed",
                    "start_time": "2025-06-20T10:00:00Z",
                    "end_time": "2025-06-20T11:00:00Z",
                    "timezone": "America/New_York",
                    "event_type": {
                        "uuid": event_type.uuid,
                        "id": event_type.pk,
                        "name": "30 Minute Meeting",
                        "slug": "30-minute-meeting",
                        "duration": 60,
                    },
                    "location": {
                        "type": "zoom_meeting",
                        "display": "Zoom Call",
                        "custom": None,
                        "join_url": None,
                    },
                    "join_url": None,
                    "invitee": {
                        "name": "John Doe",
                        "email": "john@example.com",
                        "phone": "+1234567890",
                    },
                    "guests": [],
                    "host": {"name": "Alice Ames", "email": "alice@example.com"},
                    "notes": "Discuss project requirements",
                    "custom_field_values": {},
                    "questions": [],
                    "metadata": {},
                    "sequence": 0,
                    "no_show": False,
                    "last_change": {
                        "change": "created",
                        "by": "invitee",
                        "reason": "",
                        "at": "2025-06-15T10:00:00Z",
                    },
                    "previous": None,
                    "created_at": "2025-06-15T10:00:00Z",
                    "updated_at": "2025-06-15T10:00:00Z",
                    "uri": f"/api/v1/events/{booking.pk}",
                }
            ],
            "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1},
        },
    )


def test_they_come_by_start_and_page_by_page(api: Client, book: Book) -> None:
    later, first, second = (book(start=START + timedelta(hours=hours)) for hours in (4, 0, 2))
    assert found(api) == [first.pk, second.pk, later.pk]
    status, body = call(api, "GET", "/events?limit=2&page=2")
    assert (status, [row["id"] for row in body["data"]], body["pagination"]) == (
        200,
        [later.pk],
        {"page": 2, "limit": 2, "total": 3, "pages": 2},
    )
    for page in (3, 10**30):
        assert call(api, "GET", f"/events?limit=2&page={page}") == (
            200,
            {"data": [], "pagination": {"page": page, "limit": 2, "total": 3, "pages": 2}},
        )


def test_those_of_one_moment_come_as_they_were_made(
    api: Client, alice: User, approved: EventType, book: Book
) -> None:
    made = []
    for _ in range(3):
        booking = book(of=approved)
        bookings.reject(booking=booking, actor=bookings.host(alice), now=NOW)
        made.append(booking.pk)
    assert [found(api, f"?limit=1&page={page}") for page in (1, 2, 3)] == [[pk] for pk in made]


def test_status_is_judged_by_now(api: Client, alice: User, approved: EventType, book: Book) -> None:
    host = bookings.host(alice)
    at = [START + timedelta(hours=hours) for hours in range(5)]
    confirmed = book(start=at[0])
    pending = book(of=approved, start=at[1])
    rejected = bookings.reject(booking=book(of=approved, start=at[2]), actor=host, now=NOW)
    cancelled = bookings.cancel(booking=book(start=at[3]), actor=host, now=NOW)
    later = book(start=at[4])

    def by_status() -> dict[str, list[int]]:
        names = ("pending", "confirmed", "rejected", "cancelled", "expired", "completed")
        shown = {name: data(call(api, "GET", f"/events?status={name}")) for name in names}
        for name, rows in shown.items():
            assert {row["status"] for row in rows} <= {name}
        return {name: [row["id"] for row in rows] for name, rows in shown.items() if rows}

    assert by_status() == {
        "pending": [pending.pk],
        "confirmed": [confirmed.pk, later.pk],
        "rejected": [rejected.pk],
        "cancelled": [cancelled.pk],
    }
    # No sweep has written anything down.
    with time_machine.travel(at[1], tick=False):
        assert by_status() == {
            "expired": [pending.pk],
            "completed": [confirmed.pk],
            "confirmed": [later.pk],
            "rejected": [rejected.pk],
            "cancelled": [cancelled.pk],
        }
    with time_machine.travel(at[4] + timedelta(minutes=30), tick=False):
        assert by_status()["completed"] == [confirmed.pk, later.pk]
        for booking in (pending, confirmed):
            bookings.record_overdue(booking=booking, now=at[4])
        assert by_status() == {
            "expired": [pending.pk],
            "completed": [confirmed.pk, later.pk],
            "rejected": [rejected.pk],
            "cancelled": [cancelled.pk],
        }


def test_of_one_event_type(
    api: Client, event_type: EventType, approved: EventType, bob: User, book: Book
) -> None:
    book()
    wanted = book(of=approved, start=START + timedelta(hours=2))
    others = factories.event_type(bob)
    book(of=others)
    for key in (approved.pk, approved.uuid):
        assert found(api, f"?event_type={key}") == [wanted.pk]
    for key in (others.pk, others.uuid, 999_999, "9" * 18, "et_00000000000000000000"):
        assert found(api, f"?event_type={key}") == []


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        ("start_after=2026-03-04T11:00:00Z", [1, 2]),
        ("start_after=2026-03-04T11:00:01Z", [2]),
        ("start_before=2026-03-04T11:00:00Z", [0]),
        ("start_before=2026-03-04T11:00:00.000001Z", [0, 1]),
        ("start_after=2026-03-04T11:00&start_before=2026-03-04T12:00", [1]),
        ("start_after=2026-03-04T16:45%2B05:45", [1, 2]),
        ("start_before=2026-03-04T06:00-05:00", [0]),
        ("start_after=2026-03-05T00:00Z", []),
        ("start_after=2026-03-05T00:00Z&start_before=2026-03-04T00:00Z", []),
    ],
)
def test_starts_from_and_until(api: Client, book: Book, query: str, hours: list[int]) -> None:
    made = [book(start=START + timedelta(hours=hour)).pk for hour in range(3)]
    assert found(api, f"?{query}") == [made[hour] for hour in hours]


def test_of_one_invitee(api: Client, book: Book) -> None:
    book()
    wanted = book(start=START + timedelta(hours=1), email="Zoe@Example.com")
    for email in ("zoe@example.com", "ZOE@EXAMPLE.COM"):
        assert found(api, f"?email={email}") == [wanted.pk]
    for email in ("zoe@example.co", "oe@example.com", "z%25e@example.com"):
        assert found(api, f"?email={email}") == []


def test_changed_since_then_in_the_order_of_the_changes(
    api: Client, alice: User, book: Book
) -> None:
    first, second, third = (book(start=START + timedelta(hours=hours)) for hours in range(3))
    later = NOW + timedelta(minutes=5)
    bookings.update(booking=second, notes="Bring the plans", now=later)
    bookings.cancel(
        booking=first, actor=bookings.host(alice), now=later + timedelta(microseconds=1)
    )
    assert found(api, "?updated_after=2026-03-02T09:00Z") == [third.pk, second.pk, first.pk]
    assert found(api, "?updated_after=2026-03-02T09:05Z") == [second.pk, first.pk]  # inclusive
    assert found(api, "?updated_after=2026-03-02T10:05%2B01:00&limit=1&page=2") == [first.pk]
    assert found(api, "?updated_after=2026-03-02T09:05:00.000001Z") == [first.pk]
    assert found(api, "?updated_after=2026-03-02T09:05Z&status=confirmed") == [second.pk]
    assert found(api, "?updated_after=2026-03-02T09:06Z") == []


def test_what_changed_is_found_by_an_index(alice: User) -> None:
    rows = Booking.objects.visible_to(alice)
    changed = EventFilters({"updated_after": "2026-03-02T09:00Z"}, queryset=rows).qs
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # the table is nearly empty
    plan = changed.explain()
    assert "booking_hosted_by_change" in plan
    assert "B-TREE" not in plan  # SQLite's word for sorting
    assert "Sort" not in plan  # and that of PostgreSQL


def test_all_of_it_at_once(api: Client, event_type: EventType, book: Book) -> None:
    wanted, _other = book(), book(start=START + timedelta(hours=1))
    query = f"?status=confirmed&event_type={event_type.pk}&email=john@example.com&limit=5"
    assert found(api, f"{query}&start_before=2026-03-04T11:00Z") == [wanted.pk]


@pytest.mark.parametrize(
    ("query", "details"),
    [
        *(
            (f"status={status}", [("status", NO_STATUS.format(status))])
            for status in ("done", "Pending", "null", "0")
        ),
        ("status=", [("status", "This value may not be empty.")]),
        *(
            (f"event_type={key}", [("event_type", NO_KEY)])
            for key in ("x", "-1", "1.5", "evt_00000000000000000000", "9" * 19, "%D9%A1")
        ),
        ("event_type=", [("event_type", "This value may not be empty.")]),
        (
            "event_type=1%00",
            [("event_type", NO_KEY), ("event_type", "Null characters are not allowed.")],
        ),
        *(
            (f"start_after={text}", [("start_after", NO_MOMENT)])
            for text in ("today", "2026-03-04", "1772618400", "2026-03-04T10:00+01:00")
        ),
        ("start_after=2026-02-30T10:00Z", [("start_after", "There is no such date and time.")]),
        ("start_before=0001-01-01T00:00Z", [("start_before", "Use a year from 1900 to 9000.")]),
        ("start_before=", [("start_before", "This value may not be empty.")]),
        ("updated_after=", [("updated_after", "This value may not be empty.")]),
        ("updated_after=yesterday", [("updated_after", NO_MOMENT)]),
        ("email=john", [("email", "Enter a valid email address.")]),
        ("email=", [("email", "This value may not be empty.")]),
        (
            "email=a%00@example.com",
            [
                ("email", "Enter a valid email address."),
                ("email", "Null characters are not allowed."),
            ],
        ),
        ("page=0", [("page", "Ensure this value is greater than or equal to 1.")]),
        ("page=one", [("page", "A valid integer is required.")]),
        ("limit=101", [("limit", "Ensure this value is less than or equal to 100.")]),
        (
            "status=x&start_after=y",
            [("status", NO_STATUS.format("x")), ("start_after", NO_MOMENT)],
        ),
    ],
)
def test_a_query_that_makes_no_sense_is_422(
    api: Client, query: str, details: list[tuple[str, str]]
) -> None:
    assert wrong(call(api, "GET", f"/events?{query}")) == details


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("query", ["", "?status=confirmed&event_type={}&email=john@example.com"])
def test_the_number_of_queries_does_not_grow(
    api: Client,
    event_type: EventType,
    book: Book,
    rows: int,
    query: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(rows):
        book(start=START + timedelta(hours=number))
    call(api, "GET", "/events")  # the token's last use is noted
    with django_assert_num_queries(3):  # token, rows with their count, guests
        answer = call(api, "GET", f"/events{query.format(event_type.uuid)}")
    assert len(data(answer)) == rows

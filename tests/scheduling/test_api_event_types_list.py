"""GET /api/v1/event_types: answer shape, order, filter and pages."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests import factories
from tests.scheduling.calls import call, data, wrong

# The fields between `id` and `created_at`, in their order.
EXAMPLE: dict[str, Any] = {
    "name": "30 Minute Meeting",
    "slug": "30-minute-meeting",
    "description": "A quick 30-minute consultation",
    "duration": 30,
    "durations": [],
    "color": "#4F46E5",
    "location": {
        "type": "zoom_meeting",
        "display": "Zoom Call",
        "custom": None,
        "link": None,
        "link_later": True,
    },
    "is_active": True,
    "is_hidden": False,
    "requires_approval": False,
    "confirm_email": False,
    "scheduling_settings": {
        "buffer_time_before": 5,
        "buffer_time_after": 10,
        "min_advance_booking": 24,
        "max_advance_booking": 60,
        "available_days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "slot_interval": None,
        "daily_limit": None,
        "weekly_limit": None,
        "cancellation_notice": 0,
        "reminders": [1440, 15],
        "schedule_id": None,
    },
    "timezone": "America/New_York",
    "payment": {"is_paid": False, "price": None, "currency": "USD", "payment_method": None},
    "custom_fields": [],
    "redirect_url": None,
    "sort_order": 0,
}


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "event_types:read")


def names(api: Client, query: str = "") -> list[str]:
    return [row["name"] for row in data(call(api, "GET", f"/event_types{query}"))]


@pytest.mark.usefixtures("at_now")
def test_it_has_the_documents_shape(api: Client, alice: User) -> None:
    made = factories.event_type(
        alice,
        description="A quick 30-minute consultation",
        buffer_time_before=5,
        buffer_time_after=10,
        min_advance_booking=24,
        available_days=[1, 2, 3, 4, 5],
        timezone="America/New_York",
    )
    status, body = call(api, "GET", "/event_types")
    assert (status, body) == (
        200,
        {
            "data": [
                {
                    "uuid": made.uuid,
                    "id": made.pk,
                    **EXAMPLE,
                    "created_at": "2026-03-02T09:00:00Z",
                    "updated_at": "2026-03-02T09:00:00Z",
                    "uri": f"/api/v1/event_types/{made.pk}",
                    "scheduling_url": "alice/30-minute-meeting",
                }
            ],
            "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1},
        },
    )
    assert (made.uuid[:3], len(made.uuid)) == ("et_", 23)
    # The order of the fields is promised too.
    assert list(body["data"][0]) == [
        "uuid",
        "id",
        *EXAMPLE,
        "created_at",
        "updated_at",
        "uri",
        "scheduling_url",
    ]


def test_what_is_paid_for_and_where(api: Client, alice: User) -> None:
    factories.event_type(
        alice,
        location="custom",
        location_custom="At the pond",
        price=Decimal("150.00"),
        currency="EUR",
        payment_method="invoice",
    )
    (row,) = data(call(api, "GET", "/event_types"))
    assert (row["location"], row["payment"]) == (
        {
            "type": "custom",
            "display": "At the pond",
            "custom": "At the pond",
            "link": None,
            "link_later": True,
        },
        {"is_paid": True, "price": "150.00", "currency": "EUR", "payment_method": "invoice"},
    )


def test_what_costs_nothing_is_not_paid_for(api: Client, alice: User) -> None:
    factories.event_type(alice, price=Decimal(0))
    (row,) = data(call(api, "GET", "/event_types"))
    assert row["payment"] == {
        "is_paid": False,
        "price": "0.00",
        "currency": "USD",
        "payment_method": None,
    }


def test_they_come_by_position_and_then_as_they_were_made(api: Client, alice: User) -> None:
    for name, position in (("last", 2), ("second", 1), ("third", 1), ("first", -1)):
        factories.event_type(alice, name=name, sort_order=position)
    assert names(api) == ["first", "second", "third", "last"]


def test_they_come_page_by_page(api: Client, alice: User) -> None:
    for number in range(3):
        factories.event_type(alice, name=f"Type {number}")
    status, body = call(api, "GET", "/event_types?page=2&limit=2")
    assert (status, [row["name"] for row in body["data"]], body["pagination"]) == (
        200,
        ["Type 2"],
        {"page": 2, "limit": 2, "total": 3, "pages": 2},
    )
    assert call(api, "GET", "/event_types?page=9") == (
        200,
        {"data": [], "pagination": {"page": 9, "limit": 20, "total": 3, "pages": 1}},
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["On", "Off"]),
        ("?active=true", ["On"]),
        ("?active=false", ["Off"]),
        ("?active=1", ["On"]),
        ("?active=True", ["On"]),  # as Python writes it
        ("?active=0", ["Off"]),
        ("?active=FALSE", ["Off"]),
        ("?active=1&limit=30.0&page=1.0", ["On"]),
        ("?unheard=of&unheard=twice", ["On", "Off"]),
        ("?unheard=of", ["On", "Off"]),
    ],
)
def test_it_can_be_narrowed_to_those_that_can_be_booked(
    api: Client, alice: User, query: str, found: list[str]
) -> None:
    factories.event_type(alice, name="On")
    factories.event_type(alice, name="Off", is_active=False)
    assert names(api, query) == found


def test_what_is_counted_is_what_was_asked_for(api: Client, alice: User) -> None:
    factories.event_type(alice, name="On")
    factories.event_type(alice, name="Off", is_active=False)
    _status, body = call(api, "GET", "/event_types?active=true")
    assert body["pagination"] == {"page": 1, "limit": 20, "total": 1, "pages": 1}


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("active=", [("active", "This value may not be empty.")]),
        *(
            (f"active={value}", [("active", "Use true or false.")])
            for value in ("2", "yes", "null", "%20true", "１")
        ),
        ("active=1&active=1", [("active", "Give this parameter once.")]),
        ("limit=1&active=1&limit=2", [("limit", "Give this parameter once.")]),
        ("page=0", [("page", "Ensure this value is greater than or equal to 1.")]),
        ("page=", [("page", "A valid integer is required.")]),
        ("page=1_0", [("page", "A valid integer is required.")]),
        ("limit=0", [("limit", "Ensure this value is greater than or equal to 1.")]),
        ("limit=101", [("limit", "Ensure this value is less than or equal to 100.")]),
    ],
)
def test_a_query_that_makes_no_sense_is_422(
    api: Client, query: str, details: list[tuple[str, str]]
) -> None:
    assert wrong(call(api, "GET", f"/event_types?{query}")) == details


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    api: Client, alice: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        factories.event_type(alice, name=f"Type {number}")
    call(api, "GET", "/event_types")  # the token's last use is noted
    with django_assert_num_queries(2):  # token, rows with their count
        answer = call(api, "GET", "/event_types")
    assert len(data(answer)) == rows

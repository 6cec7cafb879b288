"""GET /api/v1/users/me/schedules: shape, order and pages."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.domain import services
from scheduling.models import Schedule
from tests import factories
from tests.scheduling.calls import call, data

URL = "/users/me/schedules"
NINE_TO_FIVE = {"start": "09:00", "end": "17:00"}
OFF = {str(day): {"enabled": False, **NINE_TO_FIVE} for day in (6, 7)}

pytestmark = pytest.mark.usefixtures("at_now")


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "availability:read")


def test_the_default_schedule_comes_first_and_then_as_they_were_made(
    api: Client, alice: User, evenings: Schedule
) -> None:
    status, body = call(api, "GET", URL)
    default = alice.weekly_availability.default
    made = {
        "timezone": "UTC",
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
    }
    assert (status, body) == (
        200,
        {
            "data": [
                {
                    "uuid": default.uuid,
                    "id": default.pk,
                    "name": "Working hours",
                    "is_default": True,
                    "availability": {
                        **{str(day): {"enabled": True, **NINE_TO_FIVE} for day in range(1, 6)},
                        **OFF,
                    },
                    **made,
                    "uri": f"/api/v1/users/me/schedules/{default.pk}",
                },
                {
                    "uuid": evenings.uuid,
                    "id": evenings.pk,
                    "name": "Evenings",
                    "is_default": False,
                    "availability": {
                        **{
                            str(day): {"enabled": True, "start": "18:00", "end": "21:00"}
                            for day in range(1, 6)
                        },
                        **OFF,
                    },
                    **made,
                    "uri": f"/api/v1/users/me/schedules/{evenings.pk}",
                },
            ],
            "pagination": {"page": 1, "limit": 20, "total": 2, "pages": 1},
        },
    )
    assert (evenings.uuid[:4], len(evenings.uuid)) == ("sch_", 24)


def test_they_come_page_by_page(api: Client, evenings: Schedule) -> None:
    _status, body = call(api, "GET", f"{URL}?page=2&limit=1")
    assert [row["id"] for row in body["data"]] == [evenings.pk]
    assert body["pagination"] == {"page": 2, "limit": 1, "total": 2, "pages": 2}


def test_everybody_has_their_own(evenings: Schedule, bob: User) -> None:
    names = [row["name"] for row in data(call(factories.client(bob), "GET", URL))]
    assert names == ["Working hours"]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    api: Client, alice: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, rows):
        services.create_schedule(user=alice, name=f"Schedule {number}")
    call(api, "GET", URL)  # the token's last use is noted
    with django_assert_num_queries(2):  # token, rows with their count
        answer = call(api, "GET", URL)
    assert len(data(answer)) == rows

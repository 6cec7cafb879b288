"""GET /api/v1/users/me/devices: the caller's push devices, with shortened tokens."""

from datetime import UTC, datetime

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from accounts.domain import services
from accounts.models import User
from notifications.domain import devices
from tests import factories

URL = "/api/v1/users/me/devices"


def test_it_tells_how_a_token_begins_and_no_more(alice: User) -> None:
    with time_machine.travel(datetime(2026, 3, 2, 9, 0, tzinfo=UTC), tick=False):
        first = services.register_device(
            user=alice, token="abcdefgh-secret", platform="ios", name="My phone"
        )
        second = services.register_device(user=alice, token="12345678-secret", platform="web")
    devices.deactivate(digest=second.digest)
    answer = factories.client(alice, "users:read").get(URL)
    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {
                "id": first.pk,
                "platform": "ios",
                "name": "My phone",
                "token": "abcdefgh...",
                "is_active": True,
                "created_at": "2026-03-02T09:00:00Z",
            },
            {
                "id": second.pk,
                "platform": "web",
                "name": "",
                "token": "12345678...",
                "is_active": False,
                "created_at": "2026-03-02T09:00:00Z",
            },
        ],
        "pagination": {"page": 1, "limit": 20, "total": 2, "pages": 1},
    }


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    alice: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        services.register_device(user=alice, token=f"token-{number}", platform="web")
    client = factories.client(alice)
    client.get(URL)
    with django_assert_num_queries(2):  # token, rows with their count
        answer = client.get(URL)
    assert len(answer.json()["data"]) == rows

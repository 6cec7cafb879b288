"""GET /api/v1/teams: the caller's teams, with their role in each."""

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from tests import factories

URL = "/api/v1/teams"


def test_it_tells_my_place_in_each(alice: User, bob: User, team: Team) -> None:
    other = factories.team("Advisers", bob, alice)
    answer = factories.client(alice, "users:read").get(URL)
    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {"id": other.pk, "name": "Advisers", "role": "member"},
            {"id": team.pk, "name": "Founders", "role": "owner"},
        ],
        "pagination": {"page": 1, "limit": 20, "total": 2, "pages": 1},
    }


def test_teams_of_one_name_come_in_the_order_of_their_numbers(alice: User) -> None:
    made = [factories.team("Same", alice).pk for _ in range(3)]
    pages = [factories.client(alice).get(f"{URL}?limit=1&page={n}").json() for n in (1, 2, 3)]
    assert [page["data"][0]["id"] for page in pages] == made


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    alice: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        factories.team(f"Team {number}", alice)
    client = factories.client(alice)
    client.get(URL)
    with django_assert_num_queries(2):  # token, rows with their count
        answer = client.get(URL)
    assert len(answer.json()["data"]) == rows

"""GET /api/v1/teams/{id}/members: the active members and their zones."""

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership, Team, User
from tests import factories


def test_it_tells_who_and_in_which_zone(alice: User, bob: User, team: Team) -> None:
    User.objects.filter(pk=bob.pk).update(timezone="Asia/Kathmandu")
    answer = factories.client(bob, "users:read").get(f"/api/v1/teams/{team.pk}/members")
    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {"id": alice.pk, "name": "Alice Ames", "timezone": "UTC"},
            {"id": bob.pk, "name": "Bob Byrd", "timezone": "Asia/Kathmandu"},
        ],
        "pagination": {"page": 1, "limit": 20, "total": 2, "pages": 1},
    }


def test_who_was_locked_out_is_not_among_them(alice: User, bob: User, team: Team) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    body = factories.client(alice).get(f"/api/v1/teams/{team.pk}/members").json()
    assert [row["id"] for row in body["data"]] == [alice.pk]


@pytest.mark.parametrize("number", ["0", "999999", "9" * 30, "9" * 5_000, "x", "-1", "1.0"])
def test_an_unknown_team_is_404(alice: User, number: str) -> None:
    answer = factories.client(alice).get(f"/api/v1/teams/{number}/members")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    alice: User, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    team = factories.team("Founders", alice)
    for number in range(rows - 1):
        Membership.objects.create(team=team, user=factories.user(f"member-{number}"))
    client = factories.client(alice)
    client.get("/api/v1/teams")
    with django_assert_num_queries(3):  # token, team, rows with their count
        answer = client.get(f"/api/v1/teams/{team.pk}/members")
    assert len(answer.json()["data"]) == rows

"""GET /api/v3/meeting/list: a person's meetings, tab by tab."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team, User
from meetings.domain import services
from meetings.models import MeetingRequest
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def ask(requester: User, recipient: User, team: Team, hour: int = 10) -> MeetingRequest:
    return services.request_meeting(
        requester=requester,
        team_id=team.pk,
        recipient_id=recipient.pk,
        date=f"2026-03-04T{hour:02}:00Z",
        link="",
        now=NOW - timedelta(days=30),
    )


def listed(client: Client, user: User, query: str = "") -> Any:
    token = factories.token(user, "meetings:read")
    answer = client.get(
        f"/api/v3/meeting/list{query}", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200
    return answer.json()


def ids(client: Client, user: User, tab: str) -> list[int]:
    return [row["id"] for row in listed(client, user, f"?tab={tab}")["data"]]


def test_each_meeting_is_in_its_tab(client: Client, alice: User, bob: User, team: Team) -> None:
    pending = ask(alice, bob, team)
    mine = ask(bob, alice, team)
    confirmed = services.confirm(meeting=ask(alice, bob, team, 12), actor=bob, now=NOW)
    rejected = services.reject(meeting=ask(alice, bob, team), actor=bob, now=NOW)
    cancelled = services.cancel(meeting=ask(alice, bob, team), actor=alice, now=NOW)

    tabs = ("pending-meeting", "confirmed", "rejected", "cancelled", "completed", "expired", "sent")
    assert {tab: ids(client, bob, tab) for tab in tabs} == {
        "pending-meeting": [pending.pk],
        "confirmed": [confirmed.pk],
        "rejected": [rejected.pk],
        "cancelled": [cancelled.pk],
        "completed": [],
        "expired": [],
        "sent": [mine.pk],
    }
    with time_machine.travel(datetime(2026, 3, 5, tzinfo=UTC)):
        assert ids(client, bob, "pending-meeting") == []
        assert ids(client, bob, "expired") == [pending.pk, mine.pk]
        assert ids(client, bob, "completed") == [confirmed.pk]


def test_the_envelope(client: Client, alice: User, bob: User, team: Team) -> None:
    for hour in (10, 11, 12):
        ask(alice, bob, team, hour)
    page = listed(client, bob, "?tab=pending-meeting&page=2&limit=2")
    assert page["pagination"] == {"page": 2, "limit": 2, "total": 3, "pages": 2}
    assert [row["booking_date"] for row in page["data"]] == ["2026-03-04 12:00:00"]


def test_a_page_past_the_end_is_empty(client: Client, alice: User, team: Team) -> None:
    assert listed(client, alice, "?tab=sent&page=99") == {
        "data": [],
        "pagination": {"page": 99, "limit": 20, "total": 0, "pages": 0},
    }


def test_without_a_tab_it_is_what_waits_for_me(
    client: Client, alice: User, bob: User, team: Team
) -> None:
    waiting = ask(alice, bob, team)
    assert [row["id"] for row in listed(client, bob)["data"]] == [waiting.pk]


def test_changed_since_then_in_the_order_of_the_changes(
    client: Client, alice: User, bob: User, team: Team
) -> None:
    first, second, old = (ask(alice, bob, team, hour) for hour in (10, 11, 12))
    services.confirm(meeting=second, actor=bob, now=NOW - timedelta(minutes=1))
    services.confirm(meeting=first, actor=bob, now=NOW)

    def changed(since: str, tab: str = "sent") -> list[int]:
        return [
            row["id"] for row in listed(client, alice, f"?tab={tab}&updated_after={since}")["data"]
        ]

    assert changed("2026-01-01T00:00Z") == [old.pk, second.pk, first.pk]
    assert changed("2026-03-02T08:59Z") == [second.pk, first.pk]  # inclusive
    assert changed("2026-03-02T09:00Z", "confirmed") == [first.pk]
    assert changed("2026-03-02T09:00:00.000001Z") == []


@pytest.mark.parametrize(
    "query",
    [
        *(
            "?tab=nonsense",
            "?tab=sent&tab=sent",
            "?page=1&page=1",
            "?page=0",
            "?page=x",
            "?limit=101",
            "?limit=0",
            "?limit=-1",
        ),
        *("?updated_after=", "?updated_after=yesterday"),
    ],
)
def test_a_query_that_makes_no_sense_is_400(client: Client, alice: User, query: str) -> None:
    token = factories.token(alice, "meetings:read")
    answer = client.get(
        f"/api/v3/meeting/list{query}", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 400
    assert answer.json()["error"] == 400


def test_a_stranger_sees_nothing(
    client: Client, alice: User, bob: User, charlie: User, team: Team
) -> None:
    ask(alice, bob, team)
    for tab in ("pending-meeting", "sent"):
        assert ids(client, charlie, tab) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    client: Client,
    alice: User,
    bob: User,
    team: Team,
    rows: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for hour in range(rows):
        ask(alice, bob, team, 10 + hour)
    token = factories.token(bob, "meetings:read")
    headers = {"Authorization": f"Bearer {token}"}
    client.get("/api/v3/meeting/list", headers=headers)  # the token's last use is noted
    with django_assert_num_queries(2):  # token, rows with their count
        answer = client.get("/api/v3/meeting/list", headers=headers)
    assert len(answer.json()["data"]) == rows

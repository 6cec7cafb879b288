"""POST /api/v3/meeting/create: a meeting request to a team mate."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Team, User
from meetings.models import MeetingRequest
from notifications.models import Notification
from tests import factories
from tests.outbox import content_of

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 11, 28, 10, 30, tzinfo=UTC)
URL = "/api/v3/meeting/create"

Post = Callable[..., Any]


@pytest.fixture(autouse=True)
def before_the_example() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def post(alice: User, client: Client) -> Post:
    token = factories.token(alice, "meetings:write")

    def post(body: Any, **headers: str) -> Any:
        return client.post(
            URL,
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", **headers},
        )

    return post


@pytest.fixture
def bob_in_new_york(bob: User, team: Team) -> User:
    bob.timezone = "America/New_York"
    bob.save()
    return bob


def test_the_documented_example(post: Post, alice: User, bob_in_new_york: User, team: Team) -> None:
    answer = post(
        {
            "user_id": bob_in_new_york.pk,
            "team_id": team.pk,
            "date": "2025-12-15 14:00:00",
            "link": "https://zoom.us/j/1234567890",
        }
    )
    meeting = MeetingRequest.objects.get()
    assert answer.status_code == 201
    # As a list: the eleven fields of docs/contract.md come first, in their order.
    assert list(answer.json().items()) == [
        ("id", meeting.pk),
        ("booking_number", "MTG-20251128-001"),
        ("client_id", bob_in_new_york.pk),
        ("user_id", alice.pk),
        ("team_id", team.pk),
        ("timezone", "America/New_York"),
        ("booking_date", "2025-12-15 19:00:00"),
        ("start_time", 1765825200),
        ("end_time", 1765828800),
        ("created_at", "2025-11-28T10:30:00Z"),
        ("updated_at", "2025-11-28T10:30:00Z"),
        ("status", "pending"),
        ("link", "https://zoom.us/j/1234567890"),
    ]


def test_the_documented_example_without_a_link(
    post: Post, bob_in_new_york: User, team: Team
) -> None:
    body = {"user_id": bob_in_new_york.pk, "team_id": team.pk, "date": "2025-12-15T14:00:00"}
    answer = post(body)
    assert answer.status_code == 201
    assert (answer.json()["start_time"], answer.json()["link"]) == (1765825200, None)


def test_the_recipients_mail_and_push_message_say_what_the_document_says(
    post: Post, alice: User, bob_in_new_york: User, team: Team
) -> None:
    from notifications.models import PushDevice

    PushDevice.objects.create(user=bob_in_new_york, token="device", platform="android")
    post({"user_id": bob_in_new_york.pk, "team_id": team.pk, "date": "2025-12-15T14:00:00"})

    mail, push = (
        content_of(Notification.objects.get(kind=kind))
        for kind in ("meeting_requested", "meeting-created")
    )
    assert mail["subject"] == "You have received new meeting request!"
    assert "Monday, 15 December 2025, 2:00 PM – 3:00 PM\n       America/New_York" in mail["text"]
    assert "Monday, 15 December 2025, 19:00 – 20:00 UTC" in mail["text"]
    assert "http://localhost/meetings?tab=pending-meeting" in mail["text"]
    assert push == {
        "title": "MEETING ALERT",
        "body": "Alice Ames requested a meeting with you. Click to Confirm or Reject.",
        "data": {
            "type": "meeting-created",
            "meeting_id": str(MeetingRequest.objects.get().pk),
            "url": "http://localhost/meetings?tab=pending-meeting",
        },
    }


MISSING = "user_id, team_id, and date are required"


def refused(answer: Any, status: int, message: str) -> None:
    assert (answer.status_code, answer.json()) == (status, {"error": status, "message": message})
    assert not MeetingRequest.objects.exists()


@pytest.mark.parametrize("missing", ["user_id", "team_id", "date"])
@pytest.mark.parametrize("how", ["absent", None, ""])
def test_what_is_missing(post: Post, bob: User, team: Team, missing: str, how: str | None) -> None:
    body = {"user_id": bob.pk, "team_id": team.pk, "date": "2025-12-15 14:00"}
    body[missing] = how
    if how == "absent":
        del body[missing]
    refused(post(body), 400, MISSING)


def test_missing_comes_before_all_else(post: Post) -> None:
    refused(post({"user_id": "x", "team_id": []}), 400, MISSING)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "5"),
        ("user_id", "five"),
        ("user_id", True),
        ("user_id", 1.5),
        ("user_id", [1]),
        ("user_id", {"id": 1}),
        ("team_id", "1"),
        ("team_id", False),
        ("date", 1765825200),
        ("date", ["2025-12-15"]),
        ("date", True),
        ("link", 5),
        ("link", ["https://zoom.us"]),
    ],
)
def test_a_wrong_type_is_400(post: Post, bob: User, team: Team, field: str, value: Any) -> None:
    body = {"user_id": bob.pk, "team_id": team.pk, "date": "2025-12-15 14:00", field: value}
    answer = post(body)
    assert answer.status_code == 400
    assert answer.json()["error"] == 400
    assert field in answer.json()["message"]
    assert not MeetingRequest.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "null", "1", "{'a': 1}", "\x00", "NaN"])
def test_malformed_json_is_400(post: Post, body: str) -> None:
    answer = post(body)
    assert answer.status_code == 400
    assert answer.json()["error"] == 400


def test_a_body_that_is_no_json_is_415(alice: User, client: Client) -> None:
    token = factories.token(alice, "meetings:write")
    answer = client.post(URL, {"user_id": 1}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]) == (415, 415)


def test_an_unknown_team(post: Post, bob: User, team: Team) -> None:
    for team_id in (team.pk + 1, 0, -1, 2**63 - 1):
        body = {"user_id": bob.pk, "team_id": team_id, "date": "2025-12-15 14:00"}
        refused(post(body), 404, "team not found")


def test_a_team_of_others(post: Post, bob: User, charlie: User) -> None:
    others = factories.team("Others", charlie, bob)
    body = {"user_id": bob.pk, "team_id": others.pk, "date": "2025-12-15 14:00"}
    refused(post(body), 404, "team not found")


def test_a_recipient_who_is_not_in_the_team_does_not_exist(
    post: Post, charlie: User, team: Team
) -> None:
    for user_id in (charlie.pk, 10**6, 2**63 - 1, 0):
        body = {"user_id": user_id, "team_id": team.pk, "date": "2025-12-15 14:00"}
        refused(post(body), 404, "user not found")


def test_oneself(post: Post, alice: User, team: Team) -> None:
    body = {"user_id": alice.pk, "team_id": team.pk, "date": "yesterday"}
    refused(post(body), 400, "You cannot request a meeting with yourself.")


@pytest.mark.parametrize("date", ["tomorrow", "2025-12-15", "14:00", "2025-16-12 14:00", "x" * 65])
def test_a_date_that_cannot_be_read(post: Post, bob: User, team: Team, date: str) -> None:
    answer = post({"user_id": bob.pk, "team_id": team.pk, "date": date, "link": "ftp://x"})
    assert answer.status_code == 400
    assert answer.json()["error"] == 400
    assert answer.json()["message"].startswith("Invalid date: ")
    assert not MeetingRequest.objects.exists()


def test_a_date_in_the_past(post: Post, bob: User, team: Team) -> None:
    body = {"user_id": bob.pk, "team_id": team.pk, "date": "2025-11-28 10:30", "link": "ftp://x"}
    refused(post(body), 400, "The date is in the past.")


def test_a_link_that_is_no_http_url(post: Post, bob: User, team: Team) -> None:
    body = {"user_id": bob.pk, "team_id": team.pk, "date": "2025-12-15 14:00", "link": "ftp://x"}
    refused(post(body), 400, "The link must be an http or https URL.")


def test_the_same_idempotency_key_asks_once(post: Post, bob: User, team: Team) -> None:
    body = {"user_id": bob.pk, "team_id": team.pk, "date": "2025-12-15 14:00"}
    first, second = (post(body, **{"Idempotency-Key": "abc"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert MeetingRequest.objects.count() == 1


def test_a_failed_try_leaves_the_idempotency_key_free(post: Post, bob: User, team: Team) -> None:
    body = {"user_id": bob.pk, "team_id": team.pk, "date": "tomorrow"}
    assert post(body, **{"Idempotency-Key": "abc"}).status_code == 400
    again = post({**body, "date": "2025-12-15 14:00"}, **{"Idempotency-Key": "abc"})
    assert again.status_code == 201

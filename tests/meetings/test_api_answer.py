"""GET {id} and POST {id}/confirm, reject and cancel of the v3 meeting API."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Team, User
from meetings.domain import services
from meetings.models import MeetingRequest
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)

Call = Callable[..., tuple[int, Any]]


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def meeting(alice: User, bob: User, team: Team) -> MeetingRequest:
    """Return a meeting request of Alice's to Bob."""
    return services.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date=START.isoformat(),
        link="",
        now=NOW,
    )


@pytest.fixture
def call(client: Client, meeting: MeetingRequest) -> Call:
    """Return a function that calls an endpoint of the meeting as a person.

    It returns status and body.
    """

    def call(user: User, action: str = "", body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {factories.token(user)}"}
        url = f"/api/v3/meeting/{meeting.pk}"
        if not action:
            answer = client.get(url, headers=headers)
        elif body is None:
            answer = client.generic("POST", f"{url}/{action}", headers=headers)
        else:
            answer = client.post(
                f"{url}/{action}", body, content_type="application/json", headers=headers
            )
        return answer.status_code, answer.json()

    return call


def test_both_parties_see_it(call: Call, meeting: MeetingRequest, alice: User, bob: User) -> None:
    status, body = call(alice)
    assert (status, body["id"], body["status"]) == (200, meeting.pk, "pending")
    assert call(bob) == (status, body)


def test_a_team_mate_who_is_no_party_gets_404(call: Call, charlie: User, team: Team) -> None:
    team.members.add(charlie)
    assert call(charlie) == (404, {"error": 404, "message": "meeting not found"})


def test_the_recipient_confirms(call: Call, bob: User) -> None:
    status, body = call(bob, "confirm")
    assert (status, body["status"]) == (200, "confirmed")


def test_the_recipient_rejects_with_a_reason(
    call: Call, bob: User, meeting: MeetingRequest
) -> None:
    status, body = call(bob, "reject", {"reason": "On holiday."})
    assert (status, body["status"]) == (200, "rejected")
    assert meeting.history.get(to_status="rejected").reason == "On holiday."


def test_the_requester_cancels(call: Call, alice: User) -> None:
    status, body = call(alice, "cancel")
    assert (status, body["status"]) == (200, "cancelled")


@pytest.mark.parametrize("action", ["confirm", "reject"])
def test_only_the_recipient_answers(call: Call, alice: User, action: str) -> None:
    assert call(alice, action) == (
        403,
        {"error": 403, "message": "Only the recipient can do that."},
    )


def test_either_cancels_a_confirmed_meeting(call: Call, bob: User) -> None:
    call(bob, "confirm")
    status, body = call(bob, "cancel")
    assert (status, body["status"]) == (200, "cancelled")


@pytest.mark.parametrize(("first", "second"), [("confirm", "reject"), ("reject", "confirm")])
def test_the_same_answer_again_is_fine_and_the_other_is_409(
    call: Call, bob: User, meeting: MeetingRequest, first: str, second: str
) -> None:
    answered = call(bob, first)
    assert answered[0] == 200
    assert call(bob, first) == answered
    assert meeting.history.count() == 2
    status, body = call(bob, second)
    assert (status, body["error"]) == (409, 409)


def test_time_that_is_taken_is_409_and_names_nobody(
    call: Call, alice: User, bob: User, team: Team
) -> None:
    other = services.request_meeting(
        requester=bob,
        team_id=team.pk,
        recipient_id=alice.pk,
        date=START.isoformat(),
        link="",
        now=NOW,
    )
    services.confirm(meeting=other, actor=alice, now=NOW)
    assert call(bob, "confirm") == (
        409,
        {"error": 409, "message": "That time is no longer free.", "reason": "busy"},
    )


def test_a_request_whose_time_has_come_is_expired(call: Call, bob: User) -> None:
    with time_machine.travel(START, tick=False):
        assert call(bob)[1]["status"] == "expired"
        assert call(bob, "confirm") == (
            409,
            {"error": 409, "message": "This meeting is expired.", "reason": "expired"},
        )


def test_a_reason_that_is_too_long_is_400(call: Call, bob: User, meeting: MeetingRequest) -> None:
    status, body = call(bob, "reject", {"reason": "x" * 501})
    assert (status, body["error"]) == (400, 400)
    meeting.refresh_from_db()
    assert meeting.status == "pending"


@pytest.mark.parametrize("number", ["0", "99999", "9" * 30])
def test_an_unknown_number_is_404(client: Client, alice: User, number: str) -> None:
    headers = {"Authorization": f"Bearer {factories.token(alice)}"}
    answer = client.get(f"/api/v3/meeting/{number}", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (404, 404)

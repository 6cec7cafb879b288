"""Leaving a team: a member who leaves or is removed leaves no request that can be confirmed."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.domain import teams
from accounts.models import Membership, Team, User
from core.errors import InvalidTransition
from meetings.domain import services
from meetings.models import MeetingRequest
from meetings.pages.cards import step_of
from notifications.models import Notification
from tests import factories
from tests.outbox import address_of, content_of, rows
from tests.pages import NOW, START, Ask, stand_alone
from tests.torture.races import at_once, kinds

Act = Callable[[], Any]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)


def end(how: str, team: Team, alice: User, bob: User) -> None:
    """Let Bob leave, or have Alice or staff remove him."""
    member = team.memberships.get(user=bob)
    if how == "leaves":
        teams.leave(team=team, actor=bob, now=NOW)
    elif how == "removed":
        teams.remove(team=team, actor=alice, member_id=member.pk, now=NOW)
    else:
        staff = Client()
        staff.force_login(User.objects.create_superuser("s@example.com", factories.PASSWORD))
        form = {
            "name": team.name,
            "memberships-TOTAL_FORMS": 1,
            "memberships-INITIAL_FORMS": 1,
            "memberships-0-id": member.pk,
            "memberships-0-team": team.pk,
            "memberships-0-user": bob.pk,
            "memberships-0-role": member.role,
            "memberships-0-DELETE": "on",
        }
        answer = staff.post(f"/admin/accounts/team/{team.pk}/change/", form)
        assert answer.status_code == 302
    assert not team.members.filter(pk=bob.pk).exists()


@pytest.mark.parametrize("how", ["leaves", "removed", "taken out by staff"])
@pytest.mark.usefixtures("at_now")
def test_the_requests_of_that_team_between_the_two_end(
    team: Team, alice: User, bob: User, charlie: User, ask: Ask, how: str
) -> None:
    factories.join(team, charlie)
    other = factories.team("Others", alice, bob)
    to_bob, by_bob = ask(), ask(requester=bob, recipient=alice)
    confirmed = ask()
    services.confirm(meeting=confirmed, actor=bob, now=NOW)
    not_his = ask(requester=charlie, recipient=alice)
    elsewhere = services.request_meeting(
        requester=alice,
        team_id=other.pk,
        recipient_id=bob.pk,
        date=START.isoformat(),
        link="",
        now=NOW,
    )
    newest = Notification.objects.latest("pk").pk

    end(how, team, alice, bob)

    status = dict(MeetingRequest.objects.values_list("pk", "status"))
    assert status == {
        to_bob.pk: "cancelled",
        by_bob.pk: "cancelled",
        confirmed.pk: "confirmed",
        not_his.pk: "pending",
        elsewhere.pk: "pending",
    }
    entry = to_bob.history.latest("pk")
    assert (entry.role, entry.actor, entry.reason) == ("team", None, "")
    assert step_of(entry, alice).sentence == "It ended, because one of you left the team."
    told = rows("email", pk__gt=newest)
    assert Counter((row.kind, address_of(row)) for row in told) == {
        ("meeting_cancelled", alice.email): 2,
        ("meeting_cancelled", bob.email): 2,
    }
    text = next(content_of(row)["text"] for row in told if row.user == alice)
    assert (
        "The request for a meeting with Bob Byrd has ended: you are not both in the team Founders"
        " now." in text
    )
    with pytest.raises(InvalidTransition):
        services.confirm(meeting=to_bob, actor=bob, now=NOW)


def test_a_refused_leave_ends_nothing(team: Team, alice: User, ask: Ask) -> None:
    """The last owner cannot leave while others are in the team."""
    meeting = ask()
    with pytest.raises(Exception, match="A team needs an owner"):
        teams.leave(team=team, actor=alice, now=NOW)
    meeting.refresh_from_db()
    assert meeting.status == "pending"


def test_staff_cannot_delete_what_was_asked_in_since_the_page(
    team: Team, alice: User, ask: Ask, rf: RequestFactory
) -> None:
    ask()
    with pytest.raises(PermissionDenied, match="Meetings of this team are on record"):
        admin.site.get_model_admin(Team).delete_model(rf.post("/"), team)
    assert Team.objects.filter(pk=team.pk).exists()


# --- at once --------------------------------------------------------------------------------------


def asking(team: Team, *, requester: User, recipient: User) -> Callable[[], MeetingRequest]:
    """Return the act of asking a team mate for a meeting."""
    return partial(
        services.request_meeting,
        requester=requester,
        team_id=team.pk,
        recipient_id=recipient.pk,
        date=START.isoformat(),
        link="",
        now=NOW,
    )


@pytest.mark.django_db(transaction=True)
def test_a_team_is_deleted_or_asked_in(alice: User, bob: User) -> None:
    """Late requests get 404, or a late deletion gets 409, and never both."""
    for number in range(6):
        team = factories.team(f"Team {number}", alice, bob)
        ask = asking(team, requester=bob, recipient=alice)
        delete = partial(teams.delete, team=team, actor=alice, now=NOW)
        acts: list[Act] = [delete, ask, ask, ask]
        deleted, *asked = at_once(acts)
        if Team.objects.filter(pk=team.pk).exists():
            assert type(deleted).__name__ == "Conflict"
        else:
            assert deleted is None
        wanted = "MeetingRequest" if deleted else "NotFound"
        assert kinds(asked) == {wanted: 3}


@pytest.mark.django_db(transaction=True)
def test_staff_delete_a_team_or_it_is_asked_in(alice: User, bob: User) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser("s@example.com", factories.PASSWORD))
    for number in range(6):
        team = factories.team(f"Team {number}", alice, bob)
        ask = asking(team, requester=bob, recipient=alice)
        delete = partial(staff.post, f"/admin/accounts/team/{team.pk}/delete/", {"post": "yes"})
        acts: list[Act] = [delete, ask, ask]
        answer, *asked = at_once(acts)
        deleted: Any = answer
        is_there = Team.objects.filter(pk=team.pk).exists()
        # 200 and 403 say that it stays: the page before that asks, and the act itself.
        assert deleted.status_code in ((200, 403) if is_there else (302,))
        assert kinds(asked) == {"MeetingRequest" if is_there else "NotFound": 2}


@pytest.mark.django_db(transaction=True)
def test_who_leaves_while_asked_leaves_nothing_behind(alice: User, bob: User) -> None:
    for number in range(6):
        team = factories.team(f"Team {number}", alice, bob)
        ask = partial(
            services.request_meeting,
            requester=alice,
            team_id=team.pk,
            recipient_id=bob.pk,
            date=START.isoformat(),
            link="",
            now=NOW,
        )
        meeting = ask()
        confirm = partial(services.confirm, meeting=meeting, actor=bob, now=NOW)
        leave = partial(teams.leave, team=team, actor=bob, now=NOW)
        acts: list[Act] = [leave, confirm, ask, ask]
        left, *_others = at_once(acts)
        assert left is None
        assert not Membership.objects.filter(team=team, user=bob).exists()
        assert not MeetingRequest.objects.filter(team=team, status="pending").exists()
        MeetingRequest.objects.filter(team=team).update(status="cancelled")
        for row in MeetingRequest.objects.filter(team=team):
            row.busy_times.all().delete()

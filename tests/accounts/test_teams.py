"""Teams: permitted actions by role, and what remains afterwards."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError

from accounts.domain import links, teams
from accounts.models import Invitation, Membership, Team, User
from core.db.outbox import OutboxState
from core.errors import Conflict, Forbidden, Invalid, NotFound
from notifications.models import Notification
from tests.outbox import content_of
from tests.pages import NOW, Ask

pytestmark = pytest.mark.django_db

OWNER, MANAGER, MEMBER, CLIENT = Membership.Role
WEEK = timedelta(days=7)


def roles(team: Team) -> dict[str, str]:
    return {place.user.username: place.role for place in team.memberships.select_related("user")}


def become(team: Team, person: User, role: str) -> None:
    team.memberships.filter(user=person).update(role=role)


def place(team: Team, person: User) -> int:
    return team.memberships.get(user=person).pk


def invite(team: Team, actor: User, email: str = "dora@example.com", **fields: Any) -> Invitation:
    return teams.invite(**{"team": team, "actor": actor, "email": email, "now": NOW, **fields})


def mails(state: str = OutboxState.WAITING) -> list[str]:
    rows = Notification.objects.filter(kind="team_invitation", state=state)
    return list(rows.order_by("pk").values_list("address", flat=True))


# --- making, naming, running ----------------------------------------------------------------------


def test_who_makes_a_team_owns_it(alice: User) -> None:
    made = teams.create(owner=alice, name="  Editors ")
    assert (made.name, roles(made)) == ("Editors", {"alice": "owner"})


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_team_has_a_name_of_a_length(alice: User, name: str) -> None:
    with pytest.raises(ValidationError):
        teams.create(owner=alice, name=name)
    assert Team.objects.count() == 0


@pytest.mark.parametrize("role", [MANAGER, MEMBER, CLIENT])
def test_only_owners_run_a_team(team: Team, alice: User, bob: User, role: str) -> None:
    become(team, bob, role)
    for refused in (
        lambda: teams.rename(team=team, actor=bob, name="Mine"),
        lambda: teams.set_role(team=team, actor=bob, member_id=place(team, bob), role=OWNER),
        lambda: teams.remove(team=team, actor=bob, member_id=place(team, alice), now=NOW),
        lambda: teams.delete(team=team, actor=bob, now=NOW),
    ):
        with pytest.raises(Forbidden):
            refused()
    team.refresh_from_db()
    assert (team.name, roles(team)) == ("Founders", {"alice": "owner", "bob": role})


def test_to_a_stranger_there_is_no_such_team(team: Team, alice: User, charlie: User) -> None:
    for refused in (
        lambda: teams.find(team_id=team.pk, user=charlie),
        lambda: teams.rename(team=team, actor=charlie, name="Mine"),
        lambda: teams.remove(team=team, actor=charlie, member_id=place(team, alice), now=NOW),
        lambda: teams.leave(team=team, actor=charlie, now=NOW),
        lambda: teams.delete(team=team, actor=charlie, now=NOW),
        lambda: invite(team, charlie),
    ):
        with pytest.raises(NotFound):
            refused()


def test_a_place_in_another_team_is_not_within_reach(
    team: Team, alice: User, charlie: User
) -> None:
    other = teams.create(owner=charlie, name="Others")
    with pytest.raises(NotFound):
        teams.remove(team=team, actor=alice, member_id=place(other, charlie), now=NOW)
    theirs = invite(other, charlie)
    with pytest.raises(NotFound):
        teams.withdraw(team=team, actor=alice, invitation_id=theirs.pk, now=NOW)


# --- never without an owner -----------------------------------------------------------------------


def test_an_owner_hands_over_and_then_steps_back(team: Team, alice: User, bob: User) -> None:
    teams.set_role(team=team, actor=alice, member_id=place(team, bob), role=OWNER)
    teams.set_role(team=team, actor=bob, member_id=place(team, alice), role=CLIENT)
    assert roles(team) == {"alice": "client", "bob": "owner"}


def test_the_last_owner_stays_one_and_stays(team: Team, alice: User, bob: User) -> None:
    with pytest.raises(Conflict, match="make somebody else an owner first"):
        teams.set_role(team=team, actor=alice, member_id=place(team, alice), role=MEMBER)
    with pytest.raises(Conflict, match="make somebody else an owner first"):
        teams.leave(team=team, actor=alice, now=NOW)
    assert roles(team) == {"alice": "owner", "bob": "member"}


def test_an_owner_whose_account_is_closed_does_not_count(
    team: Team, alice: User, bob: User
) -> None:
    become(team, bob, OWNER)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    with pytest.raises(Conflict):
        teams.leave(team=team, actor=alice, now=NOW)


def test_there_are_four_roles(team: Team, alice: User, bob: User) -> None:
    with pytest.raises(Invalid):
        teams.set_role(team=team, actor=alice, member_id=place(team, bob), role="emperor")


# --- leaving and deleting -------------------------------------------------------------------------


def test_anybody_leaves(team: Team, bob: User) -> None:
    teams.leave(team=team, actor=bob, now=NOW)
    assert roles(team) == {"alice": "owner"}


def test_an_owner_leaves_by_leaving(team: Team, alice: User) -> None:
    with pytest.raises(Invalid, match="leave the team"):
        teams.remove(team=team, actor=alice, member_id=place(team, alice), now=NOW)


def test_with_its_last_person_a_team_goes(team: Team, alice: User, bob: User) -> None:
    invite(team, alice)
    teams.remove(team=team, actor=alice, member_id=place(team, bob), now=NOW)
    teams.leave(team=team, actor=alice, now=NOW)
    assert (Team.objects.count(), Invitation.objects.count(), mails()) == (0, 0, [])


def test_what_met_stays_on_record(team: Team, alice: User, bob: User, ask: Ask) -> None:
    ask()
    with pytest.raises(Conflict, match="on record"):
        teams.delete(team=team, actor=alice, now=NOW)
    teams.leave(team=team, actor=bob, now=NOW)
    teams.leave(team=team, actor=alice, now=NOW)
    assert (Team.objects.get(), roles(team)) == (team, {})


def test_a_refused_deletion_leaves_the_invitations(team: Team, alice: User, ask: Ask) -> None:
    ask()
    invite(team, alice)
    with pytest.raises(Conflict):
        teams.delete(team=team, actor=alice, now=NOW)
    assert (Invitation.objects.count(), mails()) == (1, ["dora@example.com"])


def test_an_unused_team_is_deleted_with_all_of_it(team: Team, alice: User) -> None:
    invite(team, alice)
    teams.delete(team=team, actor=alice, now=NOW)
    assert (Team.objects.count(), Membership.objects.count(), mails()) == (0, 0, [])


# --- inviting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [OWNER, MANAGER])
def test_owners_and_managers_invite(team: Team, bob: User, role: str) -> None:
    become(team, bob, role)
    invitation = invite(team, bob, "  Dora@Example.com ")
    assert (invitation.email, invitation.invited_by, invitation.expires_at) == (
        "dora@example.com",
        bob,
        NOW + WEEK,
    )
    assert mails() == ["dora@example.com"]


@pytest.mark.parametrize("role", [MEMBER, CLIENT])
def test_nobody_else_does(team: Team, alice: User, bob: User, role: str) -> None:
    become(team, bob, role)
    invitation = invite(team, alice)
    with pytest.raises(Forbidden):
        invite(team, bob, "eve@example.com")
    with pytest.raises(Forbidden):
        teams.send_again(team=team, actor=bob, invitation_id=invitation.pk, now=NOW)
    with pytest.raises(Forbidden):
        teams.withdraw(team=team, actor=bob, invitation_id=invitation.pk, now=NOW)
    assert mails() == ["dora@example.com"]


def test_the_email_says_who_invites_whereto_and_carries_the_link(team: Team, alice: User) -> None:
    with time_machine.travel(NOW, tick=False):  # a link says when it was made
        invitation = invite(team, alice)
        link = links.invitation_url(invitation)
        content = content_of(Notification.objects.get())
    assert content["subject"] == "Alice Ames invites you to Founders"
    assert link in content["text"]
    assert content["text"].startswith("Hello,\n")


def test_the_link_names_nobody(team: Team, alice: User) -> None:
    assert "dora" not in links.invitation_url(invite(team, alice))


def test_who_is_in_the_team_gets_no_email(team: Team, alice: User, bob: User) -> None:
    EmailAddress.objects.create(user=bob, email="bobby@example.com", verified=True)
    for email in ("BOB@example.com", "bobby@example.com"):
        with pytest.raises(Invalid, match="already in the team"):
            invite(team, alice, email)
    assert mails() == []


def test_an_address_that_a_member_only_claims_can_be_invited(
    team: Team, alice: User, bob: User
) -> None:
    EmailAddress.objects.create(user=bob, email="dora@example.com", verified=False)
    invite(team, alice)
    assert mails() == ["dora@example.com"]


def test_an_address_is_invited_once(team: Team, alice: User) -> None:
    invite(team, alice)
    with pytest.raises(Invalid, match="invited already"):
        invite(team, alice, "DORA@example.com")
    assert mails() == ["dora@example.com"]


def test_once_an_invitation_is_too_old_another_takes_its_place(team: Team, alice: User) -> None:
    old = invite(team, alice)
    new = invite(team, alice, now=NOW + WEEK)
    assert list(Invitation.objects.all()) == [new]
    assert new.pk != old.pk


def test_sent_again_the_same_link_stands_another_week(team: Team, alice: User) -> None:
    invitation = invite(team, alice)
    later = NOW + WEEK + WEEK
    teams.send_again(team=team, actor=alice, invitation_id=invitation.pk, now=later)
    invitation.refresh_from_db()
    assert invitation.expires_at == later + WEEK
    # The first, which never went out, is not sent beside it.
    assert (mails(), mails(OutboxState.WITHDRAWN)) == (["dora@example.com"], ["dora@example.com"])


def test_withdrawn_it_is_neither_sent_nor_taken(team: Team, alice: User, charlie: User) -> None:
    invitation = invite(team, alice, charlie.email)
    kept = Invitation.objects.get()
    teams.withdraw(team=team, actor=alice, invitation_id=invitation.pk, now=NOW)
    assert mails() == []
    with pytest.raises(NotFound):
        teams.join(invitation=kept, user=charlie, now=NOW)


def test_an_account_is_written_to_in_its_own_language(
    team: Team, alice: User, charlie: User
) -> None:
    User.objects.filter(pk=charlie.pk).update(language="de")
    invite(team, alice, charlie.email)
    mail = Notification.objects.get()
    assert mail.user == charlie
    assert '<html lang="de">' in content_of(mail)["html"]


# --- joining --------------------------------------------------------------------------------------


def test_the_person_invited_joins_as_a_member_and_the_invitation_is_used(
    team: Team, alice: User, charlie: User
) -> None:
    invitation = invite(team, alice, "Charlie@example.com")
    teams.join(invitation=invitation, user=charlie, now=NOW)
    assert roles(team)["charlie"] == "member"
    assert Invitation.objects.count() == 0


def test_nobody_else_joins_by_it(team: Team, alice: User, charlie: User) -> None:
    invitation = invite(team, alice)
    with pytest.raises(Forbidden):
        teams.join(invitation=invitation, user=charlie, now=NOW)
    EmailAddress.objects.create(user=charlie, email="dora@example.com", verified=False)
    with pytest.raises(Forbidden):
        teams.join(invitation=invitation, user=charlie, now=NOW)
    assert "charlie" not in roles(team)
    EmailAddress.objects.filter(email="dora@example.com").update(verified=True)
    teams.join(invitation=invitation, user=charlie, now=NOW)
    assert "charlie" in roles(team)


def test_it_is_taken_within_seven_days(team: Team, alice: User, charlie: User) -> None:
    invitation = invite(team, alice, charlie.email)
    with pytest.raises(Conflict, match="too old"):
        teams.join(invitation=invitation, user=charlie, now=NOW + WEEK)
    teams.join(invitation=invitation, user=charlie, now=NOW + WEEK - timedelta(seconds=1))
    assert "charlie" in roles(team)


def test_taken_twice_it_counts_once(team: Team, alice: User, charlie: User) -> None:
    invitation = invite(team, alice, charlie.email)
    twin = Invitation.objects.get()
    teams.join(invitation=invitation, user=charlie, now=NOW)
    with pytest.raises(NotFound):
        teams.join(invitation=twin, user=charlie, now=NOW)
    assert roles(team)["charlie"] == "member"


def test_who_is_in_the_team_by_then_keeps_their_role(
    team: Team, alice: User, charlie: User
) -> None:
    invitation = invite(team, alice, charlie.email)
    Membership.objects.create(team=team, user=charlie, role=MANAGER)
    teams.join(invitation=invitation, user=charlie, now=NOW)
    assert roles(team)["charlie"] == "manager"
    assert Invitation.objects.count() == 0

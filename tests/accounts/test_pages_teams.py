"""Settings, teams: team pages, their members, and joining by an emailed invitation."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.domain import links, teams
from accounts.models import Invitation, Membership, Team, User
from core.ops.logs import redact
from notifications.models import Notification
from tests import factories
from tests.pages import NOW, UNSEEN, Ask, everything, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/teams"
DORA = "dora@example.com"
JOIN = {
    "first_name": "Dora",
    "password1": factories.PASSWORD,
    "timezone": "Asia/Kathmandu",
}


def roles(team: Team) -> dict[str, str]:
    return {place.user.username: place.role for place in team.memberships.select_related("user")}


def place(team: Team, person: User) -> int:
    return team.memberships.get(user=person).pk


def invite(team: Team, actor: User, email: str = DORA) -> Invitation:
    return teams.invite(team=team, actor=actor, email=email, now=NOW)


def way_in(invitation: Invitation) -> str:
    """Return the path of the link in the email."""
    return "/teams/join/" + links.invitation_url(invitation).rpartition("/")[2]


def actions(page: Any) -> list[str]:
    """Return the actions of the page's POST forms: the last word of each URL path, sorted."""
    found = re.findall(r'method="post" action="(?:/[^"]*)?/([a-z]+)(?:#[a-z]+)?"', main(page))
    return sorted(set(found))


# --- the teams of a person ------------------------------------------------------------------------


def test_they_are_for_the_signed_in(client: Client, team: Team) -> None:
    for path in (PAGE, f"{PAGE}/{team.pk}"):
        assert client.get(path).headers["Location"] == f"/accounts/login/?next={path}"
    client.post(f"{PAGE}/{team.pk}/delete")
    assert Team.objects.count() == 1


def test_without_any_it_says_how_one_gets_into_one(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    assert "You are in no team yet Create a team and invite people by email, or ask" in words(
        client.get(PAGE)
    )


def test_each_is_listed_with_its_people_and_ones_own_role(
    client: Client, team: Team, bob: User
) -> None:
    teams.create(owner=bob, name="Editors")
    client.force_login(bob)
    assert "Editors 1 person Owner Founders 2 people Member New team" in words(client.get(PAGE))


def test_who_makes_a_team_goes_on_to_it(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    answer = client.post(PAGE, {"name": "Editors"})
    made = Team.objects.get()
    assert (answer.headers["Location"], roles(made)) == (f"{PAGE}/{made.pk}", {"charlie": "owner"})
    assert "Editors is created. Now invite" in words(client.get(f"{PAGE}/{made.pk}"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (" ", "This field is required."),
        ("Edit\u200bors", UNSEEN),
        ("Win at HTTP://elsewhere.example", "A name cannot contain “://”."),
        ("www.elsewhere.example", "A name cannot contain “www.”."),
    ],
)
def test_a_team_needs_a_name(client: Client, charlie: User, name: str, said: str) -> None:
    client.force_login(charlie)
    page = client.post(PAGE, {"name": name})
    assert page.context["form"].errors == {"name": [said]}
    assert Team.objects.count() == 0


@pytest.mark.parametrize("count", [1, 3])
def test_the_queries_of_the_list_do_not_grow(
    client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for number in range(count):
        teams.create(owner=alice, name=f"Team {number}")
    client.force_login(alice)
    with django_assert_num_queries(4):  # session, person, places and how many there are
        assert len(client.get(PAGE).context["page"]) == count


# --- one team -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "possible"),
    [
        ("owner", ["delete", "invitations", "leave", "remove", "role", "send", "withdraw"]),
        ("manager", ["invitations", "leave", "send", "withdraw"]),
        ("member", ["leave"]),
        ("client", ["leave"]),
    ],
)
def test_the_page_offers_what_the_role_allows(
    client: Client, team: Team, alice: User, bob: User, role: str, possible: list[str]
) -> None:
    invite(team, alice)
    team.memberships.filter(user=bob).update(role=role)
    client.force_login(bob)
    page = client.get(f"{PAGE}/{team.pk}")
    assert actions(page) == possible
    assert f"Bob Byrd (you) UTC {role.capitalize()}" in words(page)
    # Who else is invited, is for those who invite.
    assert (DORA in words(page)) is ("send" in possible)


def test_addresses_of_its_people_are_not_shown(client: Client, team: Team, bob: User) -> None:
    client.force_login(bob)
    assert "alice@example.com" not in client.get(f"{PAGE}/{team.pk}").content.decode()


def test_to_a_stranger_there_is_no_such_team(
    client: Client, team: Team, alice: User, charlie: User
) -> None:
    invitation = invite(team, alice)
    client.force_login(charlie)
    before = everything()
    page = f"{PAGE}/{team.pk}"
    for path in (
        page,
        f"{page}/invitations",
        f"{page}/leave",
        f"{page}/delete",
        f"{page}/members/{place(team, alice)}/role",
        f"{page}/members/{place(team, alice)}/remove",
        f"{page}/invitations/{invitation.pk}/send",
        f"{page}/invitations/{invitation.pk}/withdraw",
    ):
        answer = client.post(path, {"name": "Mine", "email": "eve@example.com", "role": "owner"})
        assert (path, answer.status_code) == (path, 404)
    assert client.get(page).status_code == 404
    assert everything() == before


def test_looking_changes_nothing(client: Client, team: Team, alice: User) -> None:
    invitation = invite(team, alice)
    client.force_login(alice)
    before = everything()
    page = f"{PAGE}/{team.pk}"
    assert client.get(page).status_code == 200
    assert client.get(f"{page}/invitations").headers["Location"] == page
    for act in ("leave", "delete", f"invitations/{invitation.pk}/withdraw"):
        assert client.get(f"{page}/{act}").status_code == 405
    assert everything() == before


def test_an_owner_names_the_team(client: Client, team: Team, alice: User, bob: User) -> None:
    client.force_login(alice)
    client.post(f"{PAGE}/{team.pk}", {"name": "Finders"})
    assert "The team is renamed." in words(client.get(f"{PAGE}/{team.pk}"))
    page = client.post(f"{PAGE}/{team.pk}", {"name": "x" * 121})
    assert list(page.context["name_form"].errors) == ["name"]
    assert "<h1>Finders</h1>" in main(page)
    client.force_login(bob)
    assert client.post(f"{PAGE}/{team.pk}", {"name": "Mine"}).status_code == 403
    team.refresh_from_db()
    assert team.name == "Finders"


def test_an_owner_changes_roles_and_removes(
    client: Client, team: Team, alice: User, bob: User
) -> None:
    client.force_login(alice)
    member = f"{PAGE}/{team.pk}/members/{place(team, bob)}"
    client.post(f"{member}/role", {"role": "manager"})
    assert "Bob Byrd is now in this role: manager." in words(client.get(f"{PAGE}/{team.pk}"))
    assert roles(team)["bob"] == "manager"
    client.post(f"{member}/remove")
    assert "Bob Byrd is no longer in the team." in words(client.get(f"{PAGE}/{team.pk}"))
    assert roles(team) == {"alice": "owner"}
    assert client.post(f"{member}/remove").status_code == 404


def test_a_role_that_is_none_is_refused_in_words(
    client: Client, team: Team, alice: User, bob: User
) -> None:
    client.force_login(alice)
    member = f"{PAGE}/{team.pk}/members/{place(team, bob)}"
    page = client.post(f"{member}/role", {"role": "emperor"}, follow=True)
    assert "emperor is not one of the available choices" in words(page)
    assert roles(team)["bob"] == "member"


def test_the_last_owner_is_told_why_they_cannot_go(client: Client, team: Team, alice: User) -> None:
    client.force_login(alice)
    page = client.post(f"{PAGE}/{team.pk}/leave", follow=True)
    assert "A team needs an owner: make somebody else an owner first." in words(page)
    assert page.redirect_chain == [(f"{PAGE}/{team.pk}", 302)]
    assert roles(team)["alice"] == "owner"


def test_who_leaves_is_back_at_the_list(client: Client, team: Team, bob: User) -> None:
    client.force_login(bob)
    page = client.post(f"{PAGE}/{team.pk}/leave", follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert "You have left Founders." in words(page)
    assert client.get(f"{PAGE}/{team.pk}").status_code == 404


def test_a_team_with_meetings_on_record_stays(
    client: Client, team: Team, alice: User, ask: Ask
) -> None:
    ask()
    client.force_login(alice)
    page = client.post(f"{PAGE}/{team.pk}/delete", follow=True)
    assert "Meetings of this team are on record, so it stays." in words(page)
    assert Team.objects.count() == 1


def test_a_team_without_is_deleted(client: Client, team: Team, alice: User) -> None:
    client.force_login(alice)
    page = client.post(f"{PAGE}/{team.pk}/delete", follow=True)
    assert "Founders has been deleted." in words(page)
    assert Team.objects.count() == 0


@pytest.mark.parametrize("count", [1, 3])
def test_the_queries_of_a_team_do_not_grow(
    client: Client,
    team: Team,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for number in range(count):
        factories.join(team, factories.user(f"person-{number}"))
        invite(team, alice, f"guest-{number}@example.com")
    client.force_login(alice)
    # Session, person, own place, people, invitations, and how many there are of both.
    with django_assert_num_queries(7):
        assert len(client.get(f"{PAGE}/{team.pk}").context["people"]) == count + 2


# --- inviting -------------------------------------------------------------------------------------


def test_an_invitation_is_sent_sent_again_and_withdrawn(
    client: Client, team: Team, alice: User
) -> None:
    client.force_login(alice)
    page = f"{PAGE}/{team.pk}"
    client.post(f"{page}/invitations", {"email": DORA})
    listed = words(client.get(page))
    assert f"Invitation sent to {DORA}." in listed
    assert f"{DORA} Invited by Alice Ames until Mon 03/09/2026, 9:00 AM (UTC)" in listed
    invitation = Invitation.objects.get()
    client.post(f"{page}/invitations/{invitation.pk}/send")
    assert f"Invitation sent again to {DORA}." in words(client.get(page))
    assert Notification.objects.filter(address=DORA).count() == 2
    client.post(f"{page}/invitations/{invitation.pk}/withdraw")
    assert f"The invitation of {DORA} has been withdrawn." in words(client.get(page))
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize(
    ("email", "problem"),
    [
        ("", "This field is required."),
        ("nobody", "Enter a valid email address."),
        ("bob@example.com", "This person is already in the team."),
        (DORA, "This address is invited already. You can send the email again."),
    ],
)
def test_a_pointless_invitation_is_said_beside_its_field_and_kept(
    client: Client, team: Team, alice: User, email: str, problem: str
) -> None:
    invite(team, alice)
    client.force_login(alice)
    page = client.post(f"{PAGE}/{team.pk}/invitations", {"email": email})
    assert (page.status_code, page.context["invite_form"].errors) == (200, {"email": [problem]})
    assert page.context["invite_form"]["email"].value() == email
    assert Notification.objects.count() == 1


def test_it_is_the_same_whether_the_address_has_an_account(
    client: Client, team: Team, alice: User, charlie: User
) -> None:
    client.force_login(alice)
    answers = []
    for email in (charlie.email, DORA):
        page = client.post(f"{PAGE}/{team.pk}/invitations", {"email": email}, follow=True)
        said = words(page)
        assert "Charlie" not in said
        answers.append(said.count("Invited by Alice Ames"))
    assert answers == [1, 2]


def test_members_do_not_invite(client: Client, team: Team, bob: User) -> None:
    client.force_login(bob)
    answer = client.post(f"{PAGE}/{team.pk}/invitations", {"email": DORA})
    assert (answer.status_code, Notification.objects.count()) == (403, 0)


def test_thirty_an_hour_are_enough(client: Client, team: Team, alice: User) -> None:
    client.force_login(alice)
    for number in range(31):
        answer = client.post(
            f"{PAGE}/{team.pk}/invitations", {"email": f"guest-{number}@example.com"}
        )
    assert (answer.status_code, Notification.objects.count()) == (429, 30)
    invitation = Invitation.objects.all()[0]
    again = f"{PAGE}/{team.pk}/invitations/{invitation.pk}/send"
    statuses = [client.post(again).status_code for _number in range(31)]
    assert statuses == [302] * 30 + [429]


# --- joining --------------------------------------------------------------------------------------


def test_whoever_opens_the_link_sees_whose_team_it_is_and_nothing_happens(
    client: Client, team: Team, alice: User, charlie: User
) -> None:
    path = way_in(invite(team, alice, charlie.email))
    before = everything()
    page = client.get(path)
    assert words(page) == (
        "Join Founders Alice Ames invites you to the team Founders on Parley. Its members can"
        " request meetings with each other. Sign in with the account of charlie@example.com . Sign"
        " in Forgot your password?"
    )
    assert client.post(path).status_code == 200
    assert everything() == before
    client.force_login(charlie)
    before = everything()
    assert "Join the team" in words(client.get(path))
    assert everything() == before


def test_nobody_else_keeps_or_learns_the_link(client: Client, team: Team, alice: User) -> None:
    page = client.get(way_in(invite(team, alice)))
    assert {name: page.headers[name] for name in ("Cache-Control", "X-Robots-Tag")} == {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
    }
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_the_person_invited_joins(client: Client, team: Team, alice: User, charlie: User) -> None:
    path = way_in(invite(team, alice, charlie.email))
    client.force_login(charlie)
    page = client.post(path, follow=True)
    assert page.redirect_chain == [(f"{PAGE}/{team.pk}", 302)]
    assert words(page).startswith("Welcome to Founders.")
    assert roles(team)["charlie"] == "member"
    used = client.get(path)
    assert used.status_code == 404
    assert "This invitation has been used, or was withdrawn." in words(used)


def test_another_account_is_told_whose_invitation_it_is(
    client: Client, team: Team, alice: User, charlie: User
) -> None:
    EmailAddress.objects.create(user=charlie, email=DORA, verified=False)
    path = way_in(invite(team, alice))
    client.force_login(charlie)
    page = client.post(path, follow=True)
    assert f"This invitation is for {DORA}. You are signed in as charlie@example.com." in (
        words(page)
    )
    assert "Join the team" not in words(page)
    assert "charlie" not in roles(team)
    # Signed out, one is back at the link, to sign in as the other.
    assert f'name="next" value="{path}"' in main(page)
    assert client.post("/accounts/logout/", {"next": path}).headers["Location"] == path


def test_a_link_that_is_too_old_says_who_can_renew_it(
    client: Client, team: Team, alice: User, charlie: User
) -> None:
    invitation = invite(team, alice, charlie.email)
    Invitation.objects.update(expires_at=NOW)
    client.force_login(charlie)
    page = client.post(way_in(invitation), follow=True)
    assert "This invitation is too old. Alice Ames can send it again" in words(page)
    assert "charlie" not in roles(team)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_was_withdrawn_or_cut_short_says_so(
    client: Client, team: Team, alice: User, charlie: User, method: str
) -> None:
    invitation = invite(team, alice, charlie.email)
    path = way_in(invitation)
    client.force_login(charlie)
    cut = getattr(client, method)(path[:-3])
    assert cut.status_code == 404
    assert "This link is not complete. Copy the whole of it from the email." in words(cut)
    teams.withdraw(team=team, actor=alice, invitation_id=invitation.pk, now=NOW)
    gone = getattr(client, method)(path)
    assert gone.status_code == 404
    assert "This invitation has been used, or was withdrawn." in words(gone)


def test_a_link_for_something_else_opens_nothing(client: Client, team: Team, alice: User) -> None:
    assert client.get("/teams/join/1").status_code == 404


def test_by_signing_in_one_comes_back_to_the_link(
    client: Client, team: Team, alice: User, charlie: User
) -> None:
    path = way_in(invite(team, alice, charlie.email))
    [onward] = re.findall(
        r'href="(/accounts/login/[^"]+)"[^>]*>Sign in</a>', main(client.get(path))
    )
    fields = {"login": charlie.email, "password": factories.PASSWORD, "next": path}
    assert f'name="next" value="{path}"' in main(client.get(onward))
    assert client.post("/accounts/login/", fields).headers["Location"] == path


def test_a_new_person_signs_up_on_the_page_and_is_in_the_team(
    client: Client, team: Team, alice: User
) -> None:
    path = way_in(invite(team, alice))
    before = everything()
    page = client.get(path)
    assert everything() == before
    shown = main(page)
    assert f'<input type="email" id="email" value="{DORA}"' in shown
    assert 'name="email"' not in shown
    assert "js/signup.js" in page.content.decode()
    answer = client.post(path, JOIN, follow=True)
    assert answer.redirect_chain == [(f"{PAGE}/{team.pk}", 302)]
    assert words(answer).startswith("Welcome to Founders.")
    dora = User.objects.get(email=DORA)
    assert (dora.name, dora.timezone) == ("Dora", "Asia/Kathmandu")
    assert roles(team)["dora"] == "member"
    [address] = EmailAddress.objects.filter(user=dora)
    assert (address.email, address.verified, address.primary) == (DORA, True, True)
    assert [made.name for made in dora.event_types.all()] == ["30-minute meeting"]
    assert not Notification.objects.exclude(kind="team_invitation").exists()
    assert client.get(path).status_code == 404  # used


def test_the_address_is_that_of_the_invitation_whatever_is_sent(
    client: Client, team: Team, alice: User
) -> None:
    client.post(way_in(invite(team, alice)), JOIN | {"email": "eve@example.com"})
    assert roles(team)["dora"] == "member"
    assert not User.objects.filter(email="eve@example.com").exists()


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("first_name", "", "This field is required."),
        ("first_name", "www.elsewhere.example", "A name cannot contain “www.”."),
        ("password1", "short", "too short"),
        ("password1", DORA, "too similar to the email address"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_makes_no_account(
    client: Client, team: Team, alice: User, field: str, value: str, problem: str
) -> None:
    path = way_in(invite(team, alice))
    page = client.post(path, JOIN | {field: value})
    assert list(page.context["form"].errors) == [field]
    assert problem in words(page)
    assert not User.objects.filter(email=DORA).exists()


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_an_address_that_has_an_account_signs_in_instead(
    client: Client, team: Team, alice: User, is_confirmed: bool
) -> None:
    """A stranger may have signed up with it: then its owner takes a new password first."""
    path, dora = way_in(invite(team, alice)), factories.user("dora")
    EmailAddress.objects.filter(user=dora).update(verified=is_confirmed)
    for page in (client.get(path), client.post(path, JOIN)):
        assert f"Sign in with the account of {DORA} . Sign in Forgot" in words(page)
        assert "Create account" not in words(page)
    assert dora.check_password(factories.PASSWORD)
    assert "dora" not in roles(team)


def test_one_that_is_too_old_signs_nobody_up(client: Client, team: Team, alice: User) -> None:
    path = way_in(invite(team, alice))
    Invitation.objects.update(expires_at=NOW)
    assert "This invitation is too old." in words(client.post(path, JOIN))
    assert not User.objects.filter(email=DORA).exists()


def test_on_the_way_no_log_line_shows_the_link(client: Client, team: Team, alice: User) -> None:
    path = way_in(invite(team, alice))
    for onward in re.findall(r'href="(/accounts/[^"]+next=[^"]+)"', main(client.get(path))):
        line = redact(None, "info", {"event": f"GET {onward}"})["event"]
        assert path.rpartition("/")[2] not in unquote(line)


def test_the_invitation_ends_with_who_sent_it(team: Team, alice: User, charlie: User) -> None:
    """The account's deletion ends the invitations that it sent."""
    invitation = invite(team, alice, charlie.email)
    Membership.objects.filter(user=alice).delete()
    alice.delete()
    assert not Invitation.objects.filter(pk=invitation.pk).exists()
    assert timedelta(days=7) == teams.INVITATION_STANDS

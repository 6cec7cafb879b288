"""Concurrent changes of teams and usernames: one succeeds, the others get a reason."""

from collections import Counter
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.domain import links, services, teams
from accounts.models import Invitation, Membership, Team, User
from notifications.models import Notification
from tests import factories
from tests.pages import NOW, stand_alone
from tests.torture.races import at_once, kinds

pytestmark = pytest.mark.django_db(transaction=True)

Role = Membership.Role


def test_of_two_owners_who_leave_one_has_to_stay(
    team: Team, alice: User, bob: User, charlie: User
) -> None:
    factories.join(team, charlie)
    team.memberships.filter(user=bob).update(role=Role.OWNER)
    left = at_once([partial(teams.leave, team=team, actor=who, now=NOW) for who in (alice, bob)])
    assert kinds(left) == Counter({"NoneType": 1, "Conflict": 1})
    assert sorted(team.memberships.values_list("role", flat=True)) == ["member", "owner"]


def test_of_two_owners_who_demote_each_other_one_stays_an_owner(
    team: Team, alice: User, bob: User
) -> None:
    team.memberships.filter(user=bob).update(role=Role.OWNER)
    place = dict(team.memberships.values_list("user__username", "pk"))
    done = at_once(
        [
            partial(teams.set_role, team=team, actor=who, member_id=place[whom], role=Role.MEMBER)
            for who, whom in ((alice, "bob"), (bob, "alice"))
        ]
    )
    assert kinds(done) == Counter({"Membership": 1, "Forbidden": 1})
    assert sorted(team.memberships.values_list("role", flat=True)) == ["member", "owner"]


def test_an_address_is_invited_and_written_to_once(team: Team, alice: User) -> None:
    def invite() -> Invitation:
        return teams.invite(team=team, actor=alice, email="dora@example.com", now=NOW)

    assert kinds(at_once([invite] * 4)) == Counter({"Invitation": 1, "Invalid": 3})
    assert (Invitation.objects.count(), Notification.objects.count()) == (1, 1)


def test_an_invitation_is_taken_once(team: Team, alice: User, charlie: User) -> None:
    teams.invite(team=team, actor=alice, email=charlie.email, now=NOW)
    # Each has opened the link before any of them takes the place.
    opened = [Invitation.objects.select_related("team").get() for _browser in range(4)]
    joined = at_once(
        [partial(teams.join, invitation=each, user=charlie, now=NOW) for each in opened]
    )
    assert kinds(joined) == Counter({"Membership": 1, "NotFound": 3})
    assert team.memberships.filter(user=charlie).count() == 1


def test_a_new_person_who_sends_the_form_twice_has_one_account(
    settings: Settings, team: Team, alice: User
) -> None:
    stand_alone(settings)
    invitation = teams.invite(team=team, actor=alice, email="dora@example.com", now=timezone.now())
    path = urlsplit(links.invitation_url(invitation)).path
    form = {"first_name": "Dora", "password1": factories.PASSWORD}
    answers = at_once([partial(Client().post, path, form)] * 4)
    statuses = Counter(getattr(answer, "status_code", 0) for answer in answers)
    assert set(statuses) <= {200, 302, 404}, answers
    assert [person.email for person in User.objects.exclude(pk=alice.pk)] == [
        "bob@example.com",
        "dora@example.com",
    ]
    assert team.memberships.filter(user__email="dora@example.com").count() == 1


def test_a_username_goes_to_one(alice: User, bob: User, charlie: User) -> None:
    done = at_once(
        [
            partial(services.update_profile, user=who, username="sam")
            for who in (alice, bob, charlie)
        ]
    )
    assert kinds(done) == Counter({"User": 1, "Invalid": 2})
    assert User.objects.filter(username="sam").count() == 1

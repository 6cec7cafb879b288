"""Staff page of a person: all their data is one click away, and some changes are forbidden."""

import json
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.domain import services
from accounts.models import ApiToken, AuditEntry, Membership, Session, Team, User
from core.people import privacy
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.models import Booking
from tests import factories
from tests.admin.calls import listed, press, url
from tests.pages import words
from webhooks.models import Attempt

pytestmark = pytest.mark.django_db

DORA = {
    "email": "Dora@Example.com",
    "first_name": "Dora",
    "last_name": "",
    "timezone": "Asia/Tokyo",
}
NO_MEMBERSHIPS = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}


def profile(person: User, **changes: Any) -> dict[str, Any]:
    """Return the fields that the form on this person's page sends, with these changes."""
    names = (
        "username",
        "first_name",
        "last_name",
        "position",
        "company",
        "avatar_url",
        "timezone",
        "date_format",
        "time_format",
        "week_start",
        "language",
    )
    return {**{name: getattr(person, name) for name in names}, **NO_MEMBERSHIPS, **changes}


def team_of(team: Team, member: Membership, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a team's form sends for one membership, with these changes."""
    return {
        "name": team.name,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": member.pk,
        "memberships-0-team": team.pk,
        "memberships-0-user": member.user_id,
        "memberships-0-role": member.role,
        **changes,
    }


def mail_to(address: str) -> dict[str, str]:
    content: dict[str, str] = json.loads(
        Notification.objects.filter(address=address).latest("pk").content
    )
    return content


# --- all that is known of them --------------------------------------------------------------------


def about(staff: Client, person: User) -> dict[str, int]:
    page = staff.get(url(User, "change/", person.pk))
    return {str(each["name"]): each["count"] for each in page.context["about"]}


def test_everything_about_them_is_counted_and_one_click_away(
    staff: Client, alice: User, meeting: MeetingRequest, booking: Booking, attempt: Attempt
) -> None:
    services.create_token(user=alice, name="x", scopes=["events:read"])
    Client().force_login(alice)
    page = staff.get(url(User, "change/", alice.pk))
    for each in page.context["about"]:
        rows = staff.get(each["url"]).context["cl"].result_list
        assert len(rows) == each["count"], each["name"]
    assert {name: count for name, count in about(staff, alice).items() if count} == {
        "counters of webhook events": 1,
        "email addresses": 1,
        "teams": 1,
        "API tokens": 1,
        "sessions": 1,
        "notifications": 6,
        "audit log": 2,
        "webhooks": 1,
        "webhook events": 1,
        "deliveries": 1,
        "schedules": 1,
        "weekly availability": 1,
        "event types": 1,
        "bookings": 1,
        "busy times": 1,
        "meeting requests": 1,
    }


def test_what_is_much_is_not_counted_to_its_end(staff: Client, alice: User) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(action="login", person=alice, at=alice.created_at) for _number in range(150)
    )
    assert about(staff, alice)["audit log"] == 100
    assert "<span>100+</span>" in staff.get(url(User, "change/", alice.pk)).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_it_takes_as_many_queries_with_one_row_as_with_three(
    staff: Client,
    alice: User,
    attempt: Attempt,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _number in range(count):
        services.create_token(user=alice, name="x", scopes=["events:read"])
    kinds = len(about(staff, alice))
    # Session, staff, a transaction's two, the person and their teams, what is to come, counts.
    with django_assert_num_queries(kinds + 6):
        staff.get(url(User, "change/", alice.pk))


def test_only_theirs_is_listed_on_every_page_of_the_list(
    staff: Client, alice: User, bob: User
) -> None:
    for number in range(60):
        for person in (alice, bob):
            AuditEntry.objects.create(
                action="token_made", person=person, subject=f"No. {number}", at=person.created_at
            )
    first = staff.get(url(AuditEntry), {"person": alice.pk})
    assert {row.person for row in first.context["cl"].result_list} == {alice}
    assert f"?p=2&amp;person={alice.pk}" in first.content.decode()
    second = listed(staff, AuditEntry, person=alice.pk, p=2)
    assert ({row.person for row in second}, len(second)) == ({alice}, 10)


@pytest.mark.parametrize("person", ["0", "x", "9" * 30, "", "²"])
def test_of_nobody_nothing_is_listed(staff: Client, booking: Booking, person: str) -> None:
    assert listed(staff, Booking, person=person) == []


def test_each_row_leads_back_to_its_people(
    staff: Client, meeting: MeetingRequest, booking: Booking, attempt: Attempt
) -> None:
    notification = Notification.objects.filter(user=meeting.recipient).first()
    assert notification is not None
    people: dict[Any, list[User]] = {
        meeting: [meeting.requester, meeting.recipient],
        booking: [booking.host],
        attempt.delivery: [attempt.delivery.webhook.owner],
        notification: [meeting.recipient],
    }
    for row, concerned in people.items():
        page = staff.get(url(type(row), "change/", row.pk)).content.decode()
        [panel] = re.findall(r'<div class="staff-panel">.*?</p>', page, re.DOTALL)
        assert re.findall(r'href="(.*?)"', panel) == [
            url(User, "change/", person.pk) for person in concerned
        ]


# --- passwords and addresses ----------------------------------------------------------------------


def test_nobody_sets_or_sees_a_password_here(staff: Client, alice: User) -> None:
    page = staff.get(url(User, "change/", alice.pk)).content.decode()
    assert alice.password not in page
    assert 'type="password"' not in page
    assert staff.get(url(User, "password/", alice.pk)).status_code in (302, 404)
    staff.post(url(User, "change/", alice.pk), profile(alice, password="x", password1="x"))
    alice.refresh_from_db()
    assert alice.check_password(factories.PASSWORD)


def test_an_email_address_is_for_its_owner_to_change(staff: Client, alice: User) -> None:
    staff.post(
        url(User, "change/", alice.pk), profile(alice, email="thief@example.com", company="C")
    )
    alice.refresh_from_db()
    assert (alice.email, alice.company) == ("alice@example.com", "C")
    address = EmailAddress.objects.get(user=alice)
    assert staff.post(url(EmailAddress, "change/", address.pk), {}).status_code == 403


def test_a_link_to_set_a_new_password_is_mailed(staff: Client, alice: User) -> None:
    assert "Send a password reset link: done." in press(staff, "mail_link", alice)
    sent = mail_to(alice.email)
    assert sent["subject"] == "Choose a new password"
    [path] = re.findall(r"(/accounts/password/reset/key/\S+)", sent["text"])
    assert "New password" in words(Client().get(path, follow=True))


def test_to_a_closed_account_none_is(staff: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert "This account is closed." in press(staff, "mail_link", alice)
    assert Notification.objects.count() == 0


def test_a_lost_second_step_is_taken_away_and_its_owner_told(plain: Client, alice: User) -> None:
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(alice)
    step = Authenticator.objects.filter(user=alice).earliest("pk")
    assert "Remove the second step of signing in: done." in press(plain, "take_away", step)
    assert not Authenticator.objects.exists()
    told = mail_to("alice@example.com")["text"]
    assert "your password alone lets you in from now on" in told
    assert AuditEntry.objects.get(person=alice).action == "staff_acted"


def test_a_person_that_staff_add_is_mailed_a_link_and_comes_in_by_it(plain: Client) -> None:
    plain.post(url(User, "add/"), DORA)
    dora = User.objects.get(email="dora@example.com")
    assert (dora.username, dora.timezone, dora.has_usable_password()) == (
        "dora",
        "Asia/Tokyo",
        False,
    )
    address = EmailAddress.objects.get(user=dora)
    assert (address.email, address.verified, address.primary) == (dora.email, True, True)
    sent = mail_to(dora.email)
    assert sent["subject"] == "You have an account at Parley"
    [path] = re.findall(r"(/accounts/password/reset/key/\S+)", sent["text"])
    browser = Client()
    [(form, _status)] = browser.get(path, follow=True).redirect_chain
    browser.post(form, {"password1": factories.PASSWORD, "password2": factories.PASSWORD})
    browser.post("/accounts/login/", {"login": dora.email, "password": factories.PASSWORD})
    assert browser.get("/settings/profile").status_code == 200


@pytest.mark.parametrize("email", ["ALICE@example.com", "ames@example.com"])
def test_nobody_is_added_with_an_address_of_somebody_else(
    staff: Client, alice: User, email: str
) -> None:
    EmailAddress.objects.create(user=alice, email="ames@example.com", verified=True)
    page = staff.post(url(User, "add/"), DORA | {"email": email})
    assert "Somebody has this address." in page.content.decode()
    assert User.objects.filter(first_name="Dora").count() == 0


def test_a_username_that_is_an_address_of_ours_is_refused(staff: Client, alice: User) -> None:
    page = staff.post(url(User, "change/", alice.pk), profile(alice, username="settings"))
    assert page.status_code == 200
    alice.refresh_from_db()
    assert alice.username == "alice"


def test_a_person_is_added_though_their_mailbox_has_had_enough(
    plain: Client, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"account_mails": 1}
    Client().post("/accounts/password/reset/", {"email": "dora@example.com"})
    page = plain.post(url(User, "add/"), DORA, follow=True)
    assert "We send at most 1 emails an hour to this address." in page.content.decode()
    assert User.objects.filter(email="dora@example.com").count() == 1


def test_accounts_are_not_deleted_here(staff: Client, alice: User) -> None:
    assert staff.post(url(User, "delete/", alice.pk), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=alice.pk).exists()


# --- staff who are nothing more -------------------------------------------------------------------


def test_staff_change_a_person_but_nobodys_access(plain: Client, alice: User) -> None:
    plain.post(
        url(User, "change/", alice.pk),
        profile(alice, company="C", is_staff="on", is_superuser="on", is_active=""),
    )
    alice.refresh_from_db()
    assert (alice.company, alice.is_staff, alice.is_superuser, alice.is_active) == (
        "C",
        False,
        False,
        True,
    )


def test_superusers_say_who_is_staff(staff: Client, alice: User) -> None:
    staff.post(url(User, "change/", alice.pk), profile(alice, is_active="on", is_staff="on"))
    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser) == (True, False)


def test_the_last_superuser_stays_one(staff: Client, alice: User) -> None:
    last = User.objects.get(is_superuser=True)
    rights = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    for right in rights:
        page = staff.post(url(User, "change/", last.pk), profile(last, **{**rights, right: ""}))
        assert "Nobody else has all rights here." in page.content.decode()
    last.refresh_from_db()
    assert (last.is_active, last.is_staff, last.is_superuser) == (True, True, True)
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    staff.post(url(User, "change/", last.pk), profile(last, is_active="on"))
    last.refresh_from_db()
    assert (last.is_active, last.is_staff, last.is_superuser) == (True, False, False)


def test_whoever_is_deleted_stays_nobody(staff: Client, alice: User) -> None:
    privacy.erase(person_id=alice.pk, now=timezone.now())
    nobody = User.objects.get(pk=alice.pk)
    assert staff.get(url(User, "change/", alice.pk)).status_code == 200
    changed = profile(nobody, first_name="Back", is_active="on")
    assert staff.post(url(User, "change/", alice.pk), changed).status_code == 403
    assert User.objects.get(pk=alice.pk).first_name == ""


def test_staff_do_nothing_to_superusers(plain: Client, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_superuser=True)
    row, _token = services.create_token(user=bob, name="x", scopes=["events:read"])
    Client().force_login(bob)
    refusal = "Only superusers touch what is a superuser’s."
    assert plain.get(url(User, "change/", bob.pk)).status_code == 200
    assert plain.post(url(User, "change/", bob.pk), profile(bob)).status_code == 403
    assert refusal in press(plain, "mail_link", bob)
    assert refusal in press(plain, "revoke", row)
    assert refusal in press(plain, "end", Session.objects.get(user=bob))
    assert (Notification.objects.count(), Session.objects.filter(user=bob).count()) == (0, 1)
    assert ApiToken.objects.get().revoked_at is None


def test_staff_put_people_into_teams(plain: Client, alice: User, team: Team) -> None:
    charlie = factories.user("charlie")
    fields = {
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-team": team.pk,
        "memberships-0-role": "member",
        "memberships-0-user": charlie.pk,
    }
    plain.post(url(User, "change/", charlie.pk), profile(charlie) | fields)
    assert team.members.filter(pk=charlie.pk).exists()


def test_in_a_persons_place_there_is_nobody_else_afterwards(
    plain: Client, alice: User, bob: User, team: Team
) -> None:
    """Otherwise the replaced member would leave the team without an entry in their log."""
    own = team.memberships.get(user=bob)
    places = {"memberships-0-id": own.pk, "memberships-0-user": alice.pk}
    plain.post(url(Team, "change/", team.pk), team_of(team, own, places))
    own.refresh_from_db()
    assert own.user == bob


@pytest.mark.parametrize("how", [{"role": "client"}, {"DELETE": "on"}])
def test_not_even_staff_leave_a_team_without_an_owner(
    plain: Client, alice: User, team: Team, how: dict[str, str]
) -> None:
    own = team.memberships.get(user=alice)
    changes = {f"memberships-0-{name}": value for name, value in how.items()}
    pages = [
        (url(Team, "change/", team.pk), team_of(team, own, changes)),
        (url(User, "change/", alice.pk), profile(alice) | team_of(team, own, changes)),
    ]
    for path, fields in pages:
        page = plain.post(path, fields)
        assert (page.status_code, page.context["errors"]) == (
            200,
            ["A team needs an owner: make somebody else an owner first."],
        )
    own.refresh_from_db()
    assert own.role == "owner"
    assert not AuditEntry.objects.filter(action__startswith="staff").exists()


def test_one_owner_follows_the_other_in_one_go_and_both_have_it_in_their_log(
    plain: Client, alice: User, bob: User, team: Team
) -> None:
    first, second = team.memberships.order_by("pk")
    changes = {
        "memberships-TOTAL_FORMS": 2,
        "memberships-INITIAL_FORMS": 2,
        "memberships-0-DELETE": "on",
        "memberships-1-id": second.pk,
        "memberships-1-team": team.pk,
        "memberships-1-role": "owner",
        "memberships-1-user": bob.pk,
    }
    plain.post(url(Team, "change/", team.pk), team_of(team, first, changes))
    assert [(row.user, row.role) for row in team.memberships.all()] == [(bob, "owner")]
    log = AuditEntry.objects.filter(action__startswith="staff").order_by("action")
    assert [(entry.action, entry.person, entry.subject) for entry in log] == [
        ("staff_changed", bob, "membership in Founders: Bob Byrd, owner"),
        ("staff_deleted", alice, "membership in Founders: Alice Ames, owner"),
    ]


def test_a_new_team_of_people_has_an_owner(plain: Client, alice: User) -> None:
    fields = {
        "name": "New",
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": alice.pk,
        "memberships-0-role": "member",
    }
    plain.post(url(Team, "add/"), fields)
    assert not Team.objects.exists()
    plain.post(url(Team, "add/"), fields | {"memberships-0-role": "owner"})
    assert Team.objects.get().memberships.get().user == alice
    entry = AuditEntry.objects.get(person=alice)
    assert (entry.action, entry.subject) == ("staff_added", "membership in New: Alice Ames, owner")


def test_staff_change_no_place_of_a_superusers(plain: Client, alice: User, team: Team) -> None:
    root = User.objects.create_superuser("root@example.com", factories.PASSWORD)
    new = {
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-id": "",
        "memberships-0-user": root.pk,
    }
    refusal = ["Only superusers touch what is a superuser’s."]
    path, own = url(Team, "change/", team.pk), team.memberships.get(user=alice)
    assert plain.post(path, team_of(team, own, new)).context["errors"] == refusal
    factories.join(team, root)
    rooted = team.memberships.get(user=root)
    for change in ({"memberships-0-role": "client"}, {"memberships-0-DELETE": "on"}):
        assert plain.post(path, team_of(team, rooted, change)).context["errors"] == refusal
    assert team.memberships.get(user=root).role == rooted.role
    assert plain.post(path, team_of(team, own, {"name": "Other"})).status_code == 302


def test_staff_act_without_permissions_given_by_hand(
    plain: Client, meeting: MeetingRequest, booking: Booking, attempt: Attempt
) -> None:
    for name, row in (
        ("withdraw", Notification.objects.filter(state="waiting").first()),
        ("call_off", meeting),
        ("call_off", booking),
        ("requeue", attempt.delivery),
    ):
        assert row is not None
        assert "done." in press(plain, name, row)
    meeting.refresh_from_db()
    booking.refresh_from_db()
    assert (meeting.status, booking.status) == ("cancelled", "cancelled")
    attempt.delivery.refresh_from_db()
    assert attempt.delivery.state == "waiting"

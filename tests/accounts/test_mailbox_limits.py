"""Limits on emails that anybody can cause to one mailbox, and on invitations."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache, caches
from django.test import Client
from pytest_django import Settings

from accounts.domain import account_mails, teams
from accounts.models import AuditEntry, Invitation, Team, User
from core.errors import Busy
from core.text import mailboxes
from notifications.models import Notification
from tests import factories
from tests.pages import NOW, stand_alone, words
from tests.private_names import entries_in_process
from tests.torture.races import at_once, kinds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SIGN_UP, RESET, ADDRESSES = "/accounts/signup/", "/accounts/password/reset/", "/accounts/email/"
VICTIM = "victim@example.com"
SAID = "We send at most 3 emails an hour to this address. Try again from"


@pytest.fixture
def clock(settings: Settings) -> Iterator[time_machine.Traveller]:
    stand_alone(settings)
    settings.LIMITS = settings.LIMITS | {"account_mails": 3, "invitations_new": 2, "invitations": 4}
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def sign_up(address: str, **more: str) -> Any:
    form = {"first_name": "Eve", "email": address, "password1": factories.PASSWORD, **more}
    return Client().post(SIGN_UP, form)


def reset(address: str) -> Any:
    return Client().post(RESET, {"email": address})


# --- mailboxes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "other", "is_one"),
    [
        ("a@example.com", "A@Example.COM", True),
        ("a@example.com", "a+b@example.com", True),
        ("a@example.com", "a+b+c@example.com", True),
        ("a@example.com", '"a"@example.com', True),
        ("a@example.com", '"\\a"@example.com', True),
        ("a@bücher.example", "a@xn--bcher-kva.example", True),
        ("ab@gmail.com", "a.b+c@gmail.com", True),
        ("ab@gmail.com", "a.b@googlemail.com", True),
        ("ab@example.com", "a.b@example.com", False),
        ("a@example.com", "b@example.com", False),
        ("a@example.com", "a@example.org", False),
        ("+a@example.com", "+b@example.com", False),
    ],
)
def test_which_addresses_are_one_mailbox(address: str, other: str, is_one: bool) -> None:
    assert (mailboxes.digest(address) == mailboxes.digest(other)) is is_one


@pytest.mark.parametrize("ask", [sign_up, reset])
def test_a_mailbox_is_written_to_three_times_an_hour(
    ask: Any, clock: time_machine.Traveller
) -> None:
    answers = [ask(f"victim+{number}@example.com") for number in range(3)]
    clock.shift(timedelta(minutes=10))
    answers += [ask(VICTIM), ask("victim+9@example.com")]
    assert [answer.status_code for answer in answers] == [302] * 3 + [200] * 2
    assert f"{SAID} Monday, 2 March 2026, 10:00 (UTC)." in words(answers[-1])
    assert Notification.objects.count() == 3
    assert not User.objects.filter(email=VICTIM).exists()
    clock.move_to(NOW + timedelta(hours=1))
    assert ask(VICTIM).status_code == 302


def test_the_refusal_is_in_the_visitors_zone_and_clock(alice: User) -> None:
    for _number in range(3):
        reset(VICTIM)
        sign_up(VICTIM)
    assert f"{SAID} Monday, 2 March 2026, 15:45 (Asia/Kathmandu)." in words(
        sign_up(VICTIM, timezone="Asia/Kathmandu")
    )
    browser = Client()
    browser.cookies["zone"], browser.cookies["hours"] = "America/New_York", "12"
    page = browser.post(RESET, {"email": VICTIM})
    assert f"{SAID} Monday, 2 March 2026, 5:00 AM (America/New_York)." in words(page)


@pytest.mark.parametrize("ask", [sign_up, reset])
def test_it_is_the_same_with_an_account_and_without(ask: Any, alice: User, bob: User) -> None:
    EmailAddress.objects.create(user=bob, email="pending@example.com", verified=False)
    told = [
        [(answer.status_code, answer.get("Location"), said(answer, address)) for answer in answers]
        for address in (alice.email, VICTIM, "pending@example.com")
        for answers in [[ask(address) for _number in range(5)]]
    ]
    assert told[0] == told[1] == told[2]
    assert [status for status, _location, _said in told[0]] == [302] * 3 + [200] * 2


def said(answer: Any, address: str) -> str:
    return words(answer).replace(address, "") if answer.status_code == 200 else ""


def test_sign_ups_by_strangers_cost_nobody_a_reset(alice: User) -> None:
    for _number in range(4):
        sign_up(alice.email)
    assert reset(alice.email).status_code == 302
    assert Notification.objects.filter(kind="password_reset_key", user=alice).count() == 1


def test_each_way_to_have_a_link_sent_counts(client: Client, alice: User) -> None:
    sign_up("victim+0@example.com")
    sign_up(VICTIM)
    client.force_login(alice)
    page = client.post(ADDRESSES, {"email": VICTIM, "action_add": ""}, follow=True)
    assert f"Confirmation email sent to {VICTIM}." in words(page)
    assert Notification.objects.filter(address__contains="victim").count() == 3
    before = list(EmailAddress.objects.values_list("email", flat=True))

    again = client.post(ADDRESSES, {"email": VICTIM, "action_send": ""}, follow=True)
    assert f"{SAID} Monday, 2 March 2026, 10:00 AM (UTC)." in words(again)
    assert "Confirmation email sent" not in words(again)
    added = client.post(ADDRESSES, {"email": "victim+1@example.com", "action_add": ""})
    assert SAID in words(added)
    fields = {"login": VICTIM, "password": factories.PASSWORD}
    signed_in = Client().post("/accounts/login/", fields, follow=True)
    assert SAID in words(signed_in)
    assert "Confirmation email sent" not in words(signed_in)
    assert list(EmailAddress.objects.values_list("email", flat=True)) == before
    assert Notification.objects.filter(address__contains="victim").count() == 3


def test_signing_in_and_asking_again_send_the_link_at_once(client: Client) -> None:
    sign_up(VICTIM)
    fields = {"login": VICTIM, "password": factories.PASSWORD}
    page = client.post("/accounts/login/", fields, follow=True)
    assert f"Confirmation email sent to {VICTIM}." in words(page)
    assert Notification.objects.count() == 2


def test_staff_are_told_too(client: Client, alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    for _number in range(3):
        reset(bob.email)
    client.force_login(alice)
    page = client.post(f"/admin/accounts/user/{bob.pk}/act/mail_link/", follow=True)
    assert SAID in page.content.decode()
    assert Notification.objects.count() == 3


def test_zero_turns_it_off(settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"account_mails": 0}
    assert [reset(VICTIM).status_code for _number in range(4)] == [302] * 4


def test_of_many_at_once_three_get_through(settings: Settings) -> None:
    take = partial(account_mails.take, VICTIM, account_mails.About.ADDRESS, now=NOW)
    assert Counter(at_once([take] * 8)) == {True: 3, False: 5}


def test_no_cache_holds_the_address(settings: Settings) -> None:
    reset(VICTIM)
    kept = [
        f"{key} {entry!r}"
        for name in ("default", "pages")
        for key, entry in entries_in_process(caches[name])
    ]
    assert [line for line in kept if "mailbox" in line]
    assert not [line for line in kept if "victim" in line]
    assert cache.get(f"mailbox:password:{mailboxes.digest(VICTIM)}:0") == NOW.timestamp() + 3_600


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["http://evil.example", "www.evil.example", "a/b", "me@evil"])
@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_nobody_signs_up_under_a_link(field: str, name: str) -> None:
    page = sign_up(VICTIM, **{field: name})
    assert (page.status_code, "A name cannot contain" in words(page)) == (200, True)
    assert (User.objects.count(), Notification.objects.count()) == (0, 0)


def test_nobody_takes_such_a_name_later(client: Client, alice: User) -> None:
    api = factories.client(alice)
    refused = api.patch(
        "/api/v1/users/me", {"first_name": "www.evil"}, content_type="application/json"
    )
    assert (refused.status_code, refused.json()["details"][0]["field"]) == (422, "first_name")
    User.objects.filter(pk=alice.pk).update(last_name="Ames/Byrd")  # from before
    kept = api.patch(
        "/api/v1/users/me",
        {"first_name": "Ally", "last_name": "Ames/Byrd"},
        content_type="application/json",
    )
    assert (kept.status_code, kept.json()["data"]["name"]) == (200, "Ally Ames/Byrd")


def test_a_typed_name_is_in_no_mail_to_an_address_that_is_not_confirmed(
    client: Client, alice: User
) -> None:
    sign_up(VICTIM, first_name="Buy-Gold")
    reset(VICTIM)
    client.force_login(alice)
    client.post(ADDRESSES, {"email": "other@example.com", "action_add": ""})
    sent = Notification.objects.all()
    assert [row.kind for row in sent.order_by("id")] == [
        "email_confirmation_signup",
        "password_reset_key",
        "email_confirmation",
        "email_added",
    ]
    unconfirmed = sent.exclude(address=alice.email)
    assert unconfirmed.count() == 3
    assert not [row for row in unconfirmed if "Buy-Gold" in row.content or "Alice" in row.content]
    reset(alice.email)
    assert "Hello Alice," in sent.order_by("id").last().content  # type: ignore[union-attr]


# --- invitations ----------------------------------------------------------------------------------


def invite(client: Client, team: Team, number: int) -> Any:
    page = f"/settings/teams/{team.pk}/invitations"
    return client.post(page, {"email": f"guest-{number}@example.com"}, follow=True)


def test_a_new_account_sends_few_invitations_a_day(
    client: Client, team: Team, alice: User, clock: time_machine.Traveller
) -> None:
    User.objects.filter(pk=alice.pk).update(created_at=NOW, timezone="Asia/Tokyo")
    client.force_login(alice)
    invite(client, team, 0)
    [invitation] = Invitation.objects.all()
    again = f"/settings/teams/{team.pk}/invitations/{invitation.pk}/send"
    assert "Invitation sent again" in words(client.post(again, follow=True))
    refused = [invite(client, team, 1), client.post(again, follow=True)]
    said = "In its first week an account sends at most 2 invitations a day. You can send another"
    until = "from Tuesday, 3 March 2026, 6:00 PM (Asia/Tokyo)."
    assert [f"{said} {until}" in words(page) for page in refused] == [True, True]
    # Neither withdrawing one nor another team makes room.
    client.post(f"/settings/teams/{team.pk}/invitations/{invitation.pk}/withdraw")
    another = teams.create(owner=alice, name="Another")
    assert said in words(invite(client, another, 2))
    assert AuditEntry.objects.filter(action="invitation_sent").count() == 2
    assert Notification.objects.filter(kind="team_invitation").count() == 0  # forgotten with it

    clock.shift(timedelta(days=1))
    assert "Invitation sent" in words(invite(client, team, 3))


def test_after_its_first_week_an_account_sends_more(team: Team, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(created_at=NOW - timedelta(days=7))
    alice.refresh_from_db()
    for number in range(4):
        teams.invite(team=team, actor=alice, email=f"guest-{number}@example.com", now=NOW)
    with pytest.raises(Busy, match="An account sends at most 4 invitations a day"):
        teams.invite(team=team, actor=alice, email="guest-4@example.com", now=NOW)


def test_an_invitation_that_is_refused_for_another_reason_does_not_count(
    client: Client, team: Team, alice: User, bob: User
) -> None:
    client.force_login(alice)
    for _number in range(3):
        page = client.post(f"/settings/teams/{team.pk}/invitations", {"email": bob.email})
        assert "already in the team" in words(page)
    assert "Invitation sent" in words(invite(client, team, 0))


@pytest.mark.django_db(transaction=True)
def test_many_invitations_at_once_pass_no_limit(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(created_at=NOW)
    alice.refresh_from_db()
    acts = [
        partial(
            teams.invite,
            team=factories.team(f"Team {number}", alice),
            actor=alice,
            email=f"guest-{number}@example.com",
            now=NOW,
        )
        for number in range(5)
    ]
    assert kinds(at_once(acts)) == {"Invitation": 2, "Busy": 3}

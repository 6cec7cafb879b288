"""Checks of account pages outside the other journeys: sign-in, security and teams."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from accounts.domain import audit, teams
from accounts.domain import links as team_links
from accounts.domain import services as people
from accounts.domain.audit import Action
from accounts.models import ApiToken, Membership, Session, Team, User
from notifications.models import PushDevice
from tests import factories
from tests.journeys.browser import Enter, Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

DAY = timedelta(days=1)
LONG = "Donaudampfschifffahrtsgesellschaftskapitän"


def test_the_way_in(visit: Visit, alice: User, size: str) -> None:
    visitor = visit("/accounts/inactive/", size)
    visitor.look("account-inactive")
    visitor.looks(
        {
            "verification-sent": "/accounts/confirm-email/",
            "address-link-broken": "/accounts/confirm-email/broken/",
            "password-link-broken": "/accounts/password/reset/key/1-broken/",
        }
    )
    page = visitor.page
    page.goto("/accounts/password/reset/key/done/")
    visitor.look("password-new-done")
    page.goto("/accounts/login/?next=/settings/teams")
    page.context.clear_cookies()
    visitor.sign_in(alice)
    expect(page.get_by_role("heading", level=1)).to_have_text("This page has expired")
    visitor.look("wrong-csrf")
    visitor.refused(403)


def test_security(enter: Enter, alice: User, bob: User) -> None:
    """There are three browsers, and more than one page of events."""
    for _browser in range(2):
        Client().force_login(alice)
    Session.objects.update(agent=LONG * 4)
    now = timezone.now()
    for number in range(60):
        audit.record(
            Action.STAFF_CHANGED, person=alice, actor=bob, subject=f"{LONG} {number}", now=now
        )
    visitor = enter(alice, "/settings/security")
    visitor.unfold()
    visitor.look("security")
    visitor.page.get_by_role("button", name="Sign out the others").click()
    expect(visitor.page.get_by_text("have been signed out.")).to_be_visible()
    visitor.look("security-alone")


def test_tokens_and_devices(enter: Enter, alice: User) -> None:
    now = timezone.now()
    for name, expires in (("Calendar on the wall", None), (LONG, now + DAY), ("Old", now - DAY)):
        people.create_token(user=alice, name=name, scopes=["users:read"], expires_at=expires)
    factories.token(alice)
    people.revoke_token(token=ApiToken.objects.latest("pk"), actor=None, now=now)
    people.register_device(user=alice, token="a" * 40, platform="ios", name=f"{LONG}s iPhone")
    people.register_device(user=alice, token="b" * 40, platform="web")
    PushDevice.objects.filter(platform="web").update(is_active=False)
    visitor = enter(alice)
    page = visitor.page
    for name in ("tokens", "devices"):
        page.goto(f"/settings/{name}")
        visitor.unfold()
        visitor.look(name)
    page.goto("/settings/tokens")
    page.get_by_role("button", name="Create token").click()
    page.goto("/settings/tokens")
    page.get_by_label("Name").fill("Bot")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".errorlist")).to_be_visible()
    visitor.look("token-refused")
    page.get_by_label("See your bookings").check()
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your new token")
    visitor.look("token-made")


def test_a_team_by_role(enter: Enter, alice: User, bob: User, charlie: User) -> None:
    team, now = factories.team(f"{LONG}e", alice, bob, charlie), timezone.now()
    Membership.objects.filter(user=bob).update(role=Membership.Role.MANAGER)
    teams.invite(team=team, actor=alice, email="dora@example.com", now=now)
    teams.invite(team=team, actor=bob, email=f"{LONG[:-4]}@example.com".lower(), now=now - 8 * DAY)
    for role, person in (("owner", alice), ("manager", bob), ("member", charlie)):
        visitor = enter(person, f"/settings/teams/{team.pk}")
        visitor.unfold()
        visitor.look(f"team-{role}")
    visitor.looks({"teams": "/settings/teams"})


def test_an_invitation(
    enter: Enter, visit: Visit, team: Team, alice: User, charlie: User, size: str
) -> None:
    now = timezone.now()

    def invite(email: str, at: datetime = now) -> str:
        invitation = teams.invite(team=team, actor=alice, email=email, now=at)
        return urlsplit(team_links.invitation_url(invitation)).path

    people.vouch_for_email(user=charlie)
    stranger, own, old = (
        invite("dora@example.com"),
        invite(charlie.email),
        invite("x@y.org", now - 8 * DAY),
    )
    visit("/", size).looks({"join-stranger": stranger, "join-too-old": old})
    visitor = enter(charlie)
    visitor.looks({"join-wrong-account": stranger, "join": own})
    visitor.page.get_by_role("button", name="Join the team").click()
    expect(visitor.page.get_by_role("status")).to_have_text("Welcome to Founders.")
    visitor.look("joined")
    visitor.page.goto(own)
    visitor.look("join-used")
    visitor.refused(404)


def test_the_account(enter: Enter, visit: Visit, alice: User, size: str) -> None:
    visitor = enter(alice)
    visitor.looks(
        {
            "reauthenticate": "/accounts/reauthenticate/",
            "access": "/settings/security/access",
            "sign-out": "/accounts/logout/",
            "two-factor-off": "/accounts/2fa/",
            "password-change": "/accounts/password/change/",
            "email-addresses": "/accounts/email/",
        }
    )
    page = visitor.page
    page.goto("/accounts/reauthenticate/?next=/accounts/2fa/totp/activate/")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up the app")
    visitor.look("two-factor-set-up")
    code = page.get_by_label("Authenticator code")
    code.fill("000000")
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.locator(".errorlist")).to_be_visible()
    visitor.look("two-factor-refused")
    secret = page.locator("#secret").inner_text()
    now = next(yield_hotp_counters_from_time())
    code.fill(str(format_hotp_value(hotp_value(secret, now))))
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_role("status").first).to_be_visible()
    visitor.look("recovery-codes")
    visitor.looks(
        {
            "two-factor-on": "/accounts/2fa/",
            "two-factor-ending": "/accounts/2fa/totp/deactivate/",
            "recovery-codes-new": "/accounts/2fa/recovery-codes/generate/",
        }
    )
    again = visit("/accounts/login/", size)
    again.sign_in(alice)
    expect(again.page.get_by_role("heading", level=1)).to_have_text("Two-factor sign-in")
    again.look("two-factor-asked")

"""Audit log: sign-in events are recorded, and the person gets an email about them."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.domain import audit
from accounts.domain.audit import Action
from accounts.models import AuditEntry, User
from notifications.models import Notification
from tests import factories
from tests.accounts.test_pages_allauth import code, switch_on
from tests.accounts.test_sessions import FIREFOX
from tests.core.test_crypto import NEW
from tests.outbox import content_of
from tests.pages import NOW, readable

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LOGIN, FORGOTTEN = "/accounts/login/", "/accounts/password/reset/"
NEW_PASSWORD = {"password1": "battery-horse-correct", "password2": "battery-horse-correct"}


@pytest.fixture
def browser() -> Client:
    return Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="192.0.2.1")


@pytest.fixture
def signed_in(browser: Client, alice: User) -> Client:
    """Return a browser signed in with Alice's password, given twice for protected pages.

    The audit log is empty.
    """
    sign_in(browser, alice)
    browser.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    AuditEntry.objects.all().delete()
    return browser


def sign_in(browser: Client, person: User, password: str = factories.PASSWORD) -> Any:
    return browser.post(LOGIN, {"login": person.email, "password": password})


def log() -> list[tuple[str, User | None, User | None, str]]:
    """Return action, person, actor and subject of each entry, oldest first."""
    return [
        (entry.action, entry.person, entry.actor, entry.subject)
        for entry in AuditEntry.objects.select_related("person", "actor").order_by("id")
    ]


def last_mail() -> tuple[str, str, str]:
    row = Notification.objects.latest("pk")
    content = content_of(row)
    return row.address, content["subject"], content["text"]


# --- an entry -------------------------------------------------------------------------------------


def test_an_entry_says_when_from_where_and_in_answer_to_which_request(
    browser: Client, alice: User
) -> None:
    browser.post(
        LOGIN,
        {"login": alice.email, "password": factories.PASSWORD},
        headers={"X-Request-Id": "request-1"},
    )
    entry = AuditEntry.objects.get()
    assert (entry.at, entry.address, entry.request_id) == (NOW, "192.0.2.1", "request-1")


def test_behind_a_proxy_the_address_is_the_clients(
    browser: Client, alice: User, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 1
    browser.post(
        LOGIN,
        {"login": alice.email, "password": factories.PASSWORD},
        headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"},
    )
    assert AuditEntry.objects.get().address == "198.51.100.7"


def test_a_long_subject_is_cut(alice: User) -> None:
    audit.record(Action.TOKEN_MADE, person=alice, subject="x" * 400, now=NOW)
    assert AuditEntry.objects.get().subject == "x" * 300


# --- signing in and out ---------------------------------------------------------------------------


def test_signing_in_and_out(browser: Client, alice: User) -> None:
    sign_in(browser, alice)
    browser.post("/accounts/logout/")
    assert log() == [
        ("login", alice, alice, "Firefox on Linux"),
        ("logout", alice, alice, ""),
    ]


def test_a_wrong_password(browser: Client, alice: User) -> None:
    sign_in(browser, alice, "wrong")
    assert log() == [("login_failed", alice, None, "")]


def test_a_wrong_password_with_another_confirmed_address_of_theirs(
    browser: Client, alice: User
) -> None:
    EmailAddress.objects.create(user=alice, email="ames@example.com", verified=True)
    browser.post(LOGIN, {"login": "Ames@example.com", "password": "wrong"})
    assert log() == [("login_failed", alice, None, "")]


def test_of_an_unknown_account_not_even_what_was_typed_is_kept(browser: Client) -> None:
    browser.post(LOGIN, {"login": "hunter2@example.com", "password": "wrong"})
    assert log() == [("login_failed", None, None, "")]
    assert "hunter2" not in str(readable())


def test_a_wrong_code_in_the_second_step(signed_in: Client, alice: User) -> None:
    switch_on(signed_in)
    AuditEntry.objects.all().delete()
    other = Client()
    sign_in(other, alice)
    other.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert log() == [("login_failed", alice, None, "authenticator app")]


# --- what changes the way in ----------------------------------------------------------------------


def test_a_changed_password(signed_in: Client, alice: User, settings: Settings) -> None:
    sign_in(Client(headers={"User-Agent": "curl/8"}), alice)
    AuditEntry.objects.all().delete()
    signed_in.post(
        "/accounts/password/change/", {"oldpassword": factories.PASSWORD, **NEW_PASSWORD}
    )
    assert log() == [
        ("password_changed", alice, alice, ""),
        ("session_ended", alice, alice, "curl/8"),
    ]
    address, subject, text = last_mail()
    assert (address, subject) == (alice.email, "Your password was changed")
    assert text.startswith(
        "Hello Alice,\n\n"
        "The password of your account at Parley was changed.\n\n"
        "When: Mon 03/02/2026, 9:00 AM (UTC)\n"
        "From: Firefox on Linux, 192.0.2.1\n"
    )
    html = content_of(Notification.objects.latest("pk"))["html"]
    assert f"<title>{subject}</title>" in html
    for path in ("/settings/security", FORGOTTEN):
        assert f'href="{settings.PUBLIC_URL}{path}"' in html
    assert NEW_PASSWORD["password1"] not in str(readable())


def test_a_forgotten_password(browser: Client, alice: User) -> None:
    sign_in(Client(headers={"User-Agent": "curl/8"}), alice)
    AuditEntry.objects.all().delete()
    browser.post(FORGOTTEN, {"email": alice.email})
    [path] = re.findall(r"(/accounts/password/reset/key/\S+)", last_mail()[2])
    [(form, _status)] = browser.get(path, follow=True).redirect_chain
    browser.post(form, NEW_PASSWORD)
    assert log() == [
        ("password_reset", alice, alice, ""),
        ("session_ended", alice, alice, "curl/8"),
    ]
    assert last_mail()[:2] == (alice.email, "Your password was changed")


def test_addresses(signed_in: Client, alice: User) -> None:
    page = "/accounts/email/"
    signed_in.post(page, {"action_add": "", "email": "ames@example.com"})
    assert log() == []  # not hers before she has shown that it is
    confirmation = Notification.objects.get(address="ames@example.com")
    [path] = re.findall(r"(/accounts/confirm-email/[^\\\s]+)\\n", confirmation.content)
    signed_in.post(path)
    signed_in.post(page, {"action_primary": "", "email": "ames@example.com"})
    told, subject, _text = last_mail()
    assert (told, subject) == ("alice@example.com", "Your main email address was changed")
    signed_in.post(page, {"action_remove": "", "email": "alice@example.com"})
    assert last_mail()[:2] == ("ames@example.com", "An email address was removed")
    assert log() == [
        ("email_changed", alice, alice, "+ ames@example.com"),
        ("email_changed", alice, alice, "alice@example.com → ames@example.com"),
        ("email_changed", alice, alice, "− alice@example.com"),
    ]


def test_the_second_step(
    signed_in: Client,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        switch_on(signed_in)
    assert last_mail()[:2] == (alice.email, "Two-factor sign-in is on")
    with django_capture_on_commit_callbacks(execute=True):
        signed_in.post("/accounts/2fa/recovery-codes/generate/")
    assert last_mail()[:2] == (alice.email, "New recovery codes")
    signed_in.post("/accounts/2fa/totp/deactivate/")
    assert last_mail()[:2] == (alice.email, "Two-factor sign-in is off")
    assert sorted((action, subject) for action, _person, _actor, subject in log()) == [
        ("mfa_added", "authenticator app"),
        ("mfa_added", "recovery codes"),
        ("mfa_added", "recovery codes"),
        ("mfa_removed", "authenticator app"),
        ("mfa_removed", "recovery codes"),
    ]


def test_an_email_about_it_is_in_the_persons_language(
    signed_in: Client,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    User.objects.filter(pk=alice.pk).update(
        language="de", timezone="Asia/Kathmandu", time_format="HH:mm"
    )
    with django_capture_on_commit_callbacks(execute=True):
        switch_on(signed_in)
    assert ", 14:45 (Asia/Kathmandu)" in last_mail()[2]
    assert Notification.objects.latest("pk").user == alice


# --- the secrets of the second step ---------------------------------------------------------------


def test_the_database_holds_no_secret_of_the_second_step_in_clear(
    signed_in: Client, alice: User
) -> None:
    secret = signed_in.get("/accounts/2fa/totp/activate/").context["form"].secret
    signed_in.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    recovery = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap()
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        stored = str(cursor.fetchall())
        cursor.execute("SELECT session_data FROM accounts_session")
        stored += str(cursor.fetchall())
    for clear in (secret, *recovery.generate_codes()):
        assert clear not in stored


@pytest.mark.parametrize("with_the_app", [True, False])
def test_with_a_new_key_the_second_step_still_lets_one_in(
    signed_in: Client, alice: User, settings: Settings, with_the_app: bool
) -> None:
    old = settings.ENCRYPTION_KEYS
    secret = signed_in.get("/accounts/2fa/totp/activate/").context["form"].secret
    signed_in.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    recovery = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap()
    [one, *_others] = recovery.get_unused_codes()
    settings.ENCRYPTION_KEYS = [NEW, *old]
    call_command("rotate_keys", verbosity=0)
    settings.ENCRYPTION_KEYS = [NEW]
    other = Client()
    sign_in(other, alice)
    answer = other.post(
        "/accounts/2fa/authenticate/", {"code": code(secret) if with_the_app else one}
    )
    assert answer.headers["Location"] == "/"
    assert other.get("/settings/profile").status_code == 200

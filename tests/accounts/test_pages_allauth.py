"""allauth's pages in Parley's design and wording: addresses, passwords, second factor, emails."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from notifications.models import Notification
from tests import factories
from tests.outbox import content_of
from tests.pages import NOW, everything, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

NEW_PASSWORD = "battery-horse-correct"
SIGN_UP = {"first_name": "Dora", "email": "dora@example.com", "password1": factories.PASSWORD}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    """Return a browser signed in with Alice's password. Protected pages do not ask for it again."""
    client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    return client


def mail() -> dict[str, str]:
    """Return the content of the last email."""
    content: dict[str, str] = content_of(Notification.objects.latest("pk"))
    return content


def code(secret: str) -> str:
    """Return the code that an authenticator app with this secret shows now."""
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


@pytest.mark.parametrize("host", ["localhost:9999", "parley.example:1337"])
def test_links_in_mails_lead_here_whatever_host_was_asked(
    host: str, signed_in: Client, alice: User, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "parley.example"]
    settings.PUBLIC_URL = "https://parley.example"
    anybody = Client(HTTP_HOST=host)
    signed_in.post("/accounts/email/", {"action_add": "", "email": "b@example.com"}, HTTP_HOST=host)
    sent = [mail()]
    for path, form in (
        ("/accounts/password/reset/", {"email": alice.email}),
        ("/accounts/password/reset/", {"email": "nobody@example.com"}),
        ("/accounts/signup/", SIGN_UP),
        ("/accounts/signup/", {**SIGN_UP, "email": alice.email}),
    ):
        anybody.post(path, form)
        sent.append(mail())
    assert len({each["text"] for each in sent}) == 5
    for each in sent:
        hosts = re.findall(r"https?://([^/\s\"<]+)", each["text"] + each["html"])
        assert set(hosts) == {"parley.example"}


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/accounts/email/", "Email addresses"),
        ("/accounts/password/change/", "Password"),
        ("/accounts/2fa/", "Two-factor sign-in"),
        ("/accounts/2fa/totp/activate/", "Set up the app"),
        ("/accounts/2fa/recovery-codes/generate/", "Recovery codes"),
    ],
)
def test_its_settings_stand_beside_ours(signed_in: Client, path: str, title: str) -> None:
    if "recovery" in path:
        switch_on(signed_in)
    page = signed_in.get(path)
    assert f"<title>{title} · Parley</title>" in page.content.decode()
    assert re.findall(r"<h1>(.*?)</h1>", main(page)) == [title]
    assert main(page).count("aria-current=") == 1  # in the rail
    assert "<script" not in main(page)


# --- email addresses ------------------------------------------------------------------------------


def test_an_address_is_added_confirmed_made_the_main_one_and_removed(
    signed_in: Client, alice: User
) -> None:
    page = signed_in.post("/accounts/email/", {"action_add": "", "email": "ames@example.com"})
    assert page.headers["Location"] == "/accounts/email/"
    listed = words(signed_in.get("/accounts/email/"))
    assert "alice@example.com Main address Confirmed" in listed
    assert "ames@example.com Not confirmed Send the link again" in listed
    confirmation = Notification.objects.get(address="ames@example.com")
    [path] = re.findall(r"(/accounts/confirm-email/[^\\\s]+)\\n", confirmation.content)
    signed_in.post(path)
    assert "ames@example.com Confirmed Make it the main address" in (
        words(signed_in.get("/accounts/email/"))
    )
    signed_in.post("/accounts/email/", {"action_primary": "", "email": "ames@example.com"})
    alice.refresh_from_db()
    assert alice.email == "ames@example.com"
    signed_in.post("/accounts/email/", {"action_remove": "", "email": "alice@example.com"})
    assert [row.email for row in EmailAddress.objects.all()] == ["ames@example.com"]


def test_looking_at_them_changes_nothing(signed_in: Client) -> None:
    signed_in.get("/accounts/email/")
    before = everything()
    signed_in.get("/accounts/email/")
    assert everything() == before


# --- passwords ------------------------------------------------------------------------------------


def test_the_password_is_changed(signed_in: Client, alice: User) -> None:
    page = signed_in.get("/accounts/password/change/")
    assert "Current password Forgot your password? New password" in words(page)
    assert "Confirm new password" in words(page)
    fields = {
        "oldpassword": factories.PASSWORD,
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    }
    signed_in.post("/accounts/password/change/", fields)
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)


def test_a_forgotten_one_is_replaced_by_a_link(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email})
    sent = mail()
    assert sent["subject"] == "Choose a new password"
    [path] = re.findall(r"(/accounts/password/reset/key/\S+)", sent["text"])
    page = client.get(path, follow=True)
    assert words(page).startswith("Choose a new password New password")
    [(form, _status)] = page.redirect_chain
    fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert words(client.post(form, fields, follow=True)).endswith(
        "Your password is changed Sign in"
    )
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert words(Client().get(path)) == (
        "This link does not work any more It is too old, it has been used, or it is not complete. "
        "Send another"
    )


def test_nobody_learns_whether_an_address_has_an_account(client: Client, alice: User) -> None:
    def told(path: str, fields: dict[str, str]) -> str:
        return words(Client().post(path, fields, follow=True)).replace(fields["email"], "…")

    reset = [
        told("/accounts/password/reset/", {"email": email})
        for email in (alice.email, "nobody@example.com")
    ]
    assert reset[0] == reset[1]
    signed_up = [
        told("/accounts/signup/", SIGN_UP | {"email": email})
        for email in (alice.email, "dora@example.com")
    ]
    assert signed_up[0] == signed_up[1]


# --- the second factor ----------------------------------------------------------------------------


def switch_on(client: Client) -> Any:
    page = client.get("/accounts/2fa/totp/activate/")
    [secret] = re.findall(r'<code id="secret" dir="ltr">([A-Z2-7]+)</code>', main(page))
    return client.post("/accounts/2fa/totp/activate/", {"code": code(secret)}, follow=True)


def test_the_app_is_set_up_and_then_asked_for(signed_in: Client, alice: User) -> None:
    assert "Authenticator app Off" in words(signed_in.get("/accounts/2fa/"))
    page = switch_on(signed_in)
    assert "10 of 10 are left. Keep them in a different place than your phone." in words(page)
    assert "Authenticator app On" in words(signed_in.get("/accounts/2fa/"))

    other = Client()
    fields = {"login": alice.email, "password": factories.PASSWORD, "next": "/settings/teams"}
    page = other.post("/accounts/login/", fields, follow=True)
    assert words(page).startswith("Two-factor sign-in Enter the code")
    [recovery] = Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES)
    recovery_code = recovery.wrap().get_unused_codes()[0]
    answer = other.post("/accounts/2fa/authenticate/", {"code": recovery_code})
    assert answer.headers["Location"] == "/settings/teams"
    assert "9 of 10 are left." in words(signed_in.get("/accounts/2fa/"))


def test_switched_off_nothing_of_it_stays(signed_in: Client) -> None:
    switch_on(signed_in)
    page = signed_in.get("/accounts/2fa/totp/deactivate/")
    assert "Your password alone lets you in from then on" in words(page)
    signed_in.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.count() == 0


def test_what_protects_an_account_asks_again_after_a_while(client: Client, alice: User) -> None:
    client.force_login(alice)
    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        page = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert words(page).startswith("Confirm that it is you For your security, enter your password")


# --- signing in and up ----------------------------------------------------------------------------


def test_signing_in_leads_on_to_where_one_was_going(client: Client, alice: User) -> None:
    page = client.get("/accounts/login/?next=/settings/teams")
    assert 'name="next" value="/settings/teams"' in main(page)
    fields = {"login": alice.email, "password": factories.PASSWORD}
    answer = client.post("/accounts/login/", fields | {"next": "/settings/teams"})
    assert answer.headers["Location"] == "/settings/teams"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/x"])
def test_it_leads_to_no_other_host(client: Client, alice: User, elsewhere: str) -> None:
    fields = {"login": alice.email, "password": factories.PASSWORD, "next": elsewhere}
    assert client.post("/accounts/login/", fields).headers["Location"] == "/"
    Client().post("/accounts/signup/", SIGN_UP | {"next": elsewhere})
    assert "evil" not in mail()["text"]


def test_signing_up_keeps_the_language_it_was_done_in_and_its_habits(client: Client) -> None:
    client.post("/accounts/signup/", SIGN_UP, headers={"Accept-Language": "fr"})
    dora = User.objects.get(email="dora@example.com")
    assert (dora.language, dora.date_format, dora.time_format) == ("fr", "dd/MM/yyyy", "HH:mm")


# --- mails ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "fields", "subject", "first"),
    [
        ("signup/", SIGN_UP, "Confirm your email address", "Hello,"),
        (
            "signup/",
            SIGN_UP | {"email": "alice@example.com"},
            "You have an account already",
            "Hello,",
        ),
        (
            "password/reset/",
            {"email": "alice@example.com"},
            "Choose a new password",
            "Hello Alice,",
        ),
        (
            "password/reset/",
            {"email": "nobody@example.com"},
            "There is no account with this address",
            "Hello,",
        ),
    ],
)
@pytest.mark.usefixtures("alice")
def test_its_mails_are_of_our_family(
    client: Client, path: str, fields: dict[str, str], subject: str, first: str
) -> None:
    client.post(f"/accounts/{path}", fields)
    sent = mail()
    assert sent["subject"] == subject
    assert sent["text"].startswith(f"{first}\n\n")
    assert f"<title>{subject}</title>" in sent["html"]
    assert "Sent by Parley at http" in sent["html"]
    [link] = re.findall(r"^(http\S+)$", sent["text"], re.MULTILINE)
    assert f'href="{link}"' in sent["html"]

"""Access that survives a password change: the mail and the page name it, and it can be ended."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import Grant

from accounts.domain import services
from accounts.models import AuditEntry, User
from notifications.models import Notification, PushDevice
from tests import factories
from tests.accounts.test_pages_allauth import code, switch_on
from tests.oauth import App, app_of
from tests.outbox import content_of
from tests.pages import NOW, words
from webhooks.models import Webhook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/security/access"
NEW = "battery-horse-correct"
CHANGE = {"oldpassword": factories.PASSWORD, "password1": NEW, "password2": NEW}


@pytest.fixture
def app(bob: User) -> App:
    return app_of(bob, now=timezone.now(), name="Notes")


@pytest.fixture
def signed_in(alice: User, app: App) -> Client:
    """Return Alice's browser. Her account has one access of each kind."""
    services.create_token(user=alice, name="Website", scopes=["users:read"])
    app.tokens(alice)
    services.register_device(user=alice, token="x", platform="web", name="Phone")
    factories.webhook(alice, name="Hook", url="https://hook.example/")
    factories.webhook(alice, name="Off", status="inactive")
    EmailAddress.objects.create(user=alice, email="further@example.com", verified=True)
    client = Client()
    client.force_login(alice)
    return client


LASTING = [
    "Webhook: Hook (https://hook.example/)",
    "API token: Website (pat_",
    "Connected app: Notes",
    "Device: Phone",
    "Email address: alice@example.com",
    "Email address: further@example.com",
]


def last_mail() -> str:
    return str(content_of(Notification.objects.latest("pk"))["text"])


def lines_of(text: str) -> list[str]:
    return re.findall(r"^- (.*?)(?:[\w]{4}…\))?$", text, re.MULTILINE)


def test_the_mail_and_the_page_after_a_change_name_all_that_lives_on(signed_in: Client) -> None:
    answer = signed_in.post("/accounts/password/change/", CHANGE)
    assert answer["Location"] == PAGE
    assert lines_of(last_mail()) == LASTING
    assert last_mail().splitlines()[-1] == f"http://localhost{PAGE}"
    page = words(signed_in.get(PAGE))
    for each in LASTING:
        kind, _, name = each.partition(": ")
        assert f"{name}" in page
        assert kind in page


def test_so_does_the_mail_after_a_new_password_by_link(signed_in: Client, alice: User) -> None:
    Client().post("/accounts/password/reset/", {"email": alice.email})
    [path] = re.findall(r"(/accounts/password/reset/key/\S+)", last_mail())
    browser = Client()
    form = browser.get(path)["Location"]
    browser.post(form, {"password1": NEW, "password2": NEW})
    assert lines_of(last_mail()) == LASTING


@pytest.mark.parametrize("how", ["change", "reset"])
def test_a_code_that_was_given_before_makes_no_tokens(alice: User, app: App, how: str) -> None:
    given = app.code(alice)
    browser = Client()
    browser.force_login(alice)
    if how == "change":
        browser.post("/accounts/password/change/", CHANGE)
    else:
        Client().post("/accounts/password/reset/", {"email": alice.email})
        [path] = re.findall(r"(/accounts/password/reset/key/\S+)", last_mail())
        form = browser.get(path)["Location"]
        browser.post(form, {"password1": NEW, "password2": NEW})
    assert not Grant.objects.exists()
    answer = app.exchange(given)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_one_button_ends_all_of_it(signed_in: Client, alice: User, app: App) -> None:
    app.code(alice)
    page = signed_in.post(PAGE, follow=True)
    assert words(page).startswith(
        "All access has ended. Your email addresses and your password stay."
    )
    assert not alice.tokens.usable(NOW).exists()
    assert not Grant.objects.exists()
    assert not PushDevice.objects.exists()
    assert set(Webhook.objects.values_list("status", flat=True)) == {"inactive"}
    assert EmailAddress.objects.filter(user=alice).count() == 2
    assert "End all access" not in words(page)
    ended = AuditEntry.objects.filter(action__in=["token_revoked", "application_removed"])
    assert {entry.subject[:5] for entry in ended} == {"Websi", "Notes"}


def test_nobody_elses_is_ended(signed_in: Client, bob: User) -> None:
    services.create_token(user=bob, name="Bob’s", scopes=["users:read"])
    factories.webhook(bob)
    signed_in.post(PAGE)
    assert bob.tokens.usable(NOW).count() == 1
    assert Webhook.objects.get(owner=bob).status == "active"


def test_a_sign_in_that_was_begun_with_the_old_password_ends(
    signed_in: Client, alice: User
) -> None:
    switch_on(signed_in)
    secret = Authenticator.objects.get(user=alice, type="totp").wrap()
    halfway = Client()
    fields = {"login": alice.email, "password": factories.PASSWORD}
    assert halfway.post("/accounts/login/", fields)["Location"] == "/accounts/2fa/authenticate/"
    signed_in.post("/accounts/password/change/", CHANGE)
    with time_machine.travel(NOW + timedelta(minutes=2), tick=False):  # each code works once
        from allauth.mfa.adapter import get_adapter

        shown = code(get_adapter().decrypt(secret.instance.data["secret"]))
        answer = halfway.post("/accounts/2fa/authenticate/", {"code": shown})
    assert answer["Location"] == "/accounts/login/"
    assert halfway.get("/settings/profile").status_code == 302

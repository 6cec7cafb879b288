"""Sign-up, sign-in and sign-out in Parley's design."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from notifications.models import Notification
from tests import factories
from tests.pages import UNSEEN, stand_alone, words

pytestmark = pytest.mark.django_db

SIGN_UP = {
    "first_name": "Dora",
    "email": "dora@example.com",
    "password1": factories.PASSWORD,
    "timezone": "Asia/Kathmandu",
}


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)


def test_from_signing_up_to_the_home(client: Client) -> None:
    form = client.get("/accounts/signup/").content.decode()
    assert '<input type="hidden" name="timezone"' in form
    assert "js/signup.js" in form

    page = client.post("/accounts/signup/", SIGN_UP, follow=True)
    assert words(page).startswith("Confirmation email sent to dora@example.com. Check your email")
    dora = User.objects.get(email="dora@example.com")
    assert (dora.name, dora.timezone) == ("Dora", "Asia/Kathmandu")

    mail = Notification.objects.get(user=dora)
    link = re.search(r"https?://\S+?(/accounts/confirm-email/\S+)", mail.content)
    assert link
    address = link[1].split("\\n")[0]
    asked = words(client.get(address))
    assert asked.startswith(
        "Confirm your email address Somebody has created an account at Parley for"
    )
    assert asked.endswith("Confirm and sign in")
    assert not EmailAddress.objects.get(user=dora).verified  # looking is no yes
    page = client.post(address, follow=True)
    assert [address for address, _status in page.redirect_chain] == ["/settings/start"]
    assert words(page).startswith("You have confirmed dora@example.com. These are your hours")
    assert EmailAddress.objects.get(user=dora).verified
    again = words(client.get(address))
    assert again == (
        "This link does not work any more You have used it already, it is too old, or it is not"
        " complete. Your email addresses show which of them are confirmed. Home Your email"
        " addresses"
    )


def test_signing_in_leads_home(client: Client, alice: User) -> None:
    fields = {"login": alice.email, "password": factories.PASSWORD}
    page = client.post("/accounts/login/", fields, follow=True)
    assert [address for address, _status in page.redirect_chain] == ["/"]
    # Nobody needs to be told that they are signed in.
    assert words(page).startswith("Good ")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", '"\x01"@example.com', "Enter a valid email address."),
        ("email", "dora@exam\u200bple.com", "Enter a valid email address."),
        (
            "first_name",
            "Do\u202era",
            UNSEEN,
        ),
        (
            "last_name",
            "D\nE",
            UNSEEN,
        ),
    ],
)
def test_nobody_signs_up_with_what_cannot_be_seen(
    client: Client, field: str, value: str, said: str
) -> None:
    page = client.post("/accounts/signup/", SIGN_UP | {field: value})
    assert page.context["form"].errors == {field: [said]}
    assert not User.objects.exists()


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "localtime"])
def test_a_browser_without_a_zone_is_in_utc(client: Client, zone: str) -> None:
    client.post("/accounts/signup/", SIGN_UP | {"timezone": zone})
    assert User.objects.get(email="dora@example.com").timezone == "UTC"


def test_a_wrong_password_is_told_at_the_top_of_the_form(client: Client, alice: User) -> None:
    page = client.post("/accounts/login/", {"login": alice.email, "password": "wrong"})
    assert 'class="notice notice-error" role="alert"' in page.content.decode()
    assert f'value="{alice.email}"' in page.content.decode()


def test_signing_out_takes_a_post(client: Client, alice: User) -> None:
    client.force_login(alice)
    page = client.get("/accounts/logout/")
    assert (
        words(page) == "Sign out? You are signed in as alice@example.com. Sign out Stay signed in"
    )
    assert client.get("/meetings").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/meetings").status_code == 302


def test_the_menu_names_the_person_and_their_zone(client: Client, alice: User) -> None:
    client.force_login(alice)
    menu = client.get("/meetings").content.decode().partition("<main")[0]
    for said in ("Alice Ames", "alice@example.com", "UTC", "Sign out"):
        assert said in menu
    assert "/admin/" not in menu
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert 'href="/admin/"' in client.get("/meetings").content.decode().partition("<main")[0]

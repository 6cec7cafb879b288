"""Email confirmation: an address joins an account only by a click of that account's owner."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from notifications.models import Notification
from tests import factories
from tests.outbox import content_of
from tests.pages import everything, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

ADDED = "victim@example.com"


def sign_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def link() -> str:
    """Return the link in the last email that has one."""
    for row in Notification.objects.order_by("-pk"):
        if found := re.findall(r"(/accounts/confirm-email/\S+)", content_of(row)["text"]):
            return str(found[0])
    raise AssertionError("no link was sent")


@pytest.fixture
def added(alice: User) -> str:
    """Add an address to Alice's account and return the link mailed to it."""
    sign_in(alice).post("/accounts/email/", {"action_add": "", "email": ADDED})
    return link()


def is_confirmed(email: str = ADDED) -> bool:
    return bool(EmailAddress.objects.get(email=email).verified)


def test_a_further_address_is_not_confirmed_by_anybodys_click(added: str) -> None:
    stranger, before = Client(), everything()
    page = stranger.get(added)
    assert words(page) == (
        "Confirm your email address victim@example.com is to become an address of the account of"
        " Alice Ames (alice@example.com). Only somebody signed in to that account can confirm it."
        " Is it not your account? Then close this page: nothing changes. Sign in"
    )
    assert everything() == before
    answer = stranger.post(added)
    assert answer["Location"] == f"/accounts/login/?next={added.replace(':', '%3A')}"
    assert not is_confirmed()


def test_nor_by_the_click_of_somebody_with_another_account(added: str, bob: User) -> None:
    other = sign_in(bob)
    page = other.get(added)
    assert "You are signed in as bob@example.com. Sign out" in words(page)
    assert "Confirm email address" not in words(page)
    assert other.get("/settings/profile").status_code == 200  # looking signs nobody out
    assert "You are signed in as bob@example.com." in words(other.post(added))
    assert not is_confirmed()
    assert other.get("/settings/profile").status_code == 200


def test_it_is_by_whoever_is_signed_in_to_the_account(added: str, alice: User) -> None:
    own = sign_in(alice)
    page = own.get(added)
    assert words(page) == (
        "Confirm your email address victim@example.com becomes an address of your account,"
        " Alice Ames (alice@example.com). Confirm email address"
    )
    assert not is_confirmed()
    own.post(added)
    assert is_confirmed()


def test_signing_in_leads_back_to_it(added: str, alice: User) -> None:
    browser = Client()
    page = browser.get(added)
    assert f'href="/accounts/login/?next={added}"' in page.content.decode().replace("%3A", ":")
    form = {"login": alice.email, "password": factories.PASSWORD, "next": added}
    assert browser.post("/accounts/login/", form)["Location"] == added
    browser.post(added)
    assert is_confirmed()


DORA = "dora@example.com"
SIGN_UP = {"first_name": "Dora", "email": DORA, "password1": factories.PASSWORD}


def test_the_first_of_an_account_is_confirmed_at_once_where_the_account_was_made() -> None:
    here = Client()
    here.post("/accounts/signup/", SIGN_UP)
    here.get("/")  # which says that the email was sent
    assert words(here.get(link())) == (
        "Confirm your email address Somebody has created an account at Parley for Dora with"
        " dora@example.com . Was it not you? Then close this page: the account cannot be used until"
        " its address is confirmed. Confirm email address"
    )
    assert not is_confirmed(DORA)
    here.post(link())
    assert is_confirmed(DORA)


def test_elsewhere_the_first_takes_the_password_of_the_account() -> None:
    Client().post("/accounts/signup/", SIGN_UP)
    path, elsewhere = link(), Client()
    assert "Password of this account" in words(elsewhere.get(path))
    for typed, said in (("", "Type the password"), ("guessed-wrongly", "This is not the password")):
        assert said in words(elsewhere.post(path, {"password": typed}))
        assert not is_confirmed(DORA)
    elsewhere.post(path, {"password": factories.PASSWORD})
    assert is_confirmed(DORA)


def test_the_browser_of_another_sign_up_does_not_confirm_it() -> None:
    Client().post("/accounts/signup/", SIGN_UP)
    path, other = link(), Client()
    other.post("/accounts/signup/", SIGN_UP | {"email": "eve@example.com"})
    other.post(path)
    assert not is_confirmed(DORA)


def test_passwords_are_guessed_thirty_times_in_ten_minutes() -> None:
    Client().post("/accounts/signup/", SIGN_UP)
    answers = [Client().post(link(), {"password": "wrong"}).status_code for _number in range(31)]
    assert answers == [200] * 30 + [429]


def test_a_link_that_was_used_says_so_and_does_nothing(added: str, alice: User) -> None:
    own = sign_in(alice)
    own.post(added, follow=True)
    before = everything()
    for page in (own.get(added), own.post(added), Client().post(added)):
        assert words(page).startswith("This link does not work any more")
    assert everything() == before


def test_one_that_was_removed_meanwhile_does_not_come_back(added: str, alice: User) -> None:
    own = sign_in(alice)
    EmailAddress.objects.filter(email=ADDED).delete()
    own.post(added)
    assert not EmailAddress.objects.filter(email=ADDED).exists()


# --- notifications ------------------------------------------------------------------------------


def told() -> list[tuple[str, str]]:
    """Return address and subject of each email, oldest first."""
    rows = Notification.objects.order_by("pk")
    return [(row.address, content_of(row)["subject"]) for row in rows]


def test_the_main_address_is_told_of_one_that_is_added(added: str) -> None:
    assert told() == [
        (ADDED, "Confirm your email address"),
        ("alice@example.com", "An email address was added"),
    ]
    content = content_of(Notification.objects.latest("pk"))
    assert "The email address victim@example.com was added to your account" in content["text"]


def test_the_old_address_is_told_of_a_new_main_one_and_that_it_is_removed(
    added: str, alice: User
) -> None:
    own = sign_in(alice)
    own.post(added)
    Notification.objects.all().delete()
    own.post("/accounts/email/", {"action_primary": "", "email": ADDED})
    own.post("/accounts/email/", {"action_remove": "", "email": "alice@example.com"})
    assert sorted(told()) == [
        ("alice@example.com", "An email address was removed"),
        ("alice@example.com", "Your main email address was changed"),
        (ADDED, "An email address was removed"),
    ]


def test_an_address_that_is_not_confirmed_resets_no_password(added: str) -> None:
    """An unconfirmed address may be mistyped. A stranger would then read the reset email."""
    Client().post("/accounts/password/reset/", {"email": ADDED})
    told_last = Notification.objects.latest("pk")
    assert (told_last.address, told_last.kind) == (ADDED, "unknown_account")
    assert f"for an account at Parley with {ADDED}. There is none." in told_last.content

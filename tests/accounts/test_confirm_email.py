"""Email confirmation: an address joins an account only by a click of that account's owner."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from notifications.models import Notification
from scheduling.models import EventType
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
        " its address is confirmed. Confirm and sign in"
    )
    assert not is_confirmed(DORA)
    assert here.post(link())["Location"] == "/settings/start"
    assert is_confirmed(DORA)
    assert here.get("/settings/profile").status_code == 200  # signed in


def test_in_that_browser_a_script_sends_the_form_at_once_and_only_once() -> None:
    here = Client()
    here.post("/accounts/signup/", SIGN_UP)
    path = link()
    assert is_sent_at_once(here.get(path))
    assert not is_sent_at_once(Client().get(path))
    # Somebody else's address meanwhile: the page that says so sends nothing again.
    other = factories.user("other")
    EmailAddress.objects.create(user=other, email=DORA, verified=True)
    for page in (here.get(path), here.post(path)):
        assert "This address is already in use" in words(page)
        assert not is_sent_at_once(page)
    assert here.get("/settings/profile").status_code == 302


def is_sent_at_once(page: Any) -> bool:
    html = page.content.decode()
    assert ("data-at-once" in html) == ("js/at-once.js" in html)
    return "data-at-once" in html


def test_somebody_else_in_that_browser_is_asked_before_they_are_signed_out(bob: User) -> None:
    here = Client()
    here.post("/accounts/signup/", SIGN_UP)
    here.force_login(bob)
    path = link()
    assert not is_sent_at_once(here.get(path))
    assert here.get("/settings/profile").status_code == 200
    here.post(path)
    assert here.get("/settings/start", follow=True).context["user"].email == DORA


def test_elsewhere_the_first_takes_the_password_of_the_account() -> None:
    Client().post("/accounts/signup/", SIGN_UP)
    path, elsewhere = link(), Client()
    assert "Password of this account" in words(elsewhere.get(path))
    for typed, said in (("", "Type the password"), ("guessed-wrongly", "This is not the password")):
        assert said in words(elsewhere.post(path, {"password": typed}))
        assert not is_confirmed(DORA)
    answer = elsewhere.post(path, {"password": factories.PASSWORD})
    assert is_confirmed(DORA)
    assert answer["Location"] == "/settings/start"
    assert elsewhere.get("/settings/profile").status_code == 200


def test_who_made_the_account_with_somebody_elses_address_does_not_get_in_by_their_click() -> None:
    """Its owner clicks in another browser, and the account stays closed to both."""
    maker, owner = Client(), Client()
    maker.post("/accounts/signup/", SIGN_UP)
    path = link()
    owner.get(path)
    owner.post(path)
    assert not is_confirmed(DORA)
    for browser in (maker, owner):
        assert browser.get("/settings/profile").status_code == 302


def test_a_link_that_has_signed_in_once_signs_nobody_in_again() -> None:
    here = Client()
    here.post("/accounts/signup/", SIGN_UP)
    path = link()
    here.post(path)
    here.post("/accounts/logout/")
    for browser in (here, Client()):
        assert "This link does not work any more" in words(browser.post(path))
        assert browser.get("/settings/profile").status_code == 302


def test_the_first_address_brings_a_first_event_type_and_a_further_one_does_not(
    added: str, alice: User
) -> None:
    sign_in(alice).post(added)
    assert not alice.event_types.exists()
    here = Client()
    here.post("/accounts/signup/", SIGN_UP)
    assert not EventType.objects.exists()
    here.post(link())
    [made] = EventType.objects.all()
    assert (made.host.email, made.name, made.slug) == (DORA, "30-minute meeting", SLUG)


SLUG = "30-minute-meeting"


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

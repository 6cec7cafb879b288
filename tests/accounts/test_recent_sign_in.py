"""Unattended browser: sensitive pages ask for the password again, and Back shows none of them."""

from collections.abc import Iterator

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests import factories
from tests.pages import NOW, content, stand_alone, words
from tests.test_pages_access import Watched
from tests.test_pages_private import ASKING, LATER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)


@pytest.fixture
def at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("action", ["action_add", "action_primary", "action_remove"])
def test_so_do_email_addresses(client: Client, alice: User, action: str) -> None:
    EmailAddress.objects.create(user=alice, email="further@example.com", verified=True)
    with time_machine.travel(NOW, tick=False):
        client.force_login(alice)
    email = "new@example.com" if action == "action_add" else "further@example.com"
    with time_machine.travel(LATER, tick=False), Watched() as watched:
        answer = client.post("/accounts/email/", {action: "", "email": email})
    assert answer["Location"] == f"{ASKING}%2Faccounts%2Femail%2F"
    assert watched.touched == {}


def test_what_somebody_else_has_sent_is_not_done_by_the_password_of_its_victim(
    client: Client, alice: User
) -> None:
    with time_machine.travel(NOW, tick=False):
        client.force_login(alice)
    with time_machine.travel(LATER, tick=False):
        asked = client.post("/accounts/email/", {"action_add": "", "email": "evil@example.com"})
        page = client.get(asked["Location"])
        assert words(page).startswith(
            "Nothing has been changed yet. Enter your password, then send the form again."
            " Confirm that it is you"
        )
        form = {"password": factories.PASSWORD, "next": "/accounts/email/"}
        answer = client.post("/accounts/reauthenticate/", form)
        assert answer["Location"] == "/accounts/email/"
        page = client.get("/accounts/email/")
        assert "evil@example.com" not in words(page)
        assert "Add the address" in words(page)
        client.post("/accounts/email/", {"action_add": "", "email": "new@example.com"})
    assert EmailAddress.objects.filter(user=alice, email="new@example.com").exists()


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("/accounts/email/", "Add the address"),
        ("/settings/tokens", "Create token"),
        ("/settings/data", "Download my data"),
    ],
)
def test_pages_offer_it_once_the_password_was_shown(
    client: Client, alice: User, path: str, hidden: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        client.force_login(alice)
        assert hidden in words(client.get(path))
    with time_machine.travel(LATER, tick=False):
        page = client.get(path)
        assert hidden not in words(page)
        assert f'href="/accounts/reauthenticate/?next={path}"' in page.content.decode()


def test_whoever_is_made_staff_was_made_so_by_somebody_with_a_password(
    client: Client, alice: User
) -> None:
    with time_machine.travel(NOW, tick=False):
        client.force_login(User.objects.create_superuser("staff@example.com", factories.PASSWORD))
    form = {
        "username": "alice",
        "first_name": "Alice",
        "timezone": "UTC",
        "week_start": "1",
        "date_format": "yyyy-MM-dd",
        "time_format": "HH:mm",
        "is_active": "on",
        "is_staff": "on",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    path = f"/admin/accounts/user/{alice.pk}/change/"
    with time_machine.travel(LATER, tick=False):
        assert client.post(path, form)["Location"].startswith(ASKING)
    alice.refresh_from_db()
    assert not alice.is_staff
    with time_machine.travel(NOW, tick=False):
        assert client.post(path, form)["Location"] == "/admin/accounts/user/"
    alice.refresh_from_db()
    assert alice.is_staff


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/download/",
        "/accounts/reauthenticate/",
        "/accounts/logout/",
        "/accounts/login/",
        "/admin/",
        "/admin/accounts/user/",
        "/settings/nothing/of/the/kind",
        "/components",
        "/meetings/999",
    ],
)
def test_nor_is_one_of_allauths_or_of_staff_nor_an_error(
    client: Client, settings: Settings, path: str, at_now: None
) -> None:
    client.force_login(User.objects.create_superuser("staff@example.com", factories.PASSWORD))
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_a_crash_and_a_forged_form_neither(client: Client, alice: User, at_now: None) -> None:
    careful = Client(enforce_csrf_checks=True, raise_request_exception=False)
    careful.force_login(alice)
    refused = careful.post("/settings/profile")
    assert (refused.status_code, refused.headers["Cache-Control"]) == (403, "no-store")
    signed_out = careful.get("/robots.txt")
    content(signed_out)
    assert "no-store" not in signed_out.headers.get("Cache-Control", "")


def test_signing_in_is_not_kept_and_strangers_keep_what_they_like(
    client: Client, alice: User, at_now: None
) -> None:
    assert "Cache-Control" not in Client().get("/").headers
    answer = client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")

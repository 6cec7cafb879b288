"""Language of an answer: profile, cookie, browser and the API's English."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests import factories
from tests.pages import everything, stand_alone

pytestmark = pytest.mark.django_db

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)


def language(client: Client, path: str = "/accounts/login/", **headers: str) -> str:
    """Return the language that a page declares in its header and in its `lang` attribute."""
    page = client.get(path, headers=headers)
    told = page.headers["Content-Language"]
    assert f'<html lang="{told}">' in page.content.decode()
    return told


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr-CA", "fr"),
        ("es,fr;q=0.9", "es"),
        ("tlh,nl;q=0.9", "en"),
        ("", "en"),
        ("*", "en"),
        (";;;=", "en"),
    ],
)
def test_the_browser_is_heard(client: Client, wanted: str, told: str) -> None:
    assert language(client, **{"Accept-Language": wanted}) == told


def test_the_one_chosen_on_a_page_goes_before_the_browsers(client: Client) -> None:
    client.cookies["language"] = "fr"
    assert language(client, **GERMAN) == "fr"


def test_a_cookie_that_names_none_of_ours_is_passed_over(client: Client) -> None:
    client.cookies["language"] = "../../etc"
    assert language(client, **GERMAN) == "de"


def test_the_profile_goes_before_both(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="es")
    client.force_login(alice)
    client.cookies["language"] = "fr"
    assert language(client, "/settings/profile", **GERMAN) == "es"


def test_a_profile_that_leaves_it_open_does_not(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert language(client, "/settings/profile", **GERMAN) == "de"


def test_one_answer_does_not_speak_for_the_next(client: Client) -> None:
    assert language(client, **GERMAN) == "de"
    assert language(client) == "en"


def test_caches_are_told_what_the_language_hangs_on(client: Client) -> None:
    varies = {name.strip() for name in client.get("/").headers["Vary"].split(",")}
    assert {"Accept-Language", "Cookie"} <= varies


def test_the_api_speaks_english_to_everybody(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="de")
    asking = factories.client(alice)
    asking.cookies["language"] = "de"
    body = {"timezone": "Mars/Olympus"}
    answer = asking.patch("/api/v1/users/me", body, "application/json", headers=GERMAN)
    assert answer.status_code == 422
    assert "“Mars/Olympus” is not a time zone." in answer.content.decode()
    assert "Content-Language" not in answer.headers
    # An error tells when.
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False):
        stranger = Client().get("/api/v1/users/me", headers=GERMAN)
        assert stranger.json() == Client().get("/api/v1/users/me").json()


def test_choosing_one_sets_a_cookie_and_goes_back(client: Client) -> None:
    answer = client.post("/language", {"language": "fr", "next": "/accounts/login/?next=/x"})
    assert answer.headers["Location"] == "/accounts/login/?next=/x"
    cookie = client.cookies["language"]
    assert (cookie.value, cookie["max-age"], cookie["samesite"]) == ("fr", 31_536_000, "Lax")
    assert language(client, **GERMAN) == "fr"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "https:///evil.example"],
)
def test_it_goes_back_to_our_own_host_only(client: Client, elsewhere: str) -> None:
    answer = client.post("/language", {"language": "fr", "next": elsewhere})
    assert answer.headers["Location"] == "/"


def test_a_language_that_we_do_not_speak_is_not_kept(client: Client) -> None:
    client.post("/language", {"language": "tlh", "next": "/"})
    assert "language" not in client.cookies


def test_looking_chooses_nothing(client: Client) -> None:
    before = everything()
    client.get("/language?language=fr")
    assert "language" not in client.cookies
    assert everything() == before


def test_choosing_takes_our_own_form() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/language", {"language": "fr"}).status_code == 403


def test_who_has_chosen_in_the_profile_is_not_asked_on_every_page(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    assert 'action="/language"' in client.get("/settings/profile").content.decode()
    User.objects.filter(pk=alice.pk).update(language="fr")
    assert 'action="/language"' not in client.get("/settings/profile").content.decode()

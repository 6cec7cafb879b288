"""Sessions: the stored data, the device that began each, and the ways they end."""

from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from accounts.domain import sessions
from accounts.models import Session, User
from core.db import crypto, keys
from core.people import privacy
from core.text import browsers
from tests import factories
from tests.core.test_crypto import NEW, OLD
from tests.pages import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sign_in(person: User, agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    client.post("/accounts/login/", {"login": person.email, "password": factories.PASSWORD})
    return client


def cookie(client: Client) -> str:
    return client.cookies[configured.SESSION_COOKIE_NAME].value


def is_in(client: Client) -> bool:
    return client.get("/settings/profile").status_code == 200


def test_it_is_known_who_has_signed_in_where_and_when(alice: User) -> None:
    sign_in(alice)
    row = Session.objects.get()
    assert (row.user, row.agent, row.started_at, row.seen_at) == (alice, FIREFOX, NOW, NOW)


def test_the_database_holds_neither_the_key_nor_what_the_session_does(alice: User) -> None:
    client = sign_in(alice)
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_key, session_data FROM accounts_session")
        [(key, data)] = cursor.fetchall()
    assert key == crypto.digest(cookie(client))
    assert "_auth_user_id" not in data
    assert Session.objects.get().get_decoded()["_auth_user_id"] == str(alice.pk)


def test_what_the_database_holds_opens_nothing(alice: User) -> None:
    """A reader of a session row, for example in a backup, cannot act as the person."""
    client = sign_in(alice)
    assert is_in(client)
    thief = Client()
    thief.cookies[configured.SESSION_COOKIE_NAME] = Session.objects.get().session_key
    assert not is_in(thief)


@pytest.mark.parametrize("key", ["", "\0", "x" * 500, "a b", "’"])
def test_a_cookie_that_is_none_of_ours_is_nobody(alice: User, key: str) -> None:
    assert sessions.SessionStore(key).load() == {}


def test_a_month_later_one_signs_in_again(alice: User) -> None:
    client = sign_in(alice)
    assert client.cookies[configured.SESSION_COOKIE_NAME]["max-age"] == 30 * 86_400
    assert Session.objects.get().expire_date == NOW + timedelta(days=30)


def test_being_seen_is_noted_every_five_minutes(alice: User) -> None:
    client = sign_in(alice)
    for minutes, noted in ((1, False), (6, True)):
        seen = timezone.now() - timedelta(minutes=minutes)
        Session.objects.update(seen_at=seen)
        client.get("/settings/profile")
        assert (Session.objects.get().seen_at != seen) == noted


def test_a_new_password_ends_the_others(alice: User) -> None:
    here, there = sign_in(alice), sign_in(alice)
    here.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    new = {"password1": "battery-horse-correct", "password2": "battery-horse-correct"}
    here.post("/accounts/password/change/", {"oldpassword": factories.PASSWORD, **new})
    assert (is_in(here), is_in(there)) == (True, False)
    assert [row.session_key for row in sessions.of(alice, now=NOW)] == [crypto.digest(cookie(here))]


def test_an_ended_one_lets_nobody_in_from_the_next_request_on(alice: User) -> None:
    client = sign_in(alice)
    sessions.end(session=Session.objects.get(), actor=alice, now=NOW)
    assert not is_in(client)


def test_what_is_over_is_forgotten(alice: User, bob: User) -> None:
    sign_in(alice)
    Session.objects.update(expire_date=NOW)
    sign_in(bob)
    assert not sessions.of(alice, now=NOW)
    privacy.retain(now=NOW)
    assert Session.objects.get().user == bob


def test_a_new_key_takes_over_and_everybody_stays_signed_in(
    alice: User, settings: Settings
) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    keys.write_canary(replace=True)
    client = sign_in(alice)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    call_command("rotate_keys", verbosity=0)
    settings.ENCRYPTION_KEYS = [NEW]
    assert is_in(client)


def test_with_its_key_dropped_one_signs_in_again(alice: User, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    client = sign_in(alice)
    settings.ENCRYPTION_KEYS = [NEW]
    assert client.get("/settings/profile").status_code == 302


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.0 Safari/605.1.15",
            "Safari on Mac",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) CriOS/141.0.0.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 61, "x" * 60 + "…"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_plain_words(agent: str, words: str) -> None:
    assert browsers.in_words(agent) == words


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Chrome on Linux"), ("de", "Chrome auf Linux"), ("fr", "Chrome sur Linux")],
)
def test_one_that_was_recorded_is_named_in_the_readers_language(language: str, told: str) -> None:
    with translation.override(language):
        assert browsers.translated("Chrome on Linux") == told
        assert browsers.translated("curl/8.5.0 on purpose") == "curl/8.5.0 on purpose"

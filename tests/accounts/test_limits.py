"""Login and email limits: counters live in the process, or in Redis for all processes.

While Redis is away, each process counts by itself.
"""

from collections.abc import Iterator

import pytest
from django.core.cache import cache, caches
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditEntry, User
from notifications.models import Notification
from tests import factories
from tests.pages import words
from tests.private_names import close_redis
from tests.services import valkey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now", "kept")]

NOBODY = "redis://127.0.0.1:1/0"
LOGIN, FORGOTTEN = "/accounts/login/", "/accounts/password/reset/"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with valkey() as server:
        yield server.url


@pytest.fixture(params=["in the process", "in Redis", "without the Redis that should be there"])
def kept(request: pytest.FixtureRequest, at_now: None, settings: Settings) -> Iterator[None]:
    """Count attempts in the process, in Redis, or with Redis missing.

    Other tests leave no counts.
    """
    if request.param == "in the process":
        yield
        return
    lost = request.param != "in Redis"
    settings.CACHES = {
        name: {
            "BACKEND": "core.ops.cache.ForgivingRedisCache",
            "LOCATION": NOBODY if lost else request.getfixturevalue("redis_url"),
        }
        for name in ("default", "pages")
    }
    cache.clear()
    yield
    for each in (cache, caches["pages"]):
        close_redis(each)


@pytest.fixture
def browser() -> Client:
    return Client(REMOTE_ADDR="192.0.2.1")


def sign_in(browser: Client, person: User, password: str) -> int:
    fields = {"login": person.email, "password": password}
    return browser.post(LOGIN, fields).status_code


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
def test_a_flood_of_wrong_passwords_is_refused_in_words_and_writes_no_more(
    browser: Client, alice: User, email: str
) -> None:
    for _attempt in range(12):
        page = browser.post(LOGIN, {"login": email, "password": "wrong"})
    assert "Too many failed login attempts. Try again later." in words(page)
    assert AuditEntry.objects.count() == 5


def test_the_right_password_does_not_help_while_a_flood_is_held_off(
    browser: Client, alice: User
) -> None:
    for _attempt in range(5):
        sign_in(browser, alice, "wrong")
    assert sign_in(browser, alice, factories.PASSWORD) == 200  # the form again


def test_one_address_on_the_net_may_not_try_many_accounts(browser: Client) -> None:
    for number in range(31):
        page = browser.post(LOGIN, {"login": f"n{number}@example.com", "password": "wrong"})
    assert (page.status_code, words(page)[:21]) == (429, "429 Too many requests")
    assert AuditEntry.objects.count() == 10
    assert Client(REMOTE_ADDR="192.0.2.2").get(LOGIN).status_code == 200


def test_behind_a_proxy_each_client_has_limits_of_its_own(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1

    def status(client: str, number: int) -> int:
        return (
            Client(REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": client})
            .post(LOGIN, {"login": f"n{number}@example.com", "password": "wrong"})
            .status_code
        )

    assert [status("198.51.100.7", number) for number in range(31)][-2:] == [200, 429]
    # What the client itself says of its address counts for nothing.
    assert status("203.0.113.1, 198.51.100.7", 31) == 429
    assert status("198.51.100.8", 32) == 200


def test_asking_for_new_passwords_is_limited_too(browser: Client, alice: User) -> None:
    asked = [browser.post(FORGOTTEN, {"email": alice.email}) for _time in range(6)]
    assert [answer.status_code for answer in asked] == [302] * 5 + [429]
    assert words(asked[-1]).startswith("429 Too many requests")
    assert Notification.objects.count() == 5


def test_a_flood_of_strangers_does_not_lift_the_lock_of_an_account(
    browser: Client, alice: User, settings: Settings
) -> None:
    """The smallest deployment: page requests fill the same small cache as the lock."""
    small = {"MAX_ENTRIES": 20, "CULL_FREQUENCY": 2}
    settings.CACHES = {
        name: {**cache, "OPTIONS": small} if "locmem" in str(cache["BACKEND"]) else cache
        for name, cache in settings.CACHES.items()
    }
    settings.TRUSTED_PROXIES = 1
    for _attempt in range(5):
        sign_in(browser, alice, "wrong")
    for number in range(50):
        Client(headers={"X-Forwarded-For": f"198.51.100.{number}"}).get("/nobody")
    assert sign_in(browser, alice, factories.PASSWORD) == 200  # the form again

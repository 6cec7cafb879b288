"""The shared cache while Redis is away: pages go on, as if it were empty."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from config.cache import ForgivingRedisCache
from tests import factories
from tests.pages import stand_alone
from tests.services import valkey

NOBODY = "redis://127.0.0.1:1/0"


def test_what_is_kept_while_redis_is_there_is_found() -> None:
    with valkey() as server:
        cache = ForgivingRedisCache(server.url, {})
        assert cache.add("key", 1) is True
        assert cache.add("key", 1) is False
        assert cache.incr("key") == 2
        assert cache.get("key") == 2
        cache.set("other", "text")
        assert cache.delete("other") is True
        assert cache.get("other", "gone") == "gone"
        for pool in cache._cache._pools.values():  # type: ignore[attr-defined]  # not in the stubs
            pool.disconnect()


def test_without_redis_nothing_is_found_and_nothing_fails() -> None:
    cache = ForgivingRedisCache(NOBODY, {})
    assert cache.add("key", 1) is True
    assert cache.incr("key") == 1
    assert cache.get("key", "nothing") == "nothing"
    cache.set("key", 1)
    assert cache.delete("key") is False


@pytest.mark.django_db
def test_people_sign_in_and_answer_while_redis_is_away(
    client: Client, settings: Settings, alice: User
) -> None:
    stand_alone(settings)
    settings.CACHES = {
        "default": {"BACKEND": "config.cache.ForgivingRedisCache", "LOCATION": NOBODY}
    }
    assert client.get("/meetings/answer/broken").status_code == 404
    answer = client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")

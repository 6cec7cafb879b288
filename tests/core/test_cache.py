"""Shared cache while Redis is away: pages still work, and each process has its own cache."""

import socket
import time
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.ops.cache import ForgivingRedisCache
from tests import factories
from tests.pages import stand_alone
from tests.private_names import bounds_of, close_redis
from tests.services import valkey

NOBODY = "redis://127.0.0.1:1/0"


@pytest.mark.look
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
        close_redis(cache)


def test_a_process_keeps_a_hundred_thousand_entries_of_each(settings: Settings) -> None:
    bounds = {"MAX_ENTRIES": 100_000, "CULL_FREQUENCY": 100}
    kept: list[Any] = [ForgivingRedisCache(NOBODY, {})._alone]
    if not settings.REDIS_URL:
        kept += [caches[name] for name in ("default", "pages")]
        assert {settings.CACHES[name]["LOCATION"] for name in ("default", "pages")} == {
            "default",
            "pages",
        }
    for each in kept:
        assert bounds_of(each) == bounds


@pytest.fixture
def alone() -> ForgivingRedisCache:
    """Return an empty cache that finds no Redis."""
    cache = ForgivingRedisCache(NOBODY, {})
    cache.clear()
    return cache


def test_without_redis_it_is_kept_in_this_process(alone: ForgivingRedisCache) -> None:
    assert alone.add("key", 1) is True
    assert alone.add("key", 1) is False
    assert alone.incr("key") == 2
    of_another_thread = ForgivingRedisCache(NOBODY, {})
    assert of_another_thread.incr("key") == 3
    alone.set("other", "text")
    assert of_another_thread.get("other") == "text"
    assert alone.delete("other") is True
    assert of_another_thread.get("other", "gone") == "gone"


def test_what_was_begun_in_redis_is_counted_on_alone(alone: ForgivingRedisCache) -> None:
    """Counting restarts at zero. Otherwise clients would be refused at that moment."""
    assert [alone.incr("key"), alone.incr("key")] == [1, 2]


@pytest.mark.look
def test_that_redis_is_lost_and_found_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("core.ops.circuit._PAUSE_SECONDS", 0.0)
    with valkey() as server:
        cache = ForgivingRedisCache(server.url, {})
        cache.set("key", "shared")
        server.stop(keep_data=False)
        for _time in range(3):
            cache.set("key", "alone")
        server.start()
        assert [cache.get("key") for _time in range(3)] == [None] * 3
        close_redis(cache)
    said: list[Any] = [each for each in caplog.records if each.name == "core.ops.cache"]
    assert [(each.msg["event"], each.levelname) for each in said] == [
        ("cache_alone", "WARNING"),
        ("cache_shared", "INFO"),
    ]


def test_while_it_is_lost_few_ask_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that takes requests but never answers would delay each by half a second."""
    monkeypatch.setattr("core.ops.circuit._PAUSE_SECONDS", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        cache = ForgivingRedisCache(url, {"OPTIONS": {"socket_timeout": 0.2}})
        started = time.monotonic()
        assert [cache.get("key", "nothing") for _time in range(40)] == ["nothing"] * 40
        assert time.monotonic() - started < 5
        close_redis(cache)


@pytest.mark.django_db
def test_people_sign_in_and_answer_while_redis_is_away(
    client: Client, settings: Settings, alice: User
) -> None:
    stand_alone(settings)
    settings.CACHES = {
        name: {"BACKEND": "core.ops.cache.ForgivingRedisCache", "LOCATION": NOBODY}
        for name in ("default", "pages")
    }
    assert client.get("/meetings/answer/broken").status_code == 404
    answer = client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")

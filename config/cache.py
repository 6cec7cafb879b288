"""The shared cache, on which nothing may depend: while Redis is away, each process has its own."""

import threading
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

import redis
import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

log = structlog.get_logger(__name__)

# Of what a process keeps alone; beyond, what was used longest ago is forgotten.
_MAX_ENTRIES = 100_000
_PAUSE_SECONDS = 1.0

T = TypeVar("T")


class ForgivingRedisCache(RedisCache):
    """Redis where it answers; a cache in this process where it does not.

    So the pages' rate limits hold all the same, counted by each process alone, as the API's are
    (see `config.api.throttling`).
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # Each thread has its own instance of this. What is kept goes by the name, and is one.
        self._alone = LocMemCache(f"alone:{server}", params | {"max_entries": _MAX_ENTRIES})
        self._contact = _contact_with(server)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._contact.either(
            partial(super().get, key, default, version),
            partial(self._alone.get, key, default, version),
        )

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        return self._contact.either(
            partial(super().add, key, value, *args, **kwargs),
            partial(self._alone.add, key, value, *args, **kwargs),
        )

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        self._contact.either(
            partial(super().set, key, value, *args, **kwargs),
            partial(self._alone.set, key, value, *args, **kwargs),
        )

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        def alone() -> int:
            self._alone.add(key, 0, version=version)  # it was begun in Redis
            return self._alone.incr(key, delta, version)

        return self._contact.either(partial(super().incr, key, delta, version), alone)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._contact.either(
            partial(super().delete, key, version), partial(self._alone.delete, key, version)
        )

    def clear(self) -> None:
        self._alone.clear()
        self._contact.either(super().clear, self._alone.clear)


class _Contact:
    """Whether a Redis is within reach, as all threads of this process know it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost = False
        self._pause_until = 0.0

    def either(self, shared: Callable[[], T], alone: Callable[[], T]) -> T:
        """What Redis answers; while it does not, what this process knows."""
        if not self._may_ask():
            return alone()
        try:
            answer = shared()
        except redis.RedisError as error:
            self._lose(error)
            return alone()
        self._find()
        return answer

    def _may_ask(self) -> bool:
        """While Redis is lost, one in a second asks after it; the others do not wait."""
        with self._lock:
            now = time.monotonic()
            if now < self._pause_until:
                return False
            if self._lost:
                self._pause_until = now + _PAUSE_SECONDS
            return True

    def _lose(self, error: redis.RedisError) -> None:
        with self._lock:
            news, self._lost = not self._lost, True
            self._pause_until = time.monotonic() + _PAUSE_SECONDS
        if news:
            log.warning("cache_alone", error=type(error).__name__)

    def _find(self) -> None:
        if self._lost:
            with self._lock:
                news, self._lost, self._pause_until = self._lost, False, 0.0
            if news:
                log.info("cache_shared")


@cache
def _contact_with(server: str) -> _Contact:
    return _Contact()

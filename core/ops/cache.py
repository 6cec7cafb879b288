"""The shared cache. Nothing may depend on it: while Redis is away, each process has its own."""

from functools import cache, partial
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from core.ops.circuit import CircuitBreaker

log = structlog.get_logger(__name__)


class ForgivingRedisCache(RedisCache):
    """A Redis cache with a cache in this process as its fallback.

    So the pages' rate limits still work while Redis is away. Each process then counts alone, as the
    API's limiter does (see `core.api.throttling`).
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # Each thread has its own instance of this class. The name identifies the one shared store.
        name = f"alone:{params.get('KEY_PREFIX', '')}:{server}"
        self._alone = LocMemCache(name, params | {"OPTIONS": settings.CACHE_BOUNDS})
        self._breaker = _breaker_of(server)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._breaker.either(
            partial(super().get, key, default, version),
            partial(self._alone.get, key, default, version),
        )

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        return self._breaker.either(
            partial(super().add, key, value, *args, **kwargs),
            partial(self._alone.add, key, value, *args, **kwargs),
        )

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        self._breaker.either(
            partial(super().set, key, value, *args, **kwargs),
            partial(self._alone.set, key, value, *args, **kwargs),
        )

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        def alone() -> int:
            self._alone.add(key, 0, version=version)  # it was begun in Redis
            return self._alone.incr(key, delta, version)

        return self._breaker.either(partial(super().incr, key, delta, version), alone)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._breaker.either(
            partial(super().delete, key, version), partial(self._alone.delete, key, version)
        )

    def clear(self) -> None:
        self._alone.clear()
        self._breaker.either(super().clear, self._alone.clear)


@cache
def _breaker_of(server: str) -> CircuitBreaker:
    return CircuitBreaker(log, "cache", (redis.RedisError,))

"""The shared cache, which nothing may depend on: while Redis is away, it is simply empty."""

from typing import Any

import redis
import structlog
from django.core.cache.backends.redis import RedisCache

log = structlog.get_logger(__name__)


class ForgivingRedisCache(RedisCache):
    """Redis where it answers. Where it does not, nothing is found and nothing is kept.

    The pages' rate limits then let everybody in; the API's count in the process meanwhile (see
    `config.api.throttling`).
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except redis.RedisError as error:
            return self._without(error, default)

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            return super().add(key, value, *args, **kwargs)
        except redis.RedisError as error:
            return bool(self._without(error, True))

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().set(key, value, *args, **kwargs)
        except redis.RedisError as error:
            self._without(error, None)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        try:
            return super().incr(key, delta, version)
        except redis.RedisError as error:
            return int(self._without(error, delta))

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().delete(key, version)
        except redis.RedisError as error:
            return bool(self._without(error, False))

    @staticmethod
    def _without(error: redis.RedisError, answer: Any) -> Any:
        log.warning("cache_away", error=type(error).__name__)
        return answer

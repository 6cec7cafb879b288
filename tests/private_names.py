"""Private names of libraries that only the tests use; the others: `core/ops/private_names.py`."""

import asyncio
from typing import Any

from django.core.cache import BaseCache
from google.auth import _regional_access_boundary_utils

# google-auth 2. The module that asks where an account may act, in the background.
google_locations = _regional_access_boundary_utils


def set_running_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Say which event loop runs in this thread. Python 3.11 to 3.13: a name for makers of loops."""
    asyncio._set_running_loop(loop)


def close_redis(cache: Any) -> None:
    """Close the connections of a cache in Redis, which Django 5.2 keeps as long as the process."""
    for pool in cache._cache._pools.values():
        pool.disconnect()


def entries_in_process(cache: Any) -> list[tuple[str, bytes]]:
    """Return the keys and the pickled values of a cache in this process. Django 5.2."""
    return list(cache._cache.items())


def bounds_of(cache: BaseCache) -> dict[str, int]:
    """Return how many entries a cache in this process keeps. Django 5.2."""
    kept: Any = cache
    return {"MAX_ENTRIES": kept._max_entries, "CULL_FREQUENCY": kept._cull_frequency}

"""Bounded shares of a process's threads, so that no kind of work starves another.

A place is tried for and never waited for. A task that finds none returns at once; a sweep hands its
work out again within seconds. So at any moment a kind with a free place also finds a free thread.

The kinds are the queues of `settings.CELERY_TASK_QUEUES`.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from celery import Task

if TYPE_CHECKING:
    _Task = Task[Any, Any]
else:
    _Task = Task

MAIL, DELIVERIES, CALENDARS, SWEEPS = "mail", "deliveries", "calendars", "sweeps"
THREADS = 24
"""The threads of a worker that does every kind of work."""
# Of 24 threads six are for sweeps: each task of beat has a place, so that none is always refused.
_PARTS = {MAIL: 3, DELIVERIES: 4, CALENDARS: 2, SWEEPS: 3}

stopping = threading.Event()
"""Set while this process's worker stops. A task that lasts as long as there is work then ends."""

_lock = threading.Lock()
_taken: Counter[str] = Counter()
_places: dict[str, int] = {}


def divide(threads: int, kinds: Iterable[str] = _PARTS) -> None:
    """Divide this process's threads among the kinds of work that it does."""
    parts = {kind: _PARTS.get(kind, 1) for kind in kinds}
    total = sum(parts.values())
    _places.clear()
    _places.update({kind: max(1, threads * part // total) for kind, part in parts.items()})


divide(THREADS)


def places(kind: str, part: float = 1.0) -> int:
    """Return how many threads this kind of work, or a part of it, may hold: at least one."""
    return max(1, int(_places.get(kind, THREADS) * part))


@contextmanager
def held(limits: Mapping[str, int]) -> Iterator[bool]:
    """Hold a place under each of these names, each with its limit. False if one has none free."""
    with _lock:
        is_free = all(_taken[name] < limit for name, limit in limits.items())
        if is_free:
            _taken.update(limits.keys())
    try:
        yield is_free
    finally:
        if is_free:
            with _lock:
                _taken.subtract(limits.keys())
                for name in [name for name in limits if not _taken[name]]:
                    del _taken[name]


class SharingTask(_Task):
    """A task that takes a place of the queue that it came by, or returns without a word.

    Each task of beat runs once at a time: a second run would find the same rows.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        queue = (self.request.delivery_info or {}).get("routing_key")
        if not queue:  # called, not sent
            return self.run(*args, **kwargs)
        limits = {queue: places(queue)}
        if self.name in self.app.conf.beat_schedule:
            limits[self.name] = 1
        with held(limits) as is_held:
            return self.run(*args, **kwargs) if is_held else None

"""Races: concurrent calls, each on its own connection, and checks of their results."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, connections

from core.errors import DomainError

T = TypeVar("T")


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | DomainError]:
    """Do all acts at the same moment, each in a thread. Return each result or refusal."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T | DomainError:
        try:
            connection.ensure_connection()
            _wait_for_long()
            gate.wait(timeout=60)
            return act()
        except DomainError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def _wait_for_long() -> None:
    """Let this connection wait for SQLite's lock as long as a slow machine needs.

    SQLite does not queue writers. Beside a hundred others one may starve for longer than the
    timeout that the few threads of a server need.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 300000")


def kinds(outcomes: Sequence[object]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def overlaps() -> int:
    """Return the number of overlapping pairs of exclusive claims of one person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM calendars_busytime a JOIN calendars_busytime b"
            " ON a.user_id = b.user_id AND a.id < b.id AND a.exclusive AND b.exclusive"
            ' AND a."start" < b."end" AND b."start" < a."end"'
        )
        (count,) = cursor.fetchone()
    return int(count)

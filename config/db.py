"""Transactions that are tried again when the database asks for it."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection

T = TypeVar("T")

_TRIES = 4
# PostgreSQL: serialization_failure and deadlock_detected. The transaction is gone, its effects too.
_TRANSIENT = {"40001", "40P01"}


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE that PostgreSQL gave, or an empty text (SQLite has none)."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def retrying(act: Callable[[], T]) -> T:
    """Run `act`, which opens its own outermost transaction; again up to three times on a deadlock.

    Inside an open transaction it runs once: only the outermost one can be repeated.
    """
    if connection.in_atomic_block:
        return act()
    for left in reversed(range(_TRIES)):
        try:
            return act()
        except OperationalError as error:
            if not left or sqlstate(error) not in _TRANSIENT:
                raise
    raise AssertionError("unreachable")

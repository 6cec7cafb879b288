"""Transactions that are tried again when the database asks for it, and a database to migrate."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from django.db import Error, OperationalError, connection, transaction

from core.ops import environment

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


def in_transaction(act: Callable[[], T]) -> T:
    """Run `act` in a transaction of its own, as `retrying` does, or as a part of the open one.

    There is no savepoint. So an error that `act` raises must end the open transaction too.
    """
    return act() if connection.in_atomic_block else retrying(transaction.atomic(act))


def refuse_old() -> None:
    """Stop with one line where migrations wait. A database that is away says nothing."""
    # Late: no other process needs it.
    from django.db.migrations.executor import MigrationExecutor

    with suppress(Error):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            environment.refuse(
                "manage.py", "migrate must run first: the database is not up to date"
            )

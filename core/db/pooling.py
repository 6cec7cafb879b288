"""Connection poolers between Parley and PostgreSQL, such as PgBouncer.

A pooler that lends a connection for one transaction hands prepared statements of one client to
another. `_pg3_0` of that client then runs, without an error, and returns its rows. So Parley uses
such a pooler only when `DATABASE_POOLER` says so.
"""

from collections.abc import Iterable
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core.ops import environment

if TYPE_CHECKING:
    from psycopg import Connection

# PgBouncer's answer to the bounds that a connection starts with. PostgreSQL has no such words.
REFUSAL = "unsupported startup parameter"
_SERVED_BY = "SELECT pg_backend_pid()"
_ROUNDS = 5
_UNKNOWN = (
    "must be session or transaction: a pooler stands before the database ('PgBouncer' in"
    " docs/ha.md)"
)
_TRANSACTION = (
    "must be transaction: the pooler before the database lends a connection for one transaction"
    " ('PgBouncer' in docs/ha.md)"
)
_FORBIDDEN = (
    "this must not go through a pooler: give the address of PostgreSQL itself, and leave"
    " DATABASE_POOLER empty ('PgBouncer' in docs/ha.md)"
)


class PoolerFound(OperationalError):
    """A new connection leads to a pooler that `DATABASE_POOLER` does not name."""

    def __init__(self) -> None:
        super().__init__(f"DATABASE_POOLER {_UNKNOWN}")


def look_for_one(connection: "Connection[Any]") -> None:
    """Raise PoolerFound if this connection, which is in autocommit mode, leads to a pooler.

    PostgreSQL tells a client which process serves it. A pooler makes that number up.
    """
    [(served_by,)] = connection.execute(_SERVED_BY).fetchall()
    if served_by != connection.info.backend_pid:
        raise PoolerFound


def require_none(using: str = DEFAULT_DB_ALIAS) -> None:
    """Raise OperationalError where a pooler is named or found, or the database is away.

    It is for work that changes settings of its session, such as its `search_path`. A pooler would
    give that session to other clients.
    """
    is_pooled = bool(settings.DATABASE_POOLER)
    try:
        if not is_pooled:
            connections[using].ensure_connection()
    except PoolerFound:
        is_pooled = True
    if is_pooled:
        raise OperationalError(_FORBIDDEN)


def refuse_wrong() -> None:
    """Stop the process with one line if `DATABASE_POOLER` is not what the database has."""
    if problem := _problem():
        _refuse(problem)


def refuse_unknown() -> NoReturn:
    """Stop the process with one line after PoolerFound."""
    _refuse(_UNKNOWN)


def _refuse(problem: str) -> NoReturn:
    environment.refuse("DATABASE_POOLER", problem)


def check(*, databases: Iterable[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Return the error for `manage.py check --database default`, and for the start of `migrate`."""
    return [
        checks.Error(f"DATABASE_POOLER {problem}.", id="config.E002")
        for using in databases or ()
        if (problem := _problem(using))
    ]


def _problem(using: str = DEFAULT_DB_ALIAS) -> str:
    """Return what is wrong with `DATABASE_POOLER`. Empty if nothing is, or the database is away."""
    if connections[using].vendor != "postgresql":
        return ""
    with suppress(Error):
        try:
            connections[using].ensure_connection()
        except PoolerFound:
            return _UNKNOWN
        if settings.DATABASE_POOLER == "session" and _lends_by_transaction(using):
            return _TRANSACTION
    return ""


def _lends_by_transaction(using: str) -> bool:
    """Tell whether two open connections are served by one process, or one of them by two.

    Other clients of a busy pool can make it look otherwise, so the question is asked several times.
    A pool without a free connection lets the second one wait: then nothing is known, and it is
    taken at its word.
    """
    first = connections[using]
    with first.wrap_database_errors:
        params = first.get_connection_params()
        with closing(first.copy().get_new_connection(params)) as second:
            second.wait = partial(second.wait, timeout=settings.DATABASE_CONNECT_SECONDS)
            second.autocommit = False  # so it keeps the server's connection
            for _ in range(_ROUNDS):
                before = _served_by(first)
                [(served_by,)] = second.execute(_SERVED_BY).fetchall()
                if served_by == before or _served_by(first) != before:
                    return True
                second.rollback()
    return False


def _served_by(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SERVED_BY)
        [pid] = cursor.fetchone()
    return int(pid)

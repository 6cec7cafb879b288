"""Django's PostgreSQL backend, without the queries and work that it repeats for every request.

`settings.DATABASES` names this package in place of `django.db.backends.postgresql`.
"""

import select
import time
from functools import partial
from types import TracebackType
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg import Connection, OperationalError, adapters
from psycopg.adapt import AdaptersMap
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.postgres import types
from psycopg.pq import Format, TransactionStatus

from core.db import pooling
from core.db.postgresql import bounds

_TIME = "timestamptz"


class _Errors(DatabaseErrorWrapper):
    """Django's errors. One of them shows that the server is no longer the primary."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, ReadOnlySqlTransaction):
            self.wrapper.is_read_only = True  # type: ignore[attr-defined]  # not in the stubs
        super().__exit__(kind, error, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    # The server of this connection has refused a write. The next connection may find the primary.
    is_read_only = False
    # By `time.monotonic()`.
    connected_at = 0.0

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _Errors(self)

    def get_connection_params(self) -> dict[str, Any]:
        """Add the bounds of this process, and read times with psycopg's own loader, in C.

        Django's loader, in Python, takes ten times as long. Django's loader would convert times to
        `self.timezone`. The session is in UTC, so the times are too.
        """
        params = super().get_connection_params()
        context = AdaptersMap(params["context"])
        if loader := adapters.get_loader(types[_TIME].oid, Format.TEXT):
            context.register_loader(_TIME, loader)
        # The URL's own options come last, so they win.
        options = f"{bounds.options()} {params.get('options', '')}".strip()
        return params | {"context": context} | ({"options": options} if options else {})

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect. Raise PoolerFound, and never run a statement, through an unknown pooler."""
        try:
            connection = super().get_new_connection(conn_params | {"autocommit": True})
        except OperationalError as error:
            if not settings.DATABASE_POOLER and pooling.REFUSAL in str(error):
                raise pooling.PoolerFound from error
            raise
        wait, self.is_read_only = connection.wait, False
        try:
            if not settings.DATABASE_POOLER:
                connection.wait = partial(wait, timeout=settings.DATABASE_CONNECT_SECONDS)
                pooling.look_for_one(connection)
        except BaseException:
            connection.close()
            raise
        connection.wait = partial(wait, timeout=bounds.patience())
        self.connected_at = time.monotonic()
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor without setting a zone on Django's own loader of times."""
        if name:
            # Outside of a transaction it is used beyond the statement.
            autocommit = self.connection.autocommit
            return self.connection.cursor(name, scrollable=False, withhold=autocommit)
        return self.connection.cursor()

    def is_usable(self) -> bool:
        """Tell whether the connection would take a query, without a query to the server.

        A server that ends a connection sends a message. An idle server sends nothing. So any data
        that can be read means that the connection has ended.
        """
        if not isinstance(self.connection, Connection) or self.connection.closed:
            return False
        # A statement that still runs was given up.
        unfinished = (TransactionStatus.INERROR, TransactionStatus.ACTIVE)
        if self.is_read_only or self.connection.info.transaction_status in unfinished:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)

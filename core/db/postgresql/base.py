"""Django's PostgreSQL backend, without the queries and work that it repeats for every request.

`settings.DATABASES` names this package in place of `django.db.backends.postgresql`.
"""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, adapters
from psycopg.adapt import AdaptersMap
from psycopg.postgres import types
from psycopg.pq import Format, TransactionStatus

_TIME = "timestamptz"


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        """Read times with psycopg's own loader, in C.

        Django's loader, in Python, takes ten times as long. Django's loader would convert times to
        `self.timezone`. The session is in UTC, so the times are too.
        """
        params = super().get_connection_params()
        context = AdaptersMap(params["context"])
        if loader := adapters.get_loader(types[_TIME].oid, Format.TEXT):
            context.register_loader(_TIME, loader)
        return params | {"context": context}

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
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)

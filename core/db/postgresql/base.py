"""Django's backend of PostgreSQL, without what it asks and computes for every request anew.

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
        """Times are read by psycopg's own loader, in C: Django's, in Python, takes ten times that.

        Django's would put them into `self.timezone`; the session is in UTC, and so are they.
        """
        params = super().get_connection_params()
        context = AdaptersMap(params["context"])
        if loader := adapters.get_loader(types[_TIME].oid, Format.TEXT):
            context.register_loader(_TIME, loader)
        return params | {"context": context}

    def create_cursor(self, name: str | None = None) -> Any:
        """Django would ask Django's loader of times for its zone here."""
        if name:
            # Outside of a transaction it is used beyond the statement.
            autocommit = self.connection.autocommit
            return self.connection.cursor(name, scrollable=False, withhold=autocommit)
        return self.connection.cursor()

    def is_usable(self) -> bool:
        """Whether the connection would take a query, without asking the server one.

        A server that ends a connection says so, and from one that waits for us we expect nothing:
        whatever is there to be read is a farewell.
        """
        if not isinstance(self.connection, Connection) or self.connection.closed:
            return False
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)

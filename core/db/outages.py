"""Errors after which the same request can succeed later.

The database is away, or it takes no writes, or it is so busy that it gave up. The transaction may
have been committed all the same: the answer to COMMIT can be what is lost.
"""

import sqlite3

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from core.db.retrying import sqlstate

# Seconds that callers wait before they ask again.
RETRY_SECONDS = 5
# PostgreSQL: a server that takes no writes, and a transaction that it ended.
_AWAY = {"25006", "25P03"}
# PostgreSQL: what goes beyond a fixed limit of it, today and later.
_TOO_LARGE = "54"
_AWAY_OF_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


def is_outage(error: BaseException | None) -> bool:
    """Tell whether the same request can succeed later."""
    if connection.vendor == "sqlite":
        code = getattr(error.__cause__, "sqlite_errorcode", 0) if error else 0
        # The lowest byte is the kind of the error, the others its details.
        return isinstance(error, OperationalError) and code & 0xFF in _AWAY_OF_SQLITE
    if isinstance(error, OperationalError | InterfaceError):
        return not sqlstate(error).startswith(_TOO_LARGE)
    return isinstance(error, DatabaseError) and sqlstate(error) in _AWAY

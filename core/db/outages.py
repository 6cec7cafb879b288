"""Errors that say that the database is away, and not that Parley asked a wrong question."""

import sqlite3

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from core.db.retrying import sqlstate

# Seconds that callers wait before they ask again.
RETRY_SECONDS = 5
# PostgreSQL: a server that takes no writes, and a transaction that it ended.
_AWAY = {"25006", "25P03"}
_AWAY_OF_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


def is_outage(error: BaseException | None) -> bool:
    """Tell whether the same request can succeed later.

    The database is away, takes no writes, or did not answer in time.
    """
    if connection.vendor == "sqlite":
        code = getattr(error.__cause__, "sqlite_errorcode", 0) if error else 0
        # The lowest byte is the kind of the error, the others its details.
        return isinstance(error, OperationalError) and code & 0xFF in _AWAY_OF_SQLITE
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, DatabaseError) and sqlstate(error) in _AWAY

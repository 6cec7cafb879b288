"""Start of a process that serves or works: what it refuses, and the bounds that it keeps."""

from django.db import connections

from core.db import keys, pooling
from core.db.postgresql import bounds


def refuse_wrong() -> None:
    """Stop the process with one line if its settings do not fit its database.

    A database that is away says nothing.
    """
    pooling.refuse_wrong()
    keys.refuse_wrong()


def begin() -> None:
    """Refuse wrong settings in a process that serves or works, and bound its statements.

    Close its connections, so that it has none to share with its children.
    """
    bounds.keep()
    refuse_wrong()
    connections.close_all()

"""Bounds of the statements and transactions of a process that serves.

A request or a task that waits for ever holds a thread and its locks. A management command may take
hours: a migration, a backup, a restore. So only a process that answers requests or works calls
`keep`, and all others switch the bounds off, whatever the role or the database has.
"""

from django.conf import settings

# Seconds beyond the longest statement, after which a server that says nothing has stopped.
_GRACE_SECONDS = 5.0
_is_kept = False


def keep() -> None:
    """Have the connections that this process opens from now on keep the bounds."""
    global _is_kept  # noqa: PLW0603  one kind of work per process
    _is_kept = True


def options() -> str:
    """Return the bounds as PostgreSQL's `options` of a new connection.

    Empty behind a pooler: it refuses them, so the role has them there (docs/ha.md).
    """
    if settings.DATABASE_POOLER:
        return ""
    return " ".join(
        f"-c {name}={seconds if _is_kept else 0}s"
        for name, seconds in settings.DATABASE_BOUNDS.items()
    )


def patience() -> float | None:
    """Return the seconds after which a server that has not answered a statement is given up."""
    longest: int = settings.DATABASE_BOUNDS["statement_timeout"]
    return longest + _GRACE_SECONDS if _is_kept and longest else None

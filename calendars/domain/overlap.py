"""The database's own refusal of overlapping exclusive claims, on PostgreSQL and on SQLite.

Kept out of `BusyTime.Meta`, where an exclusion constraint would break SQLite. Both speak of
`busy_time_overlap` when they refuse.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NAME = "busy_time_overlap"

_POSTGRESQL = f"""
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE calendars_busytime ADD CONSTRAINT {NAME}
EXCLUDE USING gist (user_id WITH =, int8range("start", "end") WITH &&) WHERE (exclusive);
"""

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS {name}_{event} BEFORE {EVENT} ON calendars_busytime
WHEN NEW.exclusive AND EXISTS (
    SELECT 1 FROM calendars_busytime
    WHERE user_id = NEW.user_id AND exclusive AND id IS NOT NEW.id
      AND "start" < NEW."end" AND "end" > NEW."start"
)
BEGIN SELECT RAISE(ABORT, '{name}'); END;
"""


def install(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Step of the first migration."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_POSTGRESQL)
    else:
        install_triggers(schema_editor.connection)


def uninstall(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE calendars_busytime DROP CONSTRAINT {NAME}")
    else:
        for event in ("insert", "update"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME}_{event}")


def install_triggers(connection: BaseDatabaseWrapper) -> None:
    """SQLite's half. Also run after every migrate: one that rebuilds the table drops triggers."""
    with connection.cursor() as cursor:
        for event in ("insert", "update"):
            cursor.execute(_SQLITE.format(name=NAME, event=event, EVENT=event.upper()))

import os
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from core.db import keys, moving, pooling
from core.ops import environment

_VARIABLE = "TARGET_DATABASE_URL"
_TARGET = "target"
_SHOWN = 16


class Command(BaseCommand):
    help = (
        "Copy everything from the SQLite database in DATA_DIR into the empty PostgreSQL database of"
        f" {_VARIABLE}, and compare both. Stop Parley first. A move that fails leaves no row."
    )

    def handle(self, **options: Any) -> None:
        if not settings.EMBEDDED_DATABASE:
            raise CommandError("It moves from SQLite: unset DATABASE_URL.")
        # Without DATA_DIR the command would move an empty database.
        if not connections[DEFAULT_DB_ALIAS].introspection.table_names():
            raise CommandError("There is no database in DATA_DIR.")
        started = monotonic()
        keys.refuse_wrong()
        self._open_target()
        try:
            pooling.require_none(_TARGET)
            moving.require_current(DEFAULT_DB_ALIAS)
            moving.require_empty(_TARGET)
            if keys.are_wrong(_TARGET):
                raise CommandError(
                    "The target database was migrated with other ENCRYPTION_KEYS: make it anew."
                )
            call_command("migrate", database=_TARGET, verbosity=0)
            self._tables, self._rows = 0, 0
            moving.move(source=DEFAULT_DB_ALIAS, target=_TARGET, report=self._tell)
        except moving.MoveError as error:
            raise CommandError(f"Nothing was moved: {error}.") from error
        except moving.UncertainMoveError as error:
            raise CommandError(
                f"The commit failed, so everything was moved or nothing: {error}. Run this again:"
                " where everything was moved, it says that the target is not empty."
            ) from error
        except OperationalError as error:
            problem = str(error).partition("\n")[0]
            raise CommandError(f"Nothing was moved: {problem}") from error
        seconds = monotonic() - started
        self.stdout.write(
            f"{self._tables} tables with {self._rows} rows are equal in both databases"
            f" ({seconds:.0f} s). Now start Parley with this database as DATABASE_URL, and with the"
            " same SECRET_KEY and ENCRYPTION_KEYS."
        )

    def _open_target(self) -> None:
        """Make the target known to Django under a name of its own."""
        if not os.environ.get(_VARIABLE, "").strip():
            raise CommandError(f"{_VARIABLE} must be set: postgres://user:password@host/name")
        config: dict[str, Any] = environment.read(_VARIABLE, {}, environment.database)
        if "postgresql" not in config["ENGINE"]:
            environment.refuse(_VARIABLE, "must be a postgres:// address")
        config["ENGINE"] = "core.db.postgresql"
        config["OPTIONS"] = {"connect_timeout": 5, **config.get("OPTIONS", {})}
        named: dict[str, Any] = connections.settings
        named[_TARGET] = connections.configure_settings({**named, _TARGET: config})[_TARGET]

    def _tell(self, moved: moving.Moved) -> None:
        self._tables += 1
        self._rows += moved.source.rows
        found = f"{moved.source.rows:>9} {moved.source.digest[:_SHOWN]}"
        if not moved.is_equal:
            found += f"  DIFFERS: {moved.target.rows} {moved.target.digest[:_SHOWN]}"
        self.stdout.write(f"{moved.table:<40} {found}")

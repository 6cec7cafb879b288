from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db.migrations.exceptions import InconsistentMigrationHistory

from core.ops import environment


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; stop with one line on a database that no migration leads on from."""
        try:
            super().handle(*args, **options)
        except InconsistentMigrationHistory as error:
            place, remedy = "The database", "give DATABASE_URL an empty one"
            if settings.EMBEDDED_DATABASE:
                place, remedy = "The database in DATA_DIR", f"move {settings.DATA_DIR} away"
            environment.refuse(
                place,
                "was made by a version before 0.2 and cannot be upgraded:"
                f" {remedy} to start anew, or run the version that made it ({error})",
            )

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.db.postgresql import programs


class Command(BaseCommand):
    help = "Restore a backup into an empty PostgreSQL database: all of it or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        if settings.EMBEDDED_DATABASE:
            raise CommandError("SQLite is restored by its file: see docs/deploy.md.")
        try:
            programs.run(
                "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", str(file)
            )
        except programs.ProgramError as error:
            raise CommandError(str(error)) from error

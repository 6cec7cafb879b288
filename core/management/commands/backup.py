import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection


class Command(BaseCommand):
    help = "Write a copy of the SQLite database, as it is at this moment, to a new file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        if not settings.EMBEDDED_DATABASE:
            raise CommandError("PostgreSQL is backed up by pg_dump: see docs/deploy.md.")
        # Without DATA_DIR the command would copy an empty database.
        if not connection.introspection.table_names():
            raise CommandError("There is no database in DATA_DIR.")
        try:
            # SQLite takes an empty file for a new one; its own would be open to others.
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise CommandError(f"{file}: {os.strerror(error.errno or 0)}") from error
        try:
            with connection.cursor() as cursor:
                # One read transaction: other writers do not wait, and their writes are not in the
                # copy.
                cursor.execute("VACUUM INTO %s", [str(file.resolve())])
        except BaseException as error:
            with suppress(FileNotFoundError):
                file.unlink()
            if isinstance(error, OperationalError):  # such as a disk that is full
                raise CommandError(str(error)) from error
            raise

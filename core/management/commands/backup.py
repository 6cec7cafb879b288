import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from core.db.postgresql import programs


class Command(BaseCommand):
    help = (
        "Write a copy of the database, as it is at this moment, to a new file: an SQLite database,"
        " or what pg_dump makes of PostgreSQL, which `manage.py restore` reads."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        # Without DATA_DIR the command would copy an empty database.
        if settings.EMBEDDED_DATABASE and not connection.introspection.table_names():
            raise CommandError("There is no database in DATA_DIR.")
        try:
            # Both programs take an empty file for a new one; their own would be open to others.
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise CommandError(f"{file}: {os.strerror(error.errno or 0)}") from error
        try:
            if settings.EMBEDDED_DATABASE:
                _copy_sqlite(file)
            else:
                programs.run("pg_dump", "--format=custom", f"--file={file.resolve()}")
        except BaseException as error:
            with suppress(FileNotFoundError):
                file.unlink()
            # Such as a disk that is full.
            if isinstance(error, OperationalError | programs.ProgramError):
                raise CommandError(str(error)) from error
            raise


def _copy_sqlite(file: Path) -> None:
    with connection.cursor() as cursor:
        # One read transaction: other writers do not wait, and their writes are not in the copy.
        cursor.execute("VACUUM INTO %s", [str(file.resolve())])

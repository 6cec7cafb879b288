"""Move of all rows from the SQLite database into an empty PostgreSQL database.

Both databases are asked in one transaction each. That of SQLite is immediate, so nobody else writes
meanwhile. That of PostgreSQL holds all that is written, so a move that fails leaves nothing there.
Rows are copied as they are stored: nothing is decrypted, and no time is taken anew.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, Error, OperationalError, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import AutoField, Model
from psycopg.sql import SQL, Composed, Identifier, Literal

from core.db import keys
from core.db.crypto import Ciphertext, DecryptionError
from core.models import KeyCanary

_BATCH = 2_000
_LOCK_SECONDS = 10
# `migrate` writes rows of these by itself. Those of the source take their place.
_FILLED: tuple[type[Model], ...] = (ContentType, Permission, KeyCanary)
_DIGEST_BITS = 256
_PLAIN = {str, int, bool, type(None)}


class MoveError(Exception):
    """Reason why nothing was moved, in one line that shows no value of a row."""


class UncertainMoveError(Exception):
    """Failure of the commit, in one line: everything was moved, or nothing."""


@dataclass(frozen=True)
class Content:
    """Number of a table's rows, and a digest over all of them."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Moved:
    table: str
    source: Content
    target: Content

    @property
    def is_equal(self) -> bool:
        return self.source == self.target


def move(
    *, source: str, target: str, report: Callable[[Moved], object] = lambda _table: None
) -> None:
    """Copy all rows from one database alias to another and compare both.

    MoveError if it fails, UncertainMoveError if the commit does. `report` gets each table once it
    is compared. Both databases must be migrated.
    """
    tables, is_whole = _tables(), False
    try:
        with transaction.atomic(using=source), transaction.atomic(using=target):
            require_current(source)
            require_current(target)
            _lock(target, tables)
            require_empty(target)
            for model in _FILLED:
                _run(target, SQL("DELETE FROM {}").format(_name(model)))
            copied = {model: _copy(model, source, target) for model in tables}
            _require_references(target)
            moved = [
                Moved(model._meta.db_table, content, _content(model, target))
                for model, content in copied.items()
            ]
            for table in moved:
                report(table)
            different = [table.table for table in moved if not table.is_equal]
            if different:
                raise MoveError(f"the copy differs from its source: {', '.join(different)}")
            _set_sequences(tables, source, target)
            _require_canary(target)
            is_whole = True
    except Error as error:
        if is_whole:
            raise UncertainMoveError(_line(error)) from error
        if not isinstance(error, OperationalError):
            raise  # its words may show a value
        raise MoveError(f"a database does not do what it is asked: {_line(error)}") from error
    with suppress(Error):  # PostgreSQL does it by itself, only later
        _run(target, SQL("ANALYZE"))


def require_current(using: str) -> None:
    """Raise MoveError unless the database has exactly the migrations of this version."""
    executor = MigrationExecutor(connections[using])
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.graph.nodes)
    if unknown:
        names = ", ".join(".".join(each) for each in sorted(unknown))
        raise MoveError(f"{_database(using)} has migrations of another version: {names}")
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MoveError(f"{_database(using)} is not up to date: run manage.py migrate first")


def require_empty(using: str) -> None:
    """Raise MoveError if a table of Parley has a row that `migrate` has not written.

    Tables that do not exist yet are empty.
    """
    there = set(connections[using].introspection.table_names())
    for model in _tables():
        if model in _FILLED or model._meta.db_table not in there:
            continue
        if model._base_manager.using(using).exists():
            table = model._meta.db_table
            raise MoveError(f"{_database(using)} is not empty: {table} has rows already")


def _tables() -> list[type[Model]]:
    """Return a model for each table of Parley, those between two models included."""
    models = apps.get_models(include_auto_created=True)
    return sorted(
        (model for model in models if model._meta.managed and not model._meta.proxy),
        key=lambda model: model._meta.db_table,
    )


def _lock(using: str, tables: Sequence[type[Model]]) -> None:
    """Keep everybody else from writing to the tables until the end of the transaction."""
    names = SQL(", ").join(map(_name, tables))
    try:
        _run(using, SQL("SET LOCAL lock_timeout = {}").format(Literal(f"{_LOCK_SECONDS}s")))
        _run(using, SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(names))
    except OperationalError as error:
        raise MoveError(f"somebody else uses {_database(using)}: stop Parley first") from error


# --- copying --------------------------------------------------------------------------------------


def _copy(model: type[Model], source: str, target: str) -> Content:
    """Copy a table. Return what was read from the source."""
    fields, content = model._meta.local_concrete_fields, _Adding()
    columns = SQL(", ").join([Identifier(str(field.column)) for field in fields])
    statement = SQL("COPY {} ({}) FROM STDIN").format(_name(model), columns)
    connection = connections[target]
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in _rows(model, source):
                content.add(row)
                copy.write_row(
                    [
                        field.get_db_prep_save(value, connection)
                        for field, value in zip(fields, row, strict=True)
                    ]
                )
    except psycopg.Error as error:
        raise MoveError(_refusal(model, source, error)) from error
    return content.result()


def _content(model: type[Model], using: str) -> Content:
    content = _Adding()
    for row in _rows(model, using):
        content.add(row)
    return content.result()


def _rows(model: type[Model], using: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows by primary key, as Django reads them, in batches."""
    fields = [field.attname for field in model._meta.local_concrete_fields]
    place = fields.index(model._meta.pk.attname) if model._meta.pk else 0
    rows = model._base_manager.using(using).order_by("pk").values_list(*fields)
    last = None
    try:
        for row in rows.iterator(chunk_size=_BATCH):
            yield row
            last = row[place]
    except (ValueError, TypeError, ArithmeticError, DatabaseError) as error:
        after = "the first row" if last is None else f"the row after {last}"
        raise MoveError(
            f"{model._meta.db_table}: {after} cannot be read ({type(error).__name__})"
        ) from error.with_traceback(None)  # whose frames would hold a cursor until the end


class _Adding:
    """Digest of rows in any order: databases do not sort texts alike.

    The digests of the rows are added up, so a row that is missing, doubled or changed shows.
    """

    def __init__(self) -> None:
        self._rows = self._sum = 0

    def add(self, row: Sequence[Any]) -> None:
        text = repr([_canonical(value) for value in row])
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        self._rows += 1
        self._sum = (self._sum + int.from_bytes(digest, "big")) % 2**_DIGEST_BITS

    def result(self) -> Content:
        return Content(self._rows, f"{self._sum:0{_DIGEST_BITS // 4}x}")


def _canonical(value: Any) -> Any:
    """Return a value in the one form that does not tell from which database it came."""
    if type(value) in _PLAIN:  # most of them
        return value
    if isinstance(value, Ciphertext):
        return value.text
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, dict | list | float):
        return json.dumps(_whole(value), sort_keys=True)
    return value


def _whole(value: Any) -> Any:
    """Return a value of JSON with 1.0 as 1: PostgreSQL keeps 1e2 as 100."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value


def _refusal(model: type[Model], source: str, error: psycopg.Error) -> str:
    """Say which row PostgreSQL does not take and why, without a value of it."""
    line = re.search(r"line (\d+)", error.diag.context or "")
    where = "a row"
    if line:
        keys_in_order = model._base_manager.using(source).order_by("pk").values_list("pk")
        where = f"the row {keys_in_order[int(line[1]) - 1][0]}"
    column = re.search(r"column (\w+)", error.diag.context or "")
    named = error.diag.constraint_name or error.diag.column_name or (column[1] if column else "")
    reason = ", ".join(filter(None, [type(error).__name__, named]))
    return f"{model._meta.db_table}: PostgreSQL does not take {where} ({reason})"


def _require_references(using: str) -> None:
    """Check all foreign keys now, which PostgreSQL would else check at the commit."""
    try:
        _run(using, SQL("SET CONSTRAINTS ALL IMMEDIATE"))
    except DatabaseError as error:
        cause = error.__cause__
        diag = cause.diag if isinstance(cause, psycopg.Error) else None
        named = f"{diag.table_name}, {diag.constraint_name}" if diag else type(error).__name__
        raise MoveError(f"a row points at one that does not exist ({named})") from error


# --- what is no row -------------------------------------------------------------------------------


def _set_sequences(tables: Sequence[type[Model]], source: str, target: str) -> None:
    """Have new rows take numbers that no row of the source has ever had."""
    with connections[source].cursor() as cursor:
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        used: dict[str, int] = dict(cursor.fetchall())
    for model in tables:
        if isinstance(model._meta.pk, AutoField):
            last = used.get(model._meta.db_table, 0)
            table, column = Literal(_quoted(model)), Literal(model._meta.pk.column)
            _run(
                target,
                SQL("SELECT setval(pg_get_serial_sequence({}, {}), {}, {})").format(
                    table, column, Literal(max(last, 1)), Literal(last > 0)
                ),
            )


def _require_canary(using: str) -> None:
    try:
        if keys.open_canary(using):
            return
    except DecryptionError:
        pass
    raise MoveError("ENCRYPTION_KEYS do not open the rows that were moved")


def _database(using: str) -> str:
    return f"the {connections[using].display_name} database"


def _run(using: str, statement: SQL | Composed) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(statement)


def _name(model: type[Model]) -> Identifier:
    return Identifier(model._meta.db_table)


def _quoted(model: type[Model]) -> str:
    return f'"{model._meta.db_table}"'


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]

"""INSERT statements that are written once. See `core.db.prepared`."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, models

from core.db.prepared import Row


def insert(*rows: models.Model) -> None:
    """Insert these new rows of one model with one statement, and set their ids.

    As with `bulk_create`, no signal is sent.
    """
    model = type(rows[0])
    fields = _fields(model)
    values: list[Any] = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for row in rows
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(_sql(model, len(rows)), values)
        ids: list[Row] = cursor.fetchall()
    for row, [pk] in zip(rows, ids, strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _fields(model: type[models.Model]) -> Sequence[Any]:
    return [field for field in model._meta.local_concrete_fields if not field.primary_key]


@cache
def _sql(model: type[models.Model], count: int) -> str:
    quote, fields = connection.ops.quote_name, _fields(model)
    columns = ", ".join(quote(field.column) for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    pk: Any = model._meta.pk
    return (
        f"INSERT INTO {quote(model._meta.db_table)} ({columns})"  # noqa: S608  names of our models
        f" VALUES {', '.join([row] * count)} RETURNING {quote(pk.column)}"
    )

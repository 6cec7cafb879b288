"""Bulk insert, faster than `bulk_create`.

`bulk_create` prepares each value of each row by itself.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.db.models import JSONField, Max, Model

Row = dict[str, Any]


class Rows:
    """Rows of these models that wait to be written. Each row has its id from the start.

    List a model before the models that point at it. Nobody else may write to these tables
    meanwhile. Give values in the form in which the database stores them: only its constraints check
    them.
    """

    def __init__(self, *models: type[Model]) -> None:
        self.written = dict.fromkeys(models, 0)
        self._waiting: dict[type[Model], list[Row]] = {model: [] for model in models}
        self._ids = {model: count(_highest_id(model) + 1) for model in models}
        self._defaults = {model: _defaults(model) for model in models}

    def add(self, model: type[Model], **values: Any) -> int:
        """Queue a row and return its id. A value that is not given has the model's default."""
        number = next(self._ids[model])
        self._waiting[model].append(self._defaults[model] | values | {"id": number})
        return number

    def write(self) -> None:
        """Write the queued rows in the open transaction."""
        for model, rows in self._waiting.items():
            _insert(model, rows)
            self.written[model] += len(rows)
            rows.clear()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), list(self.written)):
                cursor.execute(statement)


@lru_cache(maxsize=10_000)
def stored(second: int) -> Any:
    """Return an epoch second in the form in which the database stores a datetime.

    The result is cached: consecutive rows often share a moment.
    """
    return connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(second, UTC))


def _highest_id(model: type[Model]) -> int:
    return model._default_manager.aggregate(highest=Max("id"))["highest"] or 0


def _defaults(model: type[Model]) -> Row:
    """Return the default value of each column, in the order of the columns."""
    fields = model._meta.concrete_fields
    values = {field.attname: field.get_default() for field in fields}
    documents = [field.attname for field in fields if isinstance(field, JSONField)]
    return values | {name: json.dumps(values[name]) for name in documents}


def _insert(model: type[Model], rows: Sequence[Row]) -> None:
    """Insert the rows with COPY on PostgreSQL, and with `executemany` on other databases."""
    columns = [f'"{field.column}"' for field in model._meta.concrete_fields]
    into = f'"{model._meta.db_table}" ({", ".join(columns)})'
    values = [tuple(row.values()) for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for each in values:
                    copy.write_row(each)
        else:
            marks = ", ".join("%s" for _ in columns)
            # The names are those of models.
            cursor.executemany(f"INSERT INTO {into} VALUES ({marks})", values)  # noqa: S608

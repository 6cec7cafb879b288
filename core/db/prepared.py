"""Queries that run again and again: their SQL is written once.

Django takes several times as long to write the SQL of a queryset as the database takes to answer
it. So a query that every request makes with other values is a `Prepared`. Django writes its SQL at
the first use, with a placeholder for each value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, Generic, Self, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Expression, Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from core.db.ids import column_of

M = TypeVar("M", bound=Model)
Row = tuple[Any, ...]


class Placeholder(Expression):
    """A placeholder in a queryset for a named value that is known when the query runs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        return "%s", [self]


@dataclass(frozen=True)
class Statement:
    """The SQL of a queryset, its values and placeholders, and how its columns are read.

    It keeps neither the compiler that wrote the SQL nor a method of the database's operations. Both
    hold the connection of the first thread, which would stay open after that thread has ended.
    """

    select: Sequence[Any]
    described: Mapping[str, Any]
    sql: str
    parameters: Sequence[object]
    converters: Mapping[int, Any]

    @classmethod
    def of(cls, rows: "QuerySet[Any, Any]") -> Self:
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        selected = [column for column, _sql, _alias in compiler.select]
        converters = {
            position: ([_of_any_thread(convert) for convert in converts], expression)
            for position, (converts, expression) in compiler.get_converters(selected).items()
        }
        return cls(compiler.select, compiler.klass_info or {}, sql, parameters, converters)

    @cached_property
    def models(self) -> tuple[Any, slice, list[str], list[Any]]:
        """Return the model, its columns in a row, their names, and the populators of relations."""
        select, described = self.select, cast(Any, self.described)
        columns = slice(described["select_fields"][0], described["select_fields"][-1] + 1)
        names = [column.target.attname for column, _sql, _alias in select[columns]]
        related = get_related_populators(described, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # the stubs are of a later Django
        return described["model"], columns, names, related

    def run(self, values: Mapping[str, object], tail: str = "", *more: int) -> list[Row]:
        """Run the SQL and return the rows as Python values.

        `tail` is more SQL, which takes `more` values.
        """
        given: list[Any] = [
            _adapted(values[each.name]) if isinstance(each, Placeholder) else each
            for each in self.parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(self.sql + tail, [*given, *more])
            rows: list[Row] = cursor.fetchall()
        if not self.converters:
            return rows
        found = [list(row) for row in rows]
        for position, (converters, expression) in self.converters.items():
            for row in found:
                for convert in converters:
                    row[position] = convert(row[position], expression, connection)
        return [tuple(row) for row in found]


class Prepared(Generic[M]):
    """The rows of a queryset that `build` makes from named values. `select` chooses their columns.

    `build` is called once for each set of names, with placeholders. It may put them wherever a
    lookup takes a value. It must neither look at them nor slice. Rows are counted on the queryset
    of `build`, without the joins that only show them.
    """

    def __init__(
        self,
        build: "Callable[..., QuerySet[M, Any]]",
        select: "Callable[[QuerySet[M, Any]], QuerySet[M, Any]]" = lambda rows: rows,
    ) -> None:
        self._build, self._select = build, select
        self._selections: dict[tuple[str, ...], Statement] = {}
        self._pages: dict[tuple[str, ...], Statement] = {}
        self._counts: dict[tuple[str, ...], Statement] = {}

    def count(self, **values: object) -> int:
        [[number]] = self._counting(tuple(values)).run(values)
        return int(number)

    def rows(self, **values: object) -> list[Row]:
        """Return all rows of a queryset of `values_list`."""
        return self._selection(values).run(values)

    def page(self, first: int, limit: int, **values: object) -> tuple[list[Row], int]:
        """Return at most `limit` rows from `first` (counted from 0) on, and the count of all rows.

        The count is the last column of each row, so one query is enough. Only an empty page needs a
        second query.
        """
        names = tuple(values)
        if names not in self._pages:
            counting = self._counting(names)
            total = RawSQL(counting.sql, list(counting.parameters))  # noqa: S611  Django's own
            rows = self._select(self._rows(names)).annotate(total_of_all=total)
            self._pages[names] = Statement.of(rows)
        found = self._pages[names].run(values, " LIMIT %s OFFSET %s", limit, first)
        if found:
            return found, int(found[0][-1])
        return found, self.count(**values) if first else 0

    def objects(self, most: int | None = None, /, **values: object) -> list[M]:
        """Return the rows as models, with what `select_related` names, but without annotations.

        `most` is the highest number of rows.
        """
        statement = self._selection(values)
        model, columns, names, related = statement.models
        found = []
        limit = () if most is None else (most,)
        for row in statement.run(values, " LIMIT %s" if limit else "", *limit):
            made: M = model.from_db(DEFAULT_DB_ALIAS, names, row[columns])
            for populator in related:
                populator.populate(row, made)
            found.append(made)
        return found

    def _counting(self, names: tuple[str, ...]) -> Statement:
        if names not in self._counts:
            counted = Statement.of(self._rows(names).order_by().values("pk"))
            sql = f"SELECT COUNT(*) FROM ({counted.sql}) found"  # noqa: S608  Django's own
            self._counts[names] = replace(counted, sql=sql, converters={})
        return self._counts[names]

    def _rows(self, names: Iterable[str]) -> "QuerySet[M, Any]":
        return self._build(**{name: Placeholder(name) for name in names})

    def _selection(self, values: Mapping[str, object]) -> Statement:
        names = tuple(values)
        if names not in self._selections:
            self._selections[names] = Statement.of(self._select(self._rows(names)))
        return self._selections[names]


class Named(Generic[M]):
    """The row of a URL key, by its number or its uuid, among the rows that `build` makes.

    `build` and `select` are those of `Prepared`. The lists are empty if there is no such row.
    """

    def __init__(
        self,
        build: "Callable[..., QuerySet[M, Any]]",
        select: "Callable[[QuerySet[M, Any]], QuerySet[M, Any]]" = lambda rows: rows,
    ) -> None:
        self._by = {
            "pk": Prepared[M](lambda key, **values: build(**values).filter(pk=key), select),
            "uuid": Prepared[M](lambda key, **values: build(**values).filter(uuid=key), select),
        }

    def rows(self, key: str, **values: object) -> list[Row]:
        column, named = column_of(key)
        return self._by[column].rows(key=named, **values) if column else []

    def objects(self, key: str, **values: object) -> list[M]:
        column, named = column_of(key)
        return self._by[column].objects(key=named, **values) if column else []


def _of_any_thread(convert: Callable[..., Any]) -> Callable[..., Any]:
    """Return a converter that uses the connection it is given, and holds none.

    Those of SQLite are methods of the operations of a connection.
    """
    if not isinstance(getattr(convert, "__self__", None), BaseDatabaseOperations):
        return convert
    method: Callable[..., Any] = convert.__func__  # type: ignore[attr-defined]  # it is a method

    def converted(value: Any, expression: Any, connection: Any) -> Any:
        return method(connection.ops, value, expression, connection)

    return converted


def _adapted(value: object) -> object:
    """Return the value in the form that this database takes, for a value without a field."""
    match value:
        case datetime():
            return connection.ops.adapt_datetimefield_value(value)
        case date():
            return connection.ops.adapt_datefield_value(value)
    return value

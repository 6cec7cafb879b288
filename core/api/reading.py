"""Contents of answers, read as columns. No model instances are made.

A serializer declares the fields that an answer shows of a row. The API's document is made from it.
A `Reading` reads the columns that the serializer needs, and makes the same values of them as the
serializer would make of models. A field that is not a column is declared as `Derived`: a function
of columns, for models and rows alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers

from core.db.prepared import Named, Prepared, Row
from core.errors import NotFound

M = TypeVar("M", bound=Model)
Shown = dict[str, Any]
_Field = serializers.Field[Any, Any, Any, Any]
_Show = Callable[[Row], Any]

Pages: TypeAlias = Callable[[int, int], tuple[list[Shown], int]]
"""What a list shows a page of: some, from one of this number (from 0) on and at most so many; and
how many there are in all."""

# These fields show the value unchanged.
_AS_IT_IS = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.ChoiceField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.IntegerField,
)


class Derived(_Field):
    """Field of an answer that `make` computes from the values of these columns.

    Columns are named like the source of a field (`team.name`). The OpenAPI document describes the
    result by `like`, which is a field or a serializer.
    """

    def __init__(
        self,
        make: Callable[..., Any],
        *columns: str,
        like: "_Field | serializers.BaseSerializer[Any]",
        **options: Any,
    ) -> None:
        super().__init__(source="*", read_only=True, **options)
        self.make, self.columns, self.like = make, columns, like

    def to_representation(self, value: Any) -> Any:
        return self.make(*(reduce(getattr, column.split("."), value) for column in self.columns))


class Many(serializers.ListSerializer[Any]):
    """The rows of another model whose `owner` is the row shown. One query reads them for all rows.

    `source` is the name under which a model instance has these rows, if it differs. `annotate` adds
    values that are shown but are not columns, or leaves rows out. `only` names the one field of
    each row that is shown, in place of an object.
    """

    def __init__(
        self,
        child: serializers.Serializer[Any],
        *,
        model: type[Model],
        owner: str,
        source: str | None = None,
        annotate: "Callable[[Any], QuerySet[Any, Any]]" = lambda rows: rows,
        only: str = "",
        **options: Any,
    ) -> None:
        super().__init__(child=child, source=source, **options)
        self._only = only
        self._model, self._owner, self._annotate = model, owner, annotate

    def to_representation(self, data: Any) -> list[Any]:
        return [self._one(shown) for shown in super().to_representation(data)]

    def _one(self, shown: Shown) -> Any:
        return shown[self._only] if self._only else shown

    @cached_property
    def _plan(self) -> "_Plan":
        return _Plan.of(self.child)

    def fill_in(self, name: str, shown: list[Shown]) -> None:
        """Replace the owner's number in each shown row by the list of its rows."""
        found: dict[Any, list[Any]] = {each[name]: [] for each in shown}
        rows = self._model._default_manager.filter(**{f"{self._owner}__in": list(found)})
        for owner, *row in self._annotate(rows).values_list(self._owner, *self._plan.columns):
            found[owner].append(self._one(self._plan.show(row)))
        for each in shown:
            each[name] = found[each[name]]


class Reading(Generic[M]):
    """The rows of a queryset that `build` makes from named values, as a serializer shows them.

    `build` follows the rules of `Prepared`. NotFound calls a row `name`. `annotate` adds values
    that are shown but are not columns. It applies when rows are read, not when they are counted.
    """

    def __init__(
        self,
        shape: type[serializers.Serializer[Any]],
        build: "Callable[..., QuerySet[M, M]]",
        name: str = "",
        annotate: "Callable[[Any], QuerySet[M, Any]]" = lambda rows: rows,
    ) -> None:
        self._shape, self._build, self._name, self._annotate = shape, build, name, annotate
        self._all = Prepared(build, self._columns)
        self._named = Named(build, self._columns)

    def of(self, **values: object) -> Pages:
        """Return the pages of all rows."""
        return self._pages(self._all, values)

    def all(self, **values: object) -> list[Shown]:
        """Return all rows at once. Only for rows that cannot be many."""
        return self._shown(self._all.rows(**values))

    def filtered(
        self, narrow: "Callable[[QuerySet[M, M]], QuerySet[M, M]]", **values: object
    ) -> Pages:
        """Return the pages of the rows that `narrow` leaves.

        The SQL is written for this one use.
        """
        left = narrow(self._build(**values))
        return self._pages(Prepared(lambda: left, self._columns), {})

    def _pages(self, prepared: Prepared[M], values: dict[str, object]) -> Pages:
        def page(first: int, limit: int) -> tuple[list[Shown], int]:
            found, total = prepared.page(first, limit, **values)
            return self._shown(found), total

        return page

    def one(self, key: str, **values: object) -> Shown:
        """Return the row of this number or uuid, or raise NotFound."""
        found = self._named.rows(key, **values)
        if not found:
            raise NotFound(f"{self._name} not found")
        return self._shown(found)[0]

    @cached_property
    def _plan(self) -> "_Plan":
        return _Plan.of(self._shape())

    def _columns(self, rows: "QuerySet[M, M]") -> "QuerySet[M, Any]":
        return self._annotate(rows).values_list(*self._plan.columns)

    def _shown(self, rows: list[Row]) -> list[Shown]:
        plan = self._plan
        shown = [plan.show(row) for row in rows]
        for name, many in plan.many.items() if shown else ():
            many.fill_in(name, shown)
        return shown


@dataclass(frozen=True)
class _Plan:
    """The columns that a serializer needs, named as lookups, and the function that shows a row."""

    columns: Sequence[str]
    show: _Show
    many: Mapping[str, "Many"]

    @classmethod
    def of(cls, shape: Any) -> "_Plan":
        columns: dict[str, int] = {}
        show = _object(shape, "", columns)
        many = {name: field for name, field in shape.fields.items() if isinstance(field, Many)}
        return cls(list(columns), show, many)


def _object(shape: Any, prefix: str, columns: dict[str, int]) -> _Show:
    parts = [(name, _value(field, prefix, columns)) for name, field in shape.fields.items()]
    return lambda row: {name: show(row) for name, show in parts}


def _value(field: Any, prefix: str, columns: dict[str, int]) -> _Show:
    match field:
        case Derived():
            make, places = field.make, [_place(prefix + each, columns) for each in field.columns]
            if len(places) == 1:
                return lambda row: make(row[places[0]])
            pick = itemgetter(*places)
            return lambda row: make(*pick(row))
        case Many():
            return itemgetter(_place("pk", columns))
        case serializers.Serializer():
            inner = "" if field.source == "*" else f"{field.source}."
            return _object(field, prefix + inner, columns)
    place = _place(prefix + field.source, columns)
    if isinstance(field, _AS_IT_IS):
        return itemgetter(place)
    show = field.to_representation
    return lambda row: None if row[place] is None else show(row[place])


def _place(source: str, columns: dict[str, int]) -> int:
    return columns.setdefault(source.replace(".", "__"), len(columns))

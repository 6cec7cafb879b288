"""Filters of lists, by django-filter. A value that cannot be read is refused, not ignored."""

from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from django_filters import Filter, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.api.fields import MOMENT, MomentFormField, require_single
from core.api.reading import Pages, Reading

M = TypeVar("M", bound=Model)


class MomentFilter(Filter):
    """Filter by a time in ISO 8601; without an offset it is UTC."""

    field_class = MomentFormField


@extend_schema_field(
    {
        **MOMENT,
        "description": (
            "Changed then or later; UTC unless it has an offset. The list is then ordered by"
            " `updated_at`. To follow changes, ask from a minute before the newest `updated_at`"
            " that you have seen: a change bears the time at which it began."
        ),
    }
)
class UpdatedAfterFilter(MomentFilter):
    """Keep rows that changed at this time or later, in the order of their changes."""

    def __init__(self) -> None:
        super().__init__("updated_at", "gte")

    def filter(self, qs: Any, value: Any) -> Any:
        return super().filter(qs, value).order_by("updated_at", "id") if value else qs


def filtered(
    request: Request, reading: Reading[M], filters: type[FilterSet], **values: object
) -> Pages:
    """Return the rows of a reading that pass the query's filters.

    ValidationError for invalid values.
    """
    if not set(filters.base_filters) & set(request.query_params):
        return reading.of(**values)
    return reading.filtered(lambda rows: _filtered(request, rows, filters), **values)


def _filtered(
    request: Request, rows: "QuerySet[M, M]", filters: type[FilterSet]
) -> "QuerySet[M, M]":
    require_single(request, filters.base_filters)
    query = request.query_params
    empty = {
        name: ["This value may not be empty."]
        for name in filters.base_filters
        if query.get(name) == ""
    }
    found: Any = filters(query, queryset=rows, request=cast(Any, request))
    if empty or not found.is_valid():
        raise ValidationError(empty or found.errors)
    filtered: QuerySet[M, M] = found.qs
    return filtered

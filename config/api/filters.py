"""Filters of lists: django-filter, but what cannot be read is refused and not passed over."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django_filters import FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

M = TypeVar("M", bound=Model)


def narrowed(
    request: Request, rows: "QuerySet[M, M]", filters: type[FilterSet]
) -> "QuerySet[M, M]":
    """The rows that the query's filters leave. ValidationError for a value that is none."""
    query = request.query_params
    empty = {
        name: ["This value may not be empty."]
        for name in filters.base_filters
        if query.get(name) == ""
    }
    found: Any = filters(query, queryset=rows, request=request._request)
    if empty or not found.is_valid():
        raise ValidationError(empty or found.errors)
    narrowed: QuerySet[M, M] = found.qs
    return narrowed

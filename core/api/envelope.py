"""The envelopes `{"data": ...}` and `{"data": [...], "pagination": ...}`, and their schemas."""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from drf_spectacular.drainage import get_override
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import QueryIntegerField, query_of
from core.api.reading import Pages
from core.api.schema import example

_Shape = type[serializers.Serializer[Any]]
# The last row that a database can count to.
_LAST = 2**63 - 1


class PageQuery(serializers.Serializer[Any]):
    """The query of a list."""

    page = QueryIntegerField(min_value=1, default=1)
    limit = QueryIntegerField(min_value=1, max_value=100, default=20)


class PaginationSerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    total = serializers.IntegerField(help_text="How many there are on all pages.")
    pages = serializers.IntegerField()


def item(data: object, status: int = 200) -> Response:
    return Response({"data": data}, status=status)


def page(request: Request, pages: Pages) -> Response:
    """Answer with the page that the query asks for. The rows must be in a total order.

    ValidationError for an invalid page number or limit. A page past the end is empty.
    """
    query = query_of(request, PageQuery)
    number, limit = query["page"], query["limit"]
    first = (number - 1) * limit
    found, total = pages(min(first, _LAST), limit)
    return Response(
        {
            "data": found,
            "pagination": {
                # As text of JSON: orjson refuses whole numbers of more than 64 bits.
                "page": orjson.Fragment(str(number)),
                "limit": limit,
                "total": total,
                "pages": -(-total // limit),
            },
        }
    )


def _told(
    shape: _Shape, kind: str, wrap: Callable[[Any], dict[str, Any]], **fields: Any
) -> serializers.Serializer[Any]:
    """Return the schema of an envelope of these fields. Its example wraps the shape's example."""
    name = f"{shape.__name__.removesuffix('Serializer')}{kind}"
    told = inline_serializer(name, fields)
    for shown in get_override(shape, "examples", []):
        example(wrap(shown.value))(type(told))
    return told


@cache
def item_of(shape: _Shape) -> serializers.Serializer[Any]:
    """Return the schema of an answer of `item`."""
    return _told(shape, "Item", lambda value: {"data": value}, data=shape())


@cache
def page_of(shape: _Shape) -> serializers.Serializer[Any]:
    """Return the schema of an answer of `page`."""
    first = {"page": 1, "limit": 20, "total": 1, "pages": 1}
    return _told(
        shape,
        "Page",
        lambda value: {"data": [value], "pagination": first},
        data=shape(many=True),
        pagination=PaginationSerializer(),
    )

"""JSON in and out, and nothing else."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_MAX_DEPTH = 32


def instant(moment: datetime) -> str:
    """`2025-11-28T10:30:00Z`: UTC, whole seconds."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    # A tenth of what strftime takes, and an answer has hundreds of them.
    return f"{moment.isoformat()[:19]}Z"


def precise_instant(moment: datetime) -> str:
    """`2025-11-28T10:30:00.250Z`: UTC, with milliseconds."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def _plain(value: object) -> str:
    match value:
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def dumps(data: object) -> bytes:
    """The bytes of an answer; datetimes as `instant` writes them."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


class OrjsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else dumps(data)


class OrjsonParser(BaseParser):
    """Strict JSON (RFC 8259, so no NaN), UTF-8, an object: ParseError for anything else."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        # Not from the stream: the request keeps these bytes for the idempotency key, and minds
        # DATA_UPLOAD_MAX_MEMORY_SIZE.
        request: Request = (parser_context or {})["request"]
        try:
            value = orjson.loads(request.body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from None
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        _refuse_depth(value, _MAX_DEPTH)
        return value


def _refuse_depth(value: object, left: int) -> None:
    if isinstance(value, dict | list):
        if not left:
            raise ParseError(f"The body is nested more than {_MAX_DEPTH} levels deep.")
        for inner in value.values() if isinstance(value, dict) else value:
            _refuse_depth(inner, left - 1)


class JsonOnly(DefaultContentNegotiation):
    """Takes no notice of Accept: a view has one way to answer."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type

"""Parts of the OpenAPI document that all operations share: scopes, errors and rate limits."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.conf import settings
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import (
    Direction,
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_serializer,
)
from rest_framework import serializers

from core.api.errors import KINDS, is_v3
from core.ops import private_names

_Shape = TypeVar("_Shape", bound=type[serializers.Serializer[Any]])

# HTTP takes spaces from both ends of a header.
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    OpenApiParameter.HEADER,
    description=(
        "Your own name for this request. Sent again with the same key and body within 24 hours, it"
        " is answered again, with `Idempotent-Replayed: true`, and not done again."
    ),
)
_HEADERS = {
    "X-RateLimit-Limit": "Requests allowed in the window.",
    "X-RateLimit-Remaining": "Requests left in the window.",
    "X-RateLimit-Reset": "When the window ends, in seconds since the epoch.",
    "X-RateLimit-Used": "Requests made in the window.",
    "Retry-After": "Seconds to wait.",
}


# A text that is trimmed and may not be blank, and one that may: no database keeps a NUL. Patterns
# are spelled as every dialect reads them: PHP's has no `\u`, so U+FEFF stands there itself.
_NOT_BLANK = r"^[^\x00]*[^\s\x00-\x1f\x7f-\x9f" + "\ufeff" + r"][^\x00]*$"
NO_NUL = r"^[^\x00]*$"
_MOST_ID = 2**63 - 1
# The branch that drf-spectacular adds for a text that may be empty.
_EMPTY_TEXT = {"type": "string", "maxLength": 0}


def example(value: object, summary: str = "") -> Callable[[_Shape], _Shape]:
    """Show this value wherever the OpenAPI document describes a body of the decorated shape."""
    shown = OpenApiExample("example", value, summary=summary, status_codes=["200", "201", "202"])
    return extend_schema_serializer(examples=[shown])


def answer(shape: type[serializers.Serializer[Any]], value: object) -> OpenApiResponse:
    """An answer of this shape that the OpenAPI document shows by this value."""
    return OpenApiResponse(shape, examples=[OpenApiExample("example", value)])


class DerivedExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describe a derived field like the field in its `like`."""

    target_class = "core.api.reading.Derived"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        return private_names.describe_field(auto_schema, self.target.like, direction)


class ErrorDetailSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="A path such as `availability.1.start`.")
    message = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """An error of v1."""

    error = serializers.CharField(help_text="A word for programs, such as `validation_error`.")
    message = serializers.CharField()
    status_code = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
    reason = serializers.CharField(required=False, help_text="Of a conflict, for programs.")
    details = ErrorDetailSerializer(many=True, required=False)


class MeetingErrorSerializer(serializers.Serializer[Any]):
    """An error of v3."""

    error = serializers.IntegerField(help_text="The status.")
    message = serializers.CharField()
    reason = serializers.CharField(required=False, help_text="Of a conflict, for programs.")


class ApiSchema(AutoSchema):
    """Adds its possible errors, in its own format, and its headers to each operation.

    A view names its operation and its successful answers. It names only those errors that do not
    follow from its path, method, body and scope.
    """

    def get_description(self) -> str:  # type: ignore[override]  # AutoSchema's takes no arguments
        scopes = [scope for way in self.get_auth() for names in way.values() for scope in names]
        needs = [f"Needs the scope `{scope}`." for scope in dict.fromkeys(scopes)]
        return "\n\n".join(filter(None, [super().get_description(), *needs]))

    def get_operation(self, *where: Any) -> Any:
        """Describe the operation. An operation without a token states this explicitly."""
        operation: dict[str, Any] | None = super().get_operation(*where)
        if operation is None:
            return None
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                self._describe_key(parameter)
        responses = operation["responses"]
        for status in self._errors(operation):
            responses.setdefault(str(status), self._error(status))
        for code, response in responses.items():
            response["description"] = response["description"] or "Success"
            response["headers"] = self._headers(code) | response.get("headers", {})
            if code == "201" and hasattr(self.view, "links"):
                response["links"] = self._links(*self.view.links)
        operation["responses"] = {code: responses[code] for code in sorted(responses)}
        return {"security": [], **operation}

    def get_summary(self) -> str:
        """Return the operation's id as words: `Create event type`."""
        return str(self.get_operation_id()).replace("_", " ").capitalize()

    def get_filter_backends(self) -> list[Any]:
        """Return the filters of a ViewSet for its list alone."""
        backends = getattr(self.view, "filter_backends", [])
        return list(backends) if getattr(self.view, "action", "") == "list" else []

    def _is_list_view(self, serializer: object = None) -> bool:
        """Return False. An action called `list` names its envelope, which is one object."""
        return False

    def _describe_key(self, parameter: dict[str, Any]) -> None:
        """Say what a part of the path may be that names a row."""
        if parameter["schema"]["type"] == "integer":
            parameter["schema"] |= {"minimum": 1, "maximum": _MOST_ID}
        elif parameter["name"].endswith("key"):
            prefix = getattr(self.view, f"{parameter['name']}_prefix", "[a-z]+")
            uuid = f"{prefix}_[a-z0-9]{{20}}"
            parameter["schema"]["pattern"] = f"^([0-9]{{1,18}}|{uuid})$"
            parameter["description"] = "Its number or its uuid."

    def _errors(self, operation: dict[str, Any]) -> set[int]:
        """Return the error statuses that follow from the kind of operation."""
        statuses = {429, 500}
        if self.get_auth():
            statuses |= {401, 403}
        if "{" in self.path:
            statuses.add(404)
        if self.method == "POST":
            statuses.add(409)
        if "requestBody" in operation:
            statuses |= {400, 415, 422}
        if any(parameter["in"] != "path" for parameter in operation.get("parameters", [])):
            statuses.add(422)
        if is_v3(self.path) and 422 in statuses:
            statuses = statuses - {422} | {400}
        return statuses

    def _links(self, parameter: str, pointer: str, *operations: str) -> dict[str, Any]:
        """Return links to the operations that a client can call next on the new object.

        The parameter is empty for an object that there is once.
        """
        parameters = {parameter: f"$response.body#{pointer}"} if parameter else {}
        return {name: {"operationId": name, "parameters": parameters} for name in operations}

    def _error(self, status: int) -> dict[str, Any]:
        shape = MeetingErrorSerializer if is_v3(self.path) else ErrorSerializer
        schema = self.resolve_serializer(shape(), "response").ref
        content = {
            media_type: {"schema": schema} for media_type in self.map_renderers("media_type")
        }
        return {"content": content, "description": KINDS[status][1]}

    def _headers(self, code: str) -> dict[str, Any]:
        names = [name for name in _HEADERS if name != "Retry-After" or code == "429"]
        return {name: self._header(name) for name in names}

    def _header(self, name: str) -> dict[str, str]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name,
            ResolvedComponent.HEADER,
            {"description": _HEADERS[name], "schema": {"type": "integer"}},
            object=name,
        )
        self.registry.register_on_missing(component)
        return {"$ref": f"#/components/headers/{name}"}


def describe_server(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Name the server that the OpenAPI document describes, and the page of its operator."""
    result["servers"] = [{"url": settings.PUBLIC_URL}]
    result["info"]["contact"] = {"name": result["info"]["title"], "url": settings.PUBLIC_URL}
    return result


def make_plain(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Write schemas as client generators read them; the API takes and answers the same.

    A `default` makes generators require a property. `readOnly` makes them write a shape twice,
    which has no use here: what is sent and what is answered have components of their own.
    """
    schemas = result["components"]["schemas"]
    schemas.pop("NullEnum", None)
    for component in schemas.values():
        for schema in _schemas(component):
            schema.pop("default", None)
            schema.pop("readOnly", None)
            _make_plain(schema)
    for operations in result["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                _make_plain(parameter["schema"])
                _describe_zone(parameter["schema"])
    return result


def _make_plain(schema: dict[str, Any]) -> None:
    if _EMPTY_TEXT in schema.get("oneOf", []):
        [text] = [branch for branch in schema.pop("oneOf") if branch != _EMPTY_TEXT]
        text.pop("default", None)
        schema |= text
    for branch in schema.get("oneOf", []):
        if branch.get("$ref", "").endswith("/NullEnum"):
            branch.clear()
            branch["type"] = "null"
    if list(schema) == ["allOf"] and len(schema["allOf"]) == 1:
        schema |= schema.pop("allOf")[0]
    if "enum" in schema:
        schema.pop("minLength", None)


def describe_texts(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Describe every text in a request body by the rules of `StrictCharField`."""
    for name, component in result["components"]["schemas"].items():
        if name.endswith("Request"):
            for text in filter(_is_text, _schemas(component)):
                _describe_zone(text)
                if not {"format", "pattern", "enum"} & set(text):
                    text["pattern"] = _NOT_BLANK if text.pop("minLength", 0) else NO_NUL
    return result


def _describe_zone(schema: dict[str, Any]) -> None:
    """Leave out the lengths of a zone: its names are a list, which says more."""
    if schema.get("format") == "timezone":
        for bound in ("minLength", "maxLength"):
            schema.pop(bound, None)


def _is_text(schema: dict[str, Any]) -> bool:
    return schema.get("type") in ("string", ["string", "null"])


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the schema and all schemas in it. A schema that is `true` or missing has none."""
    if isinstance(schema, dict):
        yield schema
        inner = [schema.get(key) for key in ("items", "additionalProperties", "propertyNames")]
        for key in ("oneOf", "anyOf", "allOf"):
            inner += schema.get(key, [])
        for each in [*schema.get("properties", {}).values(), *inner]:
            yield from _schemas(each)

"""How the OpenAPI document tells of what all operations share: scopes, errors, rate limits."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from config.api.errors import KINDS, is_v3

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
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


class ErrorDetailSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="A path such as `availability.1.start`.")
    message = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """v1's format of an error."""

    error = serializers.CharField(help_text="A word for programs, such as `validation_error`.")
    message = serializers.CharField()
    status_code = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
    reason = serializers.CharField(required=False, help_text="Of a conflict, for programs.")
    details = ErrorDetailSerializer(many=True, required=False)


class MeetingErrorSerializer(serializers.Serializer[Any]):
    """v3's format of an error."""

    error = serializers.IntegerField(help_text="The status.")
    message = serializers.CharField()


class ApiSchema(AutoSchema):
    """Adds to an operation the errors it can answer with, in its own format, and the headers.

    A view names its operation and its successes, and only those errors that do not follow from its
    path, method, body and scope.
    """

    def get_description(self) -> str:  # type: ignore[override]  # AutoSchema's takes no arguments
        scopes = [scope for way in self.get_auth() for names in way.values() for scope in names]
        needs = [f"Needs the scope `{scope}`." for scope in scopes]
        return "\n\n".join(filter(None, [super().get_description(), *needs]))

    def get_filter_backends(self) -> list[Any]:
        """A view that narrows a list names its filters, though it is none of DRF's generic ones."""
        return list(getattr(self.view, "filter_backends", [])) if self.method == "GET" else []

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        responses = super()._get_response_bodies(direction)
        for code in map(str, self._errors()):
            if code not in responses:
                responses[code] = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    self._error(int(code)), code
                )
        for code, response in responses.items():
            response["description"] = response["description"] or "Success"
            response["headers"] = self._headers(code) | response.get("headers", {})
        return {code: responses[code] for code in sorted(responses)}

    def _errors(self) -> set[int]:
        """The statuses that follow from what this operation is."""
        statuses = {429, 500}
        if self.get_auth():
            statuses |= {401, 403}
        if "{" in self.path:
            statuses.add(404)
        if self.method == "POST":
            statuses.add(409)
        if self._get_request_body():  # type: ignore[no-untyped-call]
            statuses |= {400, 415, 422}
        if any(parameter["in"] != "path" for parameter in self._get_parameters()):
            statuses.add(422)
        if is_v3(self.path) and 422 in statuses:
            statuses = statuses - {422} | {400}
        return statuses

    def _error(self, status: int) -> OpenApiResponse:
        shape = MeetingErrorSerializer if is_v3(self.path) else ErrorSerializer
        return OpenApiResponse(shape(), KINDS[status][1])

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

"""Error bodies of the API. No other module builds them.

v1 has the developer API's format. v3 has the meeting API's `{"error": <status>, "message": ...}`,
and the `reason` of a conflict. A path outside both gets v1's format.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404, HttpResponse, UnreadablePostError
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.settings import api_settings

from core.api.rendering import dumps, instant
from core.errors import Busy, DomainError

# A status's word for programs and, where nobody says it better, its sentence for people.
KINDS = {
    400: ("bad_request", "The request is malformed."),
    401: ("unauthorized", "A valid API token is needed, sent as a bearer token."),
    403: ("forbidden", "You may not do this."),
    404: ("not_found", "There is no such resource."),
    405: ("method_not_allowed", "This resource has no such method."),
    408: ("request_timeout", "The body did not arrive in time."),
    409: ("conflict", "This is not possible as things stand now."),
    411: ("length_required", "Send the body with its Content-Length."),
    413: ("content_too_large", "The body is too large."),
    415: ("unsupported_media_type", "The body must be application/json."),
    422: ("validation_error", "The request is invalid"),
    429: ("rate_limit_exceeded", "Too many requests. Try again later."),
    500: ("server_error", "Something went wrong on our side."),
    503: ("unavailable", "This is not possible for the moment. Try again later."),
}
_DOMAIN = {
    "unauthorized": 401,
    "not_found": 404,
    "forbidden": 403,
    "conflict": 409,
    "rate_limit_exceeded": 429,
}
_DJANGO = {
    Http404: 404,
    PermissionDenied: 403,
    SuspiciousOperation: 400,
    UnreadablePostError: 400,
}


class Detail(TypedDict):
    """A problem with one field. `field` is a path such as `availability.1.start`, or empty."""

    field: str
    message: str


def is_v3(path: str) -> bool:
    return path.startswith("/api/v3/")


def answer(
    path: str, status: int, message: str = "", *, code: str = "", **more: object
) -> HttpResponse:
    """Return an error answer in the format of this path.

    v1's body carries `more`, v3's only a `reason` of it.
    """
    word, sentence = KINDS.get(status) or KINDS[500 if status >= 500 else 400]
    body: dict[str, object]
    if is_v3(path):
        status = 400 if status == 422 else status
        body = {"error": status, "message": message or sentence}
        if "reason" in more:
            body["reason"] = more["reason"]
    else:
        body = {
            "error": code or word,
            "message": message or sentence,
            "status_code": status,
            "timestamp": instant(timezone.now()),
            **more,
        }
    response = HttpResponse(dumps(body), status=status, content_type="application/json")
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _unauthorized(request: Request) -> HttpResponse:
    """Answer 401. A token that was sent is called invalid (RFC 6750, 3.1); a missing one is not."""
    response = answer(request.path_info, 401)
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        response["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _invalid(path: str, details: list[Detail], message: str) -> HttpResponse:
    """Answer with `details` in v1. v3 has only the one message."""
    return answer(path, 422, message if is_v3(path) else "", details=details)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Return the answer to an exception of a view.

    None for a crash, which Django logs as a crash.
    """
    request: Request = context["request"]
    path = request.path_info
    match error:
        case DomainError():
            return _domain(path, error)
        case exceptions.APIException():
            return _rest_framework(request, error)
        case ValidationError():
            fields = error.message_dict if hasattr(error, "error_dict") else error.messages
            return _invalid_fields(path, fields)
        case RequestDataTooBig():
            return answer(path, 413)
    status = next((code for kind, code in _DJANGO.items() if isinstance(error, kind)), None)
    return answer(path, status) if status else None


def _domain(path: str, error: DomainError) -> HttpResponse:
    if error.code == "validation_error":
        return _invalid(path, [Detail(field=error.field, message=error.message)], error.message)
    reason = {"reason": error.reason} if error.reason else {}
    response = answer(path, _DOMAIN[error.code], error.message, **reason)
    if isinstance(error, Busy):
        response["Retry-After"] = str(error.retry_after)
    return response


def _rest_framework(request: Request, error: exceptions.APIException) -> HttpResponse:
    path = request.path_info
    match error:
        case exceptions.ValidationError():
            return _invalid_fields(path, error.detail)
        case exceptions.PermissionDenied() if error.get_codes() != error.default_code:
            return answer(path, 403, str(error.detail), code=str(error.get_codes()))
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return _unauthorized(request)
        case exceptions.PermissionDenied() | exceptions.NotFound():
            return answer(path, error.status_code)
    return answer(path, error.status_code, str(error.detail))


def _invalid_fields(path: str, detail: object) -> HttpResponse:
    details = list(_flat(detail, ""))
    first = details[0]
    message = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return _invalid(path, details, message)


def _flat(detail: object, field: str) -> Iterator[Detail]:
    match detail:
        case dict():
            for name, inner in detail.items():
                whole = name == api_settings.NON_FIELD_ERRORS_KEY
                yield from _flat(inner, field if whole else f"{field}.{name}".lstrip("."))
        case list():
            for position, inner in enumerate(detail):
                nested = isinstance(inner, dict | list)
                yield from _flat(inner, f"{field}.{position}".lstrip(".") if nested else field)
        case exceptions.ErrorDetail(code="required"):
            yield Detail(field=field, message=_missing(field))
        case _:
            yield Detail(field=field, message=str(detail))


def _missing(field: str) -> str:
    """Return `Start time is required` for `start_time`, as in the developer API's document."""
    label = field.rpartition(".")[2].replace("_", " ").capitalize()
    return f"{label} is required"

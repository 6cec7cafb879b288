"""Middleware that gives every request a number, a line in the log and a place in the metrics."""

import re
import uuid
from collections.abc import Callable
from time import monotonic

import structlog
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.log import log_response
from structlog.contextvars import bound_contextvars

from core.ops import health, metrics
from core.web import clients

_STATIC = "static"
# What machines and browsers ask for again and again, of which the log says nothing.
_NOISE = {*health.PROBES.values(), _STATIC}
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")

log = structlog.get_logger(__name__)


class RequestMiddleware:
    """The outermost middleware. All log lines of a request carry the request's number."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.headers.get("X-Request-Id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())
        with bound_contextvars(request_id=request_id), clients.answering(request):
            began = monotonic()
            response = self._get_response(request)
            _note(request, response, monotonic() - began)
        response["X-Request-Id"] = request_id
        return response


def _note(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    method, route = request.method or "", route_of(request, response)
    metrics.count(method=method, route=route, status=response.status_code, seconds=seconds)
    if response.status_code >= 500 and isinstance(response, HttpResponse):
        # Once: Django would say so further out, where nobody knows the request's number.
        log_response(
            "%s: %s", response.reason_phrase, request.path, response=response, request=request
        )
    say = log.debug if route in _NOISE else log.info
    say(
        "request",
        method=method,
        route=route,
        status=response.status_code,
        milliseconds=round(seconds * 1000),
    )


def route_of(request: HttpRequest, response: HttpResponseBase) -> str:
    """Return the pattern of the URL. The URL itself can be a signed link, which is a secret."""
    if request.resolver_match is not None:
        return str(request.resolver_match.route) or "/"
    if isinstance(response, FileResponse):  # WhiteNoise's, which resolves nothing
        return _STATIC
    return health.PROBES.get(request.path_info, "unknown")

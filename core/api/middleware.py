"""Middleware for every path below /api/, also when the code inside it fails."""

from collections.abc import Callable
from typing import Any, Protocol

from django.conf import settings
from django.core.handlers.exception import (
    convert_exception_to_response,
    response_for_exception,
)
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import resolve
from django.utils import translation
from django.utils.module_loading import import_string

from core.api import cors, errors, throttling
from core.web import clients

_EXPOSED = (
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Used, Retry-After,"
    " X-Request-Id, Idempotent-Replayed"
)
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-Request-Id"
# For answers that are not pages: a browser that shows one as a page runs nothing with it.
_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Token(Protocol):
    """The part of a token that this module needs."""

    user_id: int


def _answer_by_view(request: HttpRequest) -> HttpResponseBase:
    """Answer by the view that the path leads to."""
    match = request.resolver_match = resolve(request.path_info)
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _views() -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the way to the views, behind `settings.API_MIDDLEWARE` alone.

    No hook of a middleware beside its call is used: none of these has one.
    """
    answer: Any = convert_exception_to_response(_answer_by_view)
    for name in reversed(settings.API_MIDDLEWARE):
        answer = convert_exception_to_response(import_string(name)(answer))
    views: Callable[[HttpRequest], HttpResponseBase] = answer
    return views


class ApiMiddleware:
    """Rate limits, CORS and errors in the API's own format, in English.

    It stands outside everything that may crash. It asks `settings.API_AUTHENTICATOR` itself,
    because a path without a view is counted too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._authenticate: Callable[[HttpRequest], Token | None] = import_string(
            settings.API_AUTHENTICATOR
        )
        self._limiter = throttling.from_settings()
        self._views = _views()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info != "/api" and not request.path_info.startswith("/api/"):
            return self._get_response(request)
        _even_out(request)
        # Not counted: browsers of one office share an address, and send no token with this.
        if cors.is_preflight(request):
            response: HttpResponseBase = _allow(request)
        else:
            response = self._answer(request)
        admit_browsers(response)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        crash = token = None
        try:
            token = self._authenticate(request)
        except Exception as error:
            crash = response_for_exception(request, error)
        if token:
            request.META[clients.ACCOUNT] = token.user_id
        caller = (
            f"account:{token.user_id}"
            if token
            else f"{throttling.ADDRESS}{clients.network(request)}"
        )
        verdict = self._limiter.take(caller)
        if verdict.refused:
            response: HttpResponseBase = errors.answer(request.path_info, 429)
            response["Retry-After"] = str(verdict.retry_after)
        elif crash:
            response = _in_format(request, crash)
        elif request.method == "OPTIONS":
            response = _allow(request)
        else:
            with translation.override("en"):  # its messages are part of its documents
                response = _in_format(request, self._views(request))
        response["X-RateLimit-Limit"] = str(verdict.limit)
        response["X-RateLimit-Remaining"] = str(verdict.remaining)
        response["X-RateLimit-Reset"] = str(verdict.reset)
        response["X-RateLimit-Used"] = str(verdict.used)
        return response


def _allow(request: HttpRequest) -> HttpResponse:
    return cors.allow(request, methods=_METHODS, headers=_HEADERS)


def admit_browsers(response: HttpResponseBase) -> None:
    """Let scripts of any origin read an answer of the API, but let no site show it as a page."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Expose-Headers"] = _EXPOSED
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Security-Policy", _POLICY)


def _even_out(request: HttpRequest) -> None:
    """Strip one trailing slash. Only /api itself gets one, because the API's page is below it."""
    if request.path_info == "/api":
        request.path_info += "/"
        request.path += "/"
    elif request.path_info.endswith("/") and request.path_info != "/api/":
        request.path_info = request.path_info[:-1]
        request.path = request.path[:-1]


def _in_format(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the response. An error page of Django's gets a body in the API's error format."""
    ours = response.headers.get("Content-Type") == "application/json"
    if response.status_code >= 400 and not ours and isinstance(response, HttpResponse):
        response.content = errors.answer(request.path_info, response.status_code).content
        response["Content-Type"] = "application/json"
        response["Content-Length"] = str(len(response.content))
    return response

"""What browsers are told of every answer, whoever makes it, beyond what Django tells them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# No page of ours uses any of these, so no script that got into one may.
_UNUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
_HEADERS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
    # Other sites embed nothing of ours. Who calls the API across origins is let in by CORS.
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class PrivateMiddleware:
    """Have no browser keep a page for somebody who is signed in: the next one to press Back there
    would read it, signed out or not.

    It stands inside of what answers static files and the API. The pages on which anybody books are
    anybody's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        # Whose session it is, is not asked: that takes a query, and the database may be away.
        cookie = settings.SESSION_COOKIE_NAME
        if not _is_public(request, response) and (
            cookie in request.COOKIES or cookie in response.cookies
        ):
            response.headers["Cache-Control"] = "no-store"
        return response


def _is_public(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Tell whether it is a public page that was found: one that says "not found" shows who asks."""
    found = request.resolver_match
    return response.status_code < 400 and found is not None and found.namespace == "public"


class BrowserMiddleware:
    """Outside of whatever may answer, the API's refusals included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

"""Security headers of every answer, beyond those that Django sets."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# No page uses any of these features, so a script that got into a page may not use them.
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
    # Other sites embed nothing from this one. CORS lets callers of the API in across origins.
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class PrivateMiddleware:
    """Stop browsers from keeping pages of a person who is signed in.

    Otherwise the next user of the browser could press Back and read them, even after a sign-out. It
    stands inside the middleware that answers static files and the API. Public booking pages may be
    kept.
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
    """Tell whether this is a public page that was found.

    A "not found" page shows who is signed in.
    """
    found = request.resolver_match
    return response.status_code < 400 and found is not None and found.namespace == "public"


class BrowserMiddleware:
    """Set these headers on every answer, the API's refusals included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

"""Answers to requests that Django's views never see, in the format of the API's errors."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core.api import errors
from core.api.middleware import admit_browsers
from core.ops import private_names

_RETRY_SECONDS = 5


class Refusal(Exception):
    """A request that is answered with `status` and goes no further."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(status)
        self.status, self.message = status, message


def answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    response = errors.answer(request.path_info, refusal.status, refusal.message)
    if request.path_info.startswith("/api/"):
        admit_browsers(response)
    response.headers.setdefault("Cache-Control", "no-store")
    response["Content-Length"] = str(len(response.content))
    if refusal.status == 503:
        response["Retry-After"] = str(_RETRY_SECONDS)
    # The client or the load is the cause. Django would log this answer as a server error.
    private_names.mark_as_logged(response)
    return response


class BodyMiddleware:
    """Refuse bodies that no view can read: compressed ones, and ones without a length.

    Django reads only as many bytes as Content-Length says, so a chunked body would count as empty.
    Our server reads chunked bodies and sets their length; another WSGI server may not.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal = _refusal(request)
        return answer(request, refusal) if refusal else self._get_response(request)


def _refusal(request: HttpRequest) -> Refusal | None:
    transfer, content = (
        request.META.get(name, "").strip().lower()
        for name in ("HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")
    )
    if transfer == "chunked":
        return Refusal(411)
    has_body = request.META.get("CONTENT_LENGTH") not in ("", "0", None)
    if transfer or (has_body and content not in ("", "identity")):
        return Refusal(415, "The body must not be compressed.")
    return None

"""WSGI handler between the server and Django's middleware."""

from contextlib import suppress

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """A request whose body is always read as UTF-8.

    Neither pages nor the API accept other charsets. Django accepts any charset name for which
    Python has a codec. Some of those do not yield text, which would crash before any middleware
    could answer. A content type that cannot be parsed would crash in the same way.
    """

    def _set_content_type_params(self, meta: dict[str, str]) -> None:
        self.content_type, self.content_params = "", {}
        with suppress(ValueError):
            self.content_type, self.content_params = parse_header_parameters(
                meta.get("CONTENT_TYPE", "")
            )


class Handler(WSGIHandler):
    request_class = Utf8Request

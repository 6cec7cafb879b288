"""What stands between the server and Django's middleware."""

from contextlib import suppress

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Whatever charset a body claims, it is read as UTF-8: neither pages nor the API know another.

    Django believes any name that Python has a codec of, and some of those yield no text: a crash
    before any middleware could answer it. So does a content type that cannot be taken apart.
    """

    def _set_content_type_params(self, meta: dict[str, str]) -> None:
        self.content_type, self.content_params = "", {}
        with suppress(ValueError):
            self.content_type, self.content_params = parse_header_parameters(
                meta.get("CONTENT_TYPE", "")
            )


class Handler(WSGIHandler):
    request_class = Utf8Request

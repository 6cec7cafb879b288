"""Answers to the question that a browser asks before a script calls from another origin.

The Fetch standard calls it a preflight: OPTIONS that names the method and the headers to come.
"""

import re

from django.http import HttpRequest, HttpResponse

_DAY = "86400"
# Names of headers with commas between them (RFC 9110, 5.6.1 and 5.6.2), and no more than a browser
# would ever send.
_NAMES = re.compile(r"[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*", re.ASCII)
_LONGEST = 1024


def is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def allow(request: HttpRequest, *, methods: str, headers: str) -> HttpResponse:
    """Answer OPTIONS: these methods, and the headers that are asked for, by default `headers`.

    Tools that watch a page add headers of their own (`traceparent`, `sentry-trace`), which must not
    keep its calls from us. Cookies are not allowed, so no header of a browser lets anybody in.
    """
    asked = request.headers.get("Access-Control-Request-Headers", "").strip()
    if asked and len(asked) <= _LONGEST and _NAMES.fullmatch(asked):
        headers = asked
    response = HttpResponse(status=204)
    del response["Content-Type"]
    response["Access-Control-Allow-Methods"] = methods
    response["Access-Control-Allow-Headers"] = headers
    response["Access-Control-Max-Age"] = _DAY
    response["Vary"] = "Access-Control-Request-Headers"
    return response

"""Process that crashes near secrets, to test reports: `python -m tests.core.crashing LINK`."""

import io
import sys
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

HEADER = "value-of-a-header-0815"
LOCAL = "value-of-a-local-4711"
PARAMETER = "value-of-a-parameter-2342"
PASSWORD = "hunter2-of-the-form"
CODE = "Zk3fJ9sLq0aXv7Yb2Nc8Rt5Wd1Gh6M"
QUERY = "value-of-the-query-1234"
UNKNOWN = "value-of-an-unknown-path-99"
HOOK = "value-of-a-webhooks-path-77"


def crash(request: HttpRequest, token: str) -> HttpResponse:
    kept = LOCAL
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [PARAMETER])
    assert kept
    raise ValueError(
        f"no {token} for bob@example.com at 192.0.2.7 by https://hooks.example/{HOOK}?code={CODE}"
    )


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=404)


urlpatterns = [path("crash/<str:token>", crash)]
handler404 = missing


def ask(application: Any, address: str) -> None:
    body = f"password={PASSWORD}".encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": address,
        "QUERY_STRING": f"q={QUERY}&code={CODE}",
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": f"sessionid={HEADER}",
        "HTTP_AUTHORIZATION": f"Bearer {HEADER}",
        "HTTP_X_REQUEST_ID": "request-1",
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    answered: list[str] = []
    b"".join(application(environ, lambda status, _headers: answered.append(status)))
    print(*answered)


if __name__ == "__main__":
    import django
    from django.conf import settings

    django.setup(set_prefix=False)
    settings.EMBEDDED_WORKER = False
    settings.ROOT_URLCONF = "tests.core.crashing"
    # What asks for sessions would ask a database that has no tables.
    del settings.MIDDLEWARE[settings.MIDDLEWARE.index("core.api.middleware.ApiMiddleware") + 1 :]
    from config import wsgi

    ask(wsgi.application, f"/crash/{sys.argv[1]}")
    ask(wsgi.application, f"/{UNKNOWN}")
    if settings.SENTRY_DSN:
        import sentry_sdk

        sentry_sdk.flush(5)
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from opentelemetry import trace

        trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]
    print("imported:", *({"sentry_sdk", "opentelemetry.instrumentation"} & sys.modules.keys()))

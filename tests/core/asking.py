"""Process that is traced while it answers API requests: `python -m tests.core.asking`."""

from typing import Any
from wsgiref.util import setup_testing_defaults

# None of them asks a database.
REQUESTS: list[dict[str, str]] = [
    {"PATH_INFO": "/api/v1/users/me"},
    {"PATH_INFO": "/api/v1/events/evt_00000000000000000000/", "REQUEST_METHOD": "PATCH"},
    {"PATH_INFO": "/api/v1/secret-path"},
    {"PATH_INFO": "/api/v1/users/me", "HTTP_HOST": "wrong.example"},
    {
        "PATH_INFO": "/api/v1/events",
        "REQUEST_METHOD": "OPTIONS",
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST",
    },
    {"PATH_INFO": "/api/v1/events", "REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked"},
    {"PATH_INFO": "/api/v1/users/me"},  # one too many
    {"PATH_INFO": "/healthz"},
]


def ask(application: Any, request: dict[str, str]) -> None:
    environ: dict[str, Any] = {"HTTP_HOST": "localhost", "REMOTE_ADDR": "192.0.2.7", **request}
    setup_testing_defaults(environ)
    answered: list[str] = []
    b"".join(application(environ, lambda status, _headers: answered.append(status[:3])))
    print(*answered)


if __name__ == "__main__":
    import django
    from django.conf import settings

    django.setup(set_prefix=False)
    settings.EMBEDDED_WORKER = False
    # Nobody has collected static files for Django's own page of a wrong host.
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    from opentelemetry import trace

    from config import wsgi

    for each in REQUESTS:
        ask(wsgi.application, each)
    trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]

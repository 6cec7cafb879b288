"""The WSGI environ of an RSGI request."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from granian.rsgi import Scope

_OF_EVERY_REQUEST: dict[str, Any] = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
_WITHOUT_PREFIX = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ_of(scope: "Scope") -> dict[str, Any]:
    """Return what granian's own WSGI interface would, without `wsgi.input`.

    Two differences. The environment of the process, secrets included, stays out of it. A header
    whose name has an underscore is dropped: `X_Forwarded_For` would pass for `X-Forwarded-For`,
    which a proxy vouches for.
    """
    server, port = _address(scope.server)
    environ = {
        **_OF_EVERY_REQUEST,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "REMOTE_ADDR": _address(scope.client)[0],
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": _latin1(scope.path),
        "QUERY_STRING": _latin1(scope.query_string),
        "wsgi.url_scheme": scope.scheme,
    }
    _add_headers(environ, scope)
    environ.setdefault("HTTP_HOST", scope.authority or "")
    return environ


def _add_headers(environ: dict[str, Any], scope: "Scope") -> None:
    seen: dict[str, str] = {}
    for name, value in scope.headers.items():
        if name not in seen:
            seen[name] = value
        elif name not in _WITHOUT_PREFIX:  # of those the first one counts
            seen[name] += f"{';' if name == 'cookie' else ','}{value}"
    for name in scope.headers.keys():  # noqa: SIM118  the headers of granian are no mapping
        if "_" not in name:
            key = _WITHOUT_PREFIX.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
            # A value that is not ASCII is in the names alone.
            environ[key] = seen.get(name, "")


def _address(text: str) -> tuple[str, str]:
    """Split `127.0.0.1:8000` or `[::1]:8000`."""
    host, _colon, port = text.rpartition(":")
    return host.strip("[]"), port


def _latin1(text: str) -> str:
    """Write bytes as WSGI does (PEP 3333): one character each."""
    return text if text.isascii() else text.encode().decode("latin-1")

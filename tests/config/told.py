"""Application that answers with its WSGI environ, served by granian's WSGI and by Parley's."""

import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import django

django.setup(set_prefix=False)

from config.serving.application import Application  # noqa: E402  Django first

LARGE = 3_000_000
_NOT_TOLD = ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper")


class _Large:
    """Answer in pieces. It notes whether the thread that made it also closed it."""

    closed_by_its_thread: bool | None = None

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(LARGE // 10_000):
            yield b"x" * 10_000

    def close(self) -> None:
        _Large.closed_by_its_thread = self._thread == threading.get_ident()


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    if environ["PATH_INFO"] == "/large":
        return _Large()
    if environ["PATH_INFO"] == "/closed":
        return [json.dumps(_Large.closed_by_its_thread).encode()]
    told = {name: value for name, value in environ.items() if name not in _NOT_TOLD}
    told["body"] = environ["wsgi.input"].read().decode()
    return [json.dumps(told).encode()]


rsgi = Application(wsgi, threads=2, seconds=15, largest_body=100_000, idle_seconds=60)

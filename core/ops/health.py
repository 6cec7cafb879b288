"""Probes: /healthz tells whether this process lives, /readyz whether it can do its work.

Machines ask both every few seconds, without our host name or HTTPS. The probes must answer while
everything else hangs. So they stand outside all other middleware. Each check asks the database or
the broker in a thread of its own, one thread at a time. No request waits for a check longer than
`_PATIENCE`.
"""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from datetime import timedelta
from time import monotonic

import psycopg
import structlog
from django.conf import settings
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from core.db import keys
from core.db.crypto import DecryptionError
from core.ops import circuit, metrics, private_names

PROBES = {"/healthz": "healthz", "/readyz": "readyz", "/metrics": "metrics"}
_OK, _UNAVAILABLE, _BEHIND = "ok", "unavailable", "behind"
# How many seconds a probe waits for its checks.
_PATIENCE = 1.5
# An answer stays valid for so many seconds, so frequent probes cost no more than one a second.
_FRESH = 1.0
_REDIS_SECONDS = 0.25

log = structlog.get_logger(__name__)


class ProbesMiddleware:
    """Middleware that answers /healthz, /readyz and, with the right token, /metrics."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.path_info in PROBES
        return probe(request) if asked else self._get_response(request)


def probe(request: HttpRequest) -> HttpResponse:
    """Return the answer to a request for one of `PROBES`."""
    response = _answer(request)
    # The failed check is in the log already. Django would log this answer as a server error.
    private_names.mark_as_logged(response)
    response["Cache-Control"] = "no-store"
    response["Content-Length"] = str(len(response.content))
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    match request.path_info:
        case "/healthz":
            return _said({})
        case "/readyz":
            return _said(readiness())
    return metrics.answer(request)


def _said(checks: Mapping[str, str]) -> HttpResponse:
    well = all(word == _OK for word in checks.values())
    return JsonResponse(
        {"status": _OK if well else _UNAVAILABLE, "checks": checks}, status=200 if well else 503
    )


def readiness() -> dict[str, str]:
    """Return each check's word: `ok`, `unavailable` or, for sweeps, `behind`.

    Waits `_PATIENCE` at most.
    """
    checks: list[_Check] = [_DATABASE, *([_BROKER] if settings.REDIS_URL else [])]
    answers = [check.begin() for check in checks]
    wait(answers, timeout=_PATIENCE)
    words: dict[str, str] = {}
    for check, answer in zip(checks, answers, strict=True):
        words |= answer.result() if answer.done() else check.give_up()
    return words


class _Check:
    """A check that one thread runs at a time, however many requests wait for its result."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._answer: Future[dict[str, str]] = Future()
        self._answer.set_result({})
        self._until = 0.0

    def begin(self) -> "Future[dict[str, str]]":
        """Return the result that is on its way, or the one of a moment ago."""
        with self._lock:
            if self._answer.done() and monotonic() >= self._until:
                self._answer, self._until = Future(), monotonic() + _FRESH
                threading.Thread(
                    target=self._run, args=[self._answer], name="readiness", daemon=True
                ).start()
            return self._answer

    def _run(self, answer: "Future[dict[str, str]]") -> None:
        try:
            answer.set_result(self.ask())
        except Exception as error:
            self._complain(type(error).__name__)
            answer.set_result({self._name: _UNAVAILABLE})

    def ask(self) -> dict[str, str]:
        raise NotImplementedError

    def give_up(self) -> dict[str, str]:
        """Return the result of a check that did not answer in time."""
        self._complain("no answer in time")
        return {self._name: _UNAVAILABLE}

    def _complain(self, error: str) -> None:
        log.warning("not_ready", check=self._name, error=error)


class _Database(_Check):
    """Check of the database, its migrations, keys and sweeps, over a connection of its own."""

    _is_migrated = False
    _wrapper: BaseDatabaseWrapper | None = None

    def ask(self) -> dict[str, str]:
        try:
            self._wrapper = connections["default"]  # this thread's own
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            if not self._is_migrated:  # and once they are, they stay so
                executor = MigrationExecutor(connection)
                self._is_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
            if not self._is_migrated:
                return {"database": _OK, "migrations": _UNAVAILABLE}
            return {"database": _OK, "migrations": _OK, **_keys(), **_sweeps()}
        finally:
            with self._lock:
                self._wrapper = None
                connections.close_all()

    def give_up(self) -> dict[str, str]:
        """Cut the connection as well.

        Otherwise the thread would wait for as long as the database.
        """
        with self._lock, suppress(psycopg.Error, OSError):  # it came to an end by itself
            if self._wrapper and isinstance(self._wrapper.connection, psycopg.Connection):
                with socket.socket(fileno=os.dup(self._wrapper.connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)
        return super().give_up()


class _Broker(_Check):
    def ask(self) -> dict[str, str]:
        with circuit.client(settings.REDIS_URL, seconds=_REDIS_SECONDS) as redis:
            redis.ping()
        return {"broker": _OK}


def _keys() -> dict[str, str]:
    """Check the keys anew each time.

    Another process may have rotated to a key that this one lacks.
    """
    try:
        are_right = keys.open_canary()
    except DecryptionError:
        are_right = False
    if not are_right:
        log.warning("not_ready", check="keys")
    return {"keys": _OK if are_right else _UNAVAILABLE}


# The progress of these depends on other people's endpoints and mail servers. The metric shows it.
_UP_TO_OTHERS = {"deliveries", "notifications"}


def _sweeps() -> dict[str, str]:
    most = timedelta(seconds=settings.READY_SWEEP_SECONDS)
    if not most:
        return {}
    waits = metrics.behind(timezone.now())
    late = [name for name in waits if waits[name] > most and name not in _UP_TO_OTHERS]
    if late:
        log.warning("not_ready", check="sweeps", sweeps=late)
    return {"sweeps": _BEHIND if late else _OK}


_DATABASE, _BROKER = _Database("database"), _Broker("broker")

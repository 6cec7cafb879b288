"""Probes: a process that lives (/healthz), one that can do its work (/readyz), and /metrics.

Machines that know neither our name nor HTTPS ask every few seconds, and need an answer while all
else hangs. So probes stand outside of all other middleware. Each check runs in a thread of its own,
one at a time, and is waited for no longer than `_PATIENCE`.
"""

import os
import socket
import threading
from collections.abc import Callable
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
# Seconds that a probe waits for the checks.
_PATIENCE = 1.5
# Seconds for which an answer counts: probing often costs no more than probing every second.
_FRESH = 1.0
# Seconds that the queries of the check have, at least, after it has connected.
_QUERY_SECONDS = 1.0
_REDIS_SECONDS = 0.25

log = structlog.get_logger(__name__)


class ProbesMiddleware:
    """Answer the probes; /metrics only to those who may read it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.path_info in PROBES
        return probe(request) if asked else self._get_response(request)


def probe(request: HttpRequest) -> HttpResponse:
    """Return the answer to a request for one of `PROBES`."""
    if request.method not in ("GET", "HEAD"):
        response: HttpResponse = HttpResponseNotAllowed(["GET", "HEAD"])
    elif request.path_info == "/metrics":
        response = metrics.answer(request)
    else:
        checks = readiness() if request.path_info == "/readyz" else {}
        is_well = set(checks.values()) <= {_OK}
        status = _OK if is_well else _UNAVAILABLE
        response = JsonResponse(
            {"status": status, "checks": checks}, status=200 if is_well else 503
        )
    # The log already says what is not well, and why.
    private_names.mark_as_logged(response)
    response["Cache-Control"] = "no-store"
    response["Content-Length"] = str(len(response.content))
    return response


def readiness() -> dict[str, str]:
    """Return a word for each check: `ok`, `unavailable`, or `behind` for sweeps.

    It takes `_PATIENCE` at most.
    """
    checks: list[_Check] = [_DATABASE, *([_BROKER] if settings.REDIS_URL else [])]
    answers = [check.begin() for check in checks]
    wait(answers, timeout=_PATIENCE)
    words: dict[str, str] = {}
    for check, answer in zip(checks, answers, strict=True):
        words |= answer.result() if answer.done() else check.give_up()
    return words


class _Check:
    """A question to the database or the broker, asked by one thread at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._answer: Future[dict[str, str]] = Future()
        self._answer.set_result({})
        self._until = 0.0

    def begin(self) -> "Future[dict[str, str]]":
        """Return the answer that is on its way, or was given a moment ago."""
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
            answer.set_result(self._unavailable(circuit.reason_of(error)))

    def ask(self) -> dict[str, str]:
        raise NotImplementedError

    def give_up(self) -> dict[str, str]:
        """Return the words for an answer that did not come in time."""
        return self._unavailable("no answer in time")

    def _unavailable(self, error: str) -> dict[str, str]:
        log.warning("not_ready", check=self._name, error=error)
        return {self._name: _UNAVAILABLE}


class _Database(_Check):
    """The database, its migrations, keys and sweeps, over a kept connection, as requests have one.

    A new connection for each question would try a dead host first, again and again.
    """

    _is_migrated = False
    _kept: BaseDatabaseWrapper | None = None

    def ask(self) -> dict[str, str]:
        if self._kept:
            connections["default"] = self._kept
        kept = self._kept = connections["default"]
        with self._lock:  # else `give_up` could cut what has taken the socket's number
            kept.close_if_unusable_or_obsolete()  # as every request begins and ends
        try:
            return self._ask()
        except Exception:
            with self._lock:
                kept.close()
            raise
        finally:
            with self._lock:
                kept.close_if_unusable_or_obsolete()
                if kept.connection is None:
                    self._kept = None
                elif not kept.allow_thread_sharing:
                    kept.inc_thread_sharing()  # the next question has another thread

    def _ask(self) -> dict[str, str]:
        if _takes_no_writes():
            raise ReadOnlyDatabase
        if not self._is_migrated:  # and once they are, they stay so
            executor = MigrationExecutor(connection)
            self._is_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not self._is_migrated:
            return {"database": _OK, "migrations": _UNAVAILABLE}
        return {"database": _OK, "migrations": _OK, **_keys(), **_sweeps()}

    def give_up(self) -> dict[str, str]:
        """Cut the connection as well.

        Otherwise the thread would wait for as long as the database. A thread that still connects,
        or has just done so, is left alone: its connection serves the next question.
        """
        with self._lock, suppress(psycopg.Error, OSError):  # it came to an end by itself
            kept = self._kept
            session = kept.connection if kept else None
            if isinstance(session, psycopg.Connection):
                seconds = monotonic() - getattr(kept, "connected_at", 0.0)
                if seconds >= _QUERY_SECONDS:
                    with socket.socket(fileno=os.dup(session.fileno())) as wire:
                        wire.shutdown(socket.SHUT_RDWR)
        return super().give_up()


class ReadOnlyDatabase(Exception):
    """The server of the connection is a standby. A new connection may find the primary."""


def _takes_no_writes() -> bool:
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT 1")
            return False
        cursor.execute("SHOW transaction_read_only")
        [answer] = cursor.fetchone()
    return str(answer) == "on"


class _Broker(_Check):
    def ask(self) -> dict[str, str]:
        with circuit.client(settings.REDIS_URL, seconds=_REDIS_SECONDS) as redis:
            redis.ping()
        return {"broker": _OK}


def _keys() -> dict[str, str]:
    """Try the keys anew each time: another process may have rotated to a key unknown here."""
    try:
        are_right = keys.open_canary()
    except DecryptionError:
        are_right = False
    if not are_right:
        log.warning("not_ready", check="keys")
    return {"keys": _OK if are_right else _UNAVAILABLE}


# Endpoints, mail servers and calendar servers of others decide how far these are: a metric reports
# it.
_UP_TO_OTHERS = {"deliveries", "notifications", "calendars"}


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

"""Parley's WSGI application behind granian's RSGI interface.

The event loop waits for what strangers send, and threads of a small pool do the work. So as many
clients may be slow as there are connections, and none of them holds a thread.
"""

import asyncio
import resource
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, cast
from wsgiref.types import StartResponse

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from config.serving import refusals
from config.serving.answers import Answers, FileWrapper
from config.serving.bodies import Bodies, discard
from config.serving.environ import environ_of
from config.serving.interface import Headers, HTTPProtocol
from config.serving.refusals import Refusal
from config.serving.stopping import Stop
from core.ops import health
from core.ops.request_log import RequestMiddleware
from core.web.handler import Utf8Request
from core.web.headers import BrowserMiddleware

if TYPE_CHECKING:
    from granian.rsgi import Scope

# Requests that wait for a thread or have one. There are as many connections, but a client can leave
# requests behind.
_MOST_IN_HAND = 1_024
# One for each of as many connections, and some for databases, Redis and files.
_DESCRIPTORS = 4_096
_SWEEP_SECONDS = 5.0


class WsgiApplication(Protocol):
    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse, /
    ) -> Iterable[bytes]: ...


class Application:
    """The RSGI application. A client may take `seconds` to send or to take something.

    With `idle_seconds` it stops so that a proxy loses nothing (`config/serving/stopping.py`).
    """

    def __init__(
        self,
        wsgi: WsgiApplication,
        *,
        threads: int,
        seconds: float,
        largest_body: int,
        idle_seconds: float | None,
    ) -> None:
        self._wsgi = wsgi
        self._threads, self._in_hand = threads, 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._bodies = Bodies(largest=largest_body, seconds=seconds)
        self._stop = Stop(idle_seconds) if idle_seconds else None
        self._answers = Answers(seconds, self._stop)
        self._sweep_seconds = min(_SWEEP_SECONDS, seconds)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        _raise_descriptors()
        if self._stop:
            self._stop.await_signal(loop)
        self._sweep(loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(self._sweep_seconds, self._sweep, loop)
        self._answers.close_slow()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pool.shutdown(cancel_futures=True)

    async def __rsgi__(self, scope: "Scope", proto: HTTPProtocol) -> None:
        environ, body = environ_of(scope), None
        try:
            body = await self._bodies.read(proto, environ)
            if _is_alive(environ):
                # No thread: the answer must come while all of them are busy.
                self._send_now(scope, proto, environ, health.probe)
            else:
                await self._work(scope, proto, environ)
        except Refusal as refusal:
            self._send_now(scope, proto, environ, _refusing(refusal))
            if refusal.status != 408 and "HTTP_EXPECT" not in environ:
                await discard(proto)
        finally:
            if body:
                self._bodies.release(body)

    async def _work(self, scope: "Scope", proto: HTTPProtocol, environ: dict[str, Any]) -> None:
        """Have a thread answer; not at all once the client has gone before its turn."""
        if self._in_hand >= _MOST_IN_HAND:
            raise Refusal(503)
        self._in_hand += 1
        try:
            job = self._pool.submit(self._answer, scope.client, proto, environ)
            ended = asyncio.wrap_future(job)
            if self._in_hand > self._threads:
                await _ended_or_gone(ended, proto)
                if job.cancel():
                    return
            await ended
        finally:
            self._in_hand -= 1

    def _answer(self, client: str, proto: HTTPProtocol, environ: dict[str, Any]) -> None:
        """Call the WSGI application; in a thread of the pool, as is all that it leaves to close."""
        status, headers = 0, Headers()

        def start_response(
            line: str, told: Headers, _failure: Any = None, /
        ) -> Callable[[bytes], object]:
            nonlocal status, headers
            status, headers = int(line[:3]), told
            return _refuse_to_write

        environ["wsgi.file_wrapper"] = FileWrapper
        body = self._wsgi(environ, cast(StartResponse, start_response))
        try:
            self._answers.send(proto, client, status, headers, body)
        finally:
            if close := getattr(body, "close", None):
                close()

    def _send_now(
        self,
        scope: "Scope",
        proto: HTTPProtocol,
        environ: dict[str, Any],
        answer: Callable[[HttpRequest], HttpResponseBase],
    ) -> None:
        """Answer on the loop, with a number, a line in the log and a place in the metrics."""
        response = cast(HttpResponse, RequestMiddleware(answer)(Utf8Request(environ)))
        headers = list(response.items())
        self._answers.send(proto, scope.client, response.status_code, headers, [response.content])


def _is_alive(environ: dict[str, Any]) -> bool:
    return environ["PATH_INFO"] == "/healthz" and environ["REQUEST_METHOD"] in ("GET", "HEAD")


def _refusing(refusal: Refusal) -> BrowserMiddleware:
    return BrowserMiddleware(lambda request: refusals.answer(request, refusal))


def _refuse_to_write(_data: bytes) -> object:
    raise NotImplementedError("PEP 3333 has `write` for old frameworks alone")


async def _ended_or_gone(ended: "asyncio.Future[None]", proto: HTTPProtocol) -> None:
    """Wait until the job has ended or its client has gone."""
    gone = asyncio.create_task(_gone(proto))
    await asyncio.wait([ended, gone], return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()


async def _gone(proto: HTTPProtocol) -> None:
    await proto.client_disconnect()


def _raise_descriptors() -> None:
    """Allow this process as many open files as it may have connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))

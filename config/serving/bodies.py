"""Bodies of requests, read on the event loop.

Only the loop waits for a body from the network. Each body has a deadline, a maximum size and a
place in one memory budget. A thread of Django's gets the whole body.
"""

import asyncio
import io
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from config.serving.interface import HTTPProtocol
from config.serving.pace import seconds_for_body
from config.serving.refusals import Refusal

# A body as large as this is always read: there are at most as many as `--backpressure` lets in.
SMALL = 65_536
# Larger bodies share this many bytes in a process.
SHARED = 64 * 1024 * 1024
# How long a refused body is still read, so that the client reads our answer and not a reset.
_LINGER_SECONDS = 2.0


@dataclass(eq=False)
class Body:
    """A body that arrives, and then waits for its answer."""

    deadline: asyncio.Timeout
    data: bytearray = field(default_factory=bytearray)
    displaced: bool = False

    def displace(self) -> None:
        """End the reading at once."""
        self.displaced = True
        if not self.deadline.expired():
            self.deadline.reschedule(asyncio.get_running_loop().time())

    def extend(self, until: float) -> None:
        if not self.displaced:
            self.deadline.reschedule(until)


class Budget:
    """The memory that large bodies of one process share.

    If it is used up, the body that has been arriving longest gives way to the new one. So bodies
    that never end cannot keep others out: a body that arrives at a normal pace outlives them.
    Bodies that have arrived completely do not give way.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self._held: dict[Body, int] = {}
        self._arriving: dict[Body, None] = {}  # in the order in which they became large

    def grow(self, body: Body) -> None:
        """Count the bytes that have arrived. Refusal if there is no room."""
        size = len(body.data)
        if size <= SMALL:
            return
        self._left -= size - self._held.get(body, 0)
        self._held[body] = size
        self._arriving[body] = None
        while self._left < 0:
            oldest = next(iter(self._arriving))
            self.release(oldest)
            if oldest is body:
                raise Refusal(503)
            oldest.displace()

    def keep(self, body: Body) -> None:
        """Let a body that has arrived stay until it is released."""
        self._arriving.pop(body, None)

    def release(self, body: Body) -> None:
        self._arriving.pop(body, None)
        self._left += self._held.pop(body, 0)


class Bodies:
    """Reads bodies of at most `largest` bytes.

    Each has `seconds` to arrive, and more if it is large.
    """

    def __init__(self, *, largest: int, seconds: float, shared: int = SHARED) -> None:
        self._largest, self._seconds = largest, seconds
        self._budget = Budget(shared)

    async def read(self, proto: HTTPProtocol, environ: dict[str, Any]) -> Body | None:
        """Put the body into the environ, as `wsgi.input` with its CONTENT_LENGTH.

        Return the body, which must be released once the request is answered. None if there is no
        body. Refusal 400 if the body is broken or short, 408 if it is late, 413 if it is too large,
        503 if there is no room.
        """
        environ["wsgi.input"] = io.BytesIO()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        # granian lets in only what ends with `chunked`. More codings are for `BodyMiddleware`.
        codings = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
        chunked = bool(codings)
        if chunked and "CONTENT_LENGTH" in environ:
            # granian drops that length today. A proxy in front may have believed it.
            raise Refusal(400)
        if not length and not chunked:
            return None
        if length > self._largest:
            raise Refusal(413)
        body = await self._receive(proto, None if chunked else length)
        environ["wsgi.input"] = io.BytesIO(body.data)
        environ["CONTENT_LENGTH"] = str(len(body.data))
        if codings == "chunked":
            del environ["HTTP_TRANSFER_ENCODING"]
        body.data.clear()
        return body

    async def _receive(self, proto: HTTPProtocol, length: int | None) -> Body:
        loop = asyncio.get_running_loop()
        began = loop.time()
        body = Body(asyncio.timeout_at(began + self._allowed(length or 0)))
        try:
            async with body.deadline:
                chunks = aiter(proto)
                while piece := await anext(chunks):
                    body.data += piece
                    if len(body.data) > self._largest:
                        raise Refusal(413)
                    if length is None:
                        body.extend(began + self._allowed(len(body.data)))
                    self._budget.grow(body)
                whole = await _is_whole(chunks)
            if not whole or length not in (None, len(body.data)):
                raise Refusal(400, "The body is incomplete or malformed.")
        except TimeoutError:
            self._budget.release(body)
            raise Refusal(503 if body.displaced else 408) from None
        except BaseException:
            self._budget.release(body)
            raise
        self._budget.keep(body)
        return body

    def _allowed(self, size: int) -> float:
        return seconds_for_body(size, self._seconds)

    def release(self, body: Body) -> None:
        self._budget.release(body)


async def _is_whole(chunks: HTTPProtocol) -> bool:
    """Tell whether a body that gives nothing more has come to its end.

    granian 2.8 gives an empty piece for its end and another one for a broken chunk, a connection
    that ends, or a trailer. It raises nothing. `tests/journeys/test_bodies.py` fails where
    this changes.
    """
    try:
        await anext(chunks)
    except StopAsyncIteration:
        return True
    return False


async def discard(proto: HTTPProtocol) -> None:
    """Read the rest of a refused body for a moment.

    Otherwise the client would not see the answer.
    """
    with suppress(RuntimeError):  # begun already
        aiter(proto)
    with suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(_LINGER_SECONDS):
            while await anext(proto):
                pass

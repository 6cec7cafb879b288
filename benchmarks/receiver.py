"""Receiver of webhooks that costs little beside the worker that sends to it.

A thread with an event loop answers every request with 204, after a latency, and keeps connections.
"""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from tests import wire

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: *(\w+)\r\n", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Receiver:
    url: str = ""
    latency: float = 0.0
    # When each message came, by its id, and how many requests there were in all.
    arrivals: dict[bytes, float] = field(default_factory=dict)
    requests: int = 0

    def wait_for(self, count: int, seconds: float) -> None:
        wire.until(lambda: self.requests >= count, seconds=seconds, what=f"{count} requests")

    def forget(self) -> None:
        self.arrivals, self.requests = {}, 0

    @property
    def rate(self) -> float:
        """Return the messages a second, from the first arrival to the last."""
        moments = sorted(self.arrivals.values())
        return (len(moments) - 1) / (moments[-1] - moments[0])


class _Conversation(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver, self._received = receiver, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if not blank or length is None or len(body) < int(length[1]):
            return
        self._received = b""
        self._receiver.requests += 1
        if found := _ID.search(head + b"\r\n"):
            self._receiver.arrivals[found[1]] = monotonic()
        if self._receiver.latency:
            loop = asyncio.get_running_loop()
            loop.call_later(self._receiver.latency, self._transport.write, _ANSWER)
        else:
            self._transport.write(_ANSWER)


@contextmanager
def receiver() -> Iterator[Receiver]:
    made, loop = Receiver(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listening = loop.create_server(lambda: _Conversation(made), "127.0.0.1", 0, backlog=128)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result(timeout=10)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

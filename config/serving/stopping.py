"""Stop of a process that serves behind a proxy: no request is lost.

On SIGTERM granian closes each connection on which it has not read a request. A proxy may have sent
one at that moment, and it repeats no POST. So the process stops in three steps:

1. It serves on, and closes each connection with its next answer. The proxy closes the idle ones.
2. It leaves new connections unanswered, and waits for the requests of those that are made.
3. It hands over to granian, which closes the port and answers the requests in hand.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Collection
from contextlib import ExitStack, closing, suppress
from time import monotonic

from config.serving import sockets

# Longer than a proxy keeps an idle connection (deploy/nginx.conf, deploy/Caddyfile).
IDLE_SECONDS = 6
_LOOK_SECONDS = 0.1
# Connections that are being made are made by then. A client that gets no answer tries again after a
# second. So this is shorter: by then the port is closed, and a proxy goes to another web.
_OPENING_SECONDS = 0.2


def end_while_loading() -> None:
    """Have SIGTERM end this worker until it serves.

    granian forks a worker with the handlers of its first process, which note in the worker's copy
    of the server that it is to stop. Nobody reads that. Such a worker would serve until it is
    killed, and lose the requests that it has then.
    """
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if getattr(getattr(handler, "__self__", None), "interrupt_signal", False):
        signal.raise_signal(signal.SIGTERM)


class Stop:
    """Stop on SIGTERM. Within `idle_seconds` a proxy closes a connection that asks nothing."""

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._task: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        return self._task is not None

    def await_signal(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take SIGTERM over from granian. It stops on SIGINT as well."""
        loop.add_signal_handler(signal.SIGTERM, self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._task = self._task or loop.create_task(self._stop())

    async def _stop(self) -> None:
        try:
            with ExitStack() as stack:
                listeners = [stack.enter_context(each) for each in sockets.listening()]
                ports = {each.getsockname()[1] for each in listeners}
                before = _clients(ports)
                await self._while(lambda: bool(before & _clients(ports)))
                for each in listeners:
                    sockets.ignore_openings(each)
                await asyncio.sleep(_OPENING_SECONDS)
                await self._while(lambda: _awaits_requests(listeners, ports))
                await asyncio.sleep(_LOOK_SECONDS)  # granian reads what has come
        finally:
            signal.raise_signal(signal.SIGINT)

    async def _while(self, condition: Callable[[], bool]) -> None:
        until = monotonic() + self._idle_seconds
        while condition() and monotonic() < until:
            await asyncio.sleep(_LOOK_SECONDS)


def _clients(ports: Collection[int]) -> set[str]:
    """Return the address and port of each client."""
    found = set()
    for connection in sockets.connected(ports):
        with closing(connection), suppress(OSError):  # closed meanwhile
            found.add(sockets.peer(connection))
    return found


def _awaits_requests(listeners: Collection[socket.socket], ports: Collection[int]) -> bool:
    """Tell whether a connection is made on which no request has come yet."""
    if any(map(sockets.has_waiting, listeners)):
        return True
    silent = 0
    for connection in sockets.connected(ports):
        with closing(connection):
            silent += not sockets.has_received(connection)
    return silent > 0

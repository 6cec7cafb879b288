"""An absolute deadline for work that talks to other hosts, whichever library talks for it.

A timeout of a socket bounds one wait. A host that sends a byte every few seconds keeps such a
caller for ever. A `Deadline` shuts down every connection of its thread when the time is up.

Audit events tell of the connections: of each that is opened, and of each that is used again by
`http.client`, on which requests and urllib3 stand. A hook cannot be removed, so it is added when
the first deadline begins. It adds about a microsecond to an event; a request makes some 25.

A lookup of a name cannot be cut. It is bounded by the resolver; afterwards nothing is sent.
"""

import os
import socket
import sys
import threading
from contextlib import suppress
from functools import cache
from typing import Any

_CONNECTS, _USES_AGAIN = "socket.connect", "http.client.send"
_EVENTS = frozenset({_CONNECTS, _USES_AGAIN})
# One that was about to connect when the rest was cut is cut soon after.
_AGAIN_SECONDS = 0.1

_current = threading.local()


class Passed(TimeoutError):
    """The deadline has passed: no connection may be opened any more."""


class Deadline:
    """Let this thread's connections live for so many seconds, while in the context.

    `passed` tells afterwards whether the time was up. The caller sees the errors of its library.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._seconds = max(0.0, seconds)
        self._lock = threading.Lock()
        self._over = threading.Event()
        # By inode: a connection that is used again, or wrapped in TLS, is the same one.
        self._connections: dict[int, socket.socket] = {}
        self._watch = threading.Thread(target=self._cut_in_time, name="deadline", daemon=True)

    def __enter__(self) -> "Deadline":
        _listen()
        self._watch.start()
        _current.deadline = self
        return self

    def __exit__(self, *_: object) -> None:
        _current.deadline = None
        self._over.set()
        self._watch.join()
        for connection in self._connections.values():
            connection.close()

    def hold(self, descriptor: int) -> None:
        """Cut this connection too when the time is up; Passed if it is up."""
        with self._lock:
            if self.passed:
                raise Passed
            inode = os.fstat(descriptor).st_ino
            if inode not in self._connections:
                # A descriptor of our own: the library may close its own, or wrap it in TLS.
                self._connections[inode] = socket.socket(fileno=os.dup(descriptor))

    def _cut_in_time(self) -> None:
        wait = self._seconds
        while not self._over.wait(wait):
            with self._lock:
                self.passed = True
                for connection in self._connections.values():
                    with suppress(OSError):  # not connected yet, or not any more
                        connection.shutdown(socket.SHUT_RDWR)
            wait = _AGAIN_SECONDS


@cache
def _listen() -> None:
    sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is None:
        return
    connection = args[0] if event == _CONNECTS else args[0].sock
    if connection is not None and connection.fileno() >= 0:
        deadline.hold(connection.fileno())

"""An absolute deadline for work that talks to other hosts, whichever library talks for it.

A timeout of a socket bounds one wait. A host that sends a byte every few seconds keeps such a
caller for ever. A `Deadline` shuts down every connection of its thread when the time is up.

Audit events tell of the connections: of each that is opened, and of each that is used again by
`http.client`, on which requests and urllib3 stand. A hook cannot be removed, so it is added when
the first deadline begins. It adds about a microsecond to an event; a request makes some 25.

A lookup of a name cannot be cut. It is bounded by the resolver; afterwards nothing is sent.
"""

import math
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from typing import Any

_CONNECTS, _USES_AGAIN = "socket.connect", "http.client.send"
_EVENTS = frozenset({_CONNECTS, _USES_AGAIN})
# A connection that was about to open when the rest was cut is cut soon after.
_AGAIN_SECONDS = 0.1

# How long the watching thread waits for another deadline.
_IDLE_SECONDS = 5.0

_current = threading.local()


class Passed(TimeoutError):
    """The deadline has passed: no connection may be opened any more."""


class Deadline:
    """Let this thread's connections live for so many seconds, while in the context.

    `passed` tells afterwards whether the time was up. The caller sees the errors of its library.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self.until = time.monotonic() + seconds
        self._has_ended = False
        self._lock = threading.Lock()
        # By inode: a connection that is used again, or wrapped in TLS, is the same one.
        self._connections: dict[int, socket.socket] = {}

    def __enter__(self) -> "Deadline":
        _listen()
        _watch.add(self)
        _current.deadline = self
        return self

    def __exit__(self, *_: object) -> None:
        _current.deadline = None
        _watch.remove(self)
        with self._lock:
            self._has_ended = True
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

    def cut(self) -> None:
        """Shut down what this thread talks by. It is done again, for what is just being opened."""
        with self._lock:
            if self._has_ended:
                return
            self.passed = True
            self.until = time.monotonic() + _AGAIN_SECONDS
            for connection in self._connections.values():
                with suppress(OSError):  # not connected yet, or not any more
                    connection.shutdown(socket.SHUT_RDWR)


class _Watch:
    """One thread that watches all deadlines. It ends some time after the last of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: set[Deadline] = set()
        self._thread: threading.Thread | None = None
        self._wakes_at = math.inf

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._deadlines.add(deadline)
            if self._thread is None or not self._thread.is_alive():  # in a fork it is not
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif deadline.until < self._wakes_at:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        with self._changed:
            self._deadlines.discard(deadline)

    def _run(self) -> None:
        while True:
            with self._changed:
                now, is_idle = time.monotonic(), not self._deadlines
                next_ = min((each.until for each in self._deadlines), default=now + _IDLE_SECONDS)
                if next_ > now:
                    self._wakes_at = next_
                    self._changed.wait(next_ - now)
                if is_idle and not self._deadlines:
                    self._thread = None
                    return
                late = [each for each in self._deadlines if each.until <= time.monotonic()]
            for each in late:
                each.cut()


_watch = _Watch()


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

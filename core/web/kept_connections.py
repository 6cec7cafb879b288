"""Connections that stay open for the next request to the same place.

They are few, and each is closed when nobody has used it for some seconds. One that has something to
read is not used again: nothing was asked on it, so it has ended, or answers out of turn.
"""

import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

# Shorter than servers usually wait for the next request.
IDLE_SECONDS = 4.0
MOST = 128
MOST_OF_A_KEY = 8


@dataclass(frozen=True)
class _Kept:
    key: Hashable
    connection: socket.socket
    until: float


class KeptConnections:
    """Open connections by key, those idle longest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[_Kept] = deque()
        self._is_closing = False

    def take(self, key: Hashable) -> socket.socket | None:
        """Return a quiet connection of this key, which is then the caller's. None if none is."""
        with self._lock:
            for kept in [each for each in reversed(self._kept) if each.key == key]:
                self._kept.remove(kept)
                if _is_quiet(kept.connection):
                    return kept.connection
                kept.connection.close()
        return None

    def keep(self, key: Hashable, connection: socket.socket) -> None:
        """Keep this connection for a while, or close it if too many of its key are kept."""
        with self._lock:
            if sum(each.key == key for each in self._kept) >= MOST_OF_A_KEY:
                connection.close()
                return
            if len(self._kept) >= MOST:
                self._kept.popleft().connection.close()
            if not self._is_closing:
                threading.Thread(target=self._close_idle, name="idle", daemon=True).start()
                self._is_closing = True
            self._kept.append(_Kept(key, connection, time.monotonic() + IDLE_SECONDS))

    def _close_idle(self) -> None:
        """Close what is idle for too long, until nothing is kept."""
        while True:
            with self._lock:
                now = time.monotonic()
                while self._kept and self._kept[0].until <= now:
                    self._kept.popleft().connection.close()
                if not self._kept:
                    self._is_closing = False
                    return
                wait = self._kept[0].until - now
            time.sleep(wait)


def _is_quiet(connection: socket.socket) -> bool:
    if isinstance(connection, ssl.SSLSocket) and connection.pending():
        return False
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return not poll.poll(0)

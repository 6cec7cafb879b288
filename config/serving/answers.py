"""Answers on their way to a client.

Nothing waits for a client that reads slowly: granian itself sends its answers, from memory or from
a file. A connection that takes too long over an answer is closed.
"""

import fcntl
import io
import os
import socket
import stat
import struct
import termios
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from config.serving.interface import Headers, HTTPProtocol
from config.serving.pace import seconds_for_answer

# The rest of a larger answer waits in a file.
_IN_MEMORY = 262_144
_DESCRIPTORS = "/dev/fd"
_DROP_UNSENT = struct.pack("ii", 1, 0)  # see socket(7), SO_LINGER


class FileWrapper:
    """`wsgi.file_wrapper` (PEP 3333): a file that a view answers with."""

    def __init__(self, file: IO[bytes], block_size: int = 8192) -> None:
        self._file, self._block_size = file, block_size

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(self._block_size):
            yield block

    def close(self) -> None:
        self._file.close()

    @property
    def path(self) -> str:
        """Return the path of a file that is sent whole, from beginning to end. Otherwise empty."""
        name = getattr(self._file, "name", None)
        whole = isinstance(self._file, io.BufferedReader) and not self._file.tell()
        return name if whole and isinstance(name, str) else ""


@dataclass(frozen=True)
class _UnderWay:
    until: float
    file: IO[bytes] | None  # which stays open for as long as granian may have to open it


class Answers:
    """The last answer of each connection.

    A client has `seconds` to take it, more for a large one.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._under_way: dict[str, _UnderWay] = {}

    def send(
        self,
        proto: HTTPProtocol,
        client: str,
        status: int,
        headers: Headers,
        body: Iterable[bytes],
    ) -> None:
        """Hand an answer over to granian. `client` is the address and port of the client."""
        if isinstance(body, FileWrapper) and body.path:
            self._note(client, os.path.getsize(body.path))
            proto.response_file(status, headers, body.path)
            return
        pieces, size, file = [], 0, None
        for piece in body:
            pieces.append(piece)
            size += len(piece)
            if size > _IN_MEMORY:
                file = file or TemporaryFile()  # noqa: SIM115  granian reads it later
                file.writelines(pieces)
                pieces.clear()
        self._note(client, size, file)
        if file:
            file.writelines(pieces)
            file.flush()
            proto.response_file(status, headers, f"{_DESCRIPTORS}/{file.fileno()}")
        else:
            proto.response_bytes(status, headers, b"".join(pieces))

    def _note(self, client: str, size: int, file: IO[bytes] | None = None) -> None:
        until = monotonic() + seconds_for_answer(size, self._seconds)
        with self._lock:
            self._under_way[client] = _UnderWay(until, file)

    def close_slow(self) -> None:
        """Close the connections whose client has not taken its last answer in time."""
        now = monotonic()
        with self._lock:
            late = {client for client, each in self._under_way.items() if each.until < now}
            for client in late:
                del self._under_way[client]
        if not late:
            return
        for connection in _connections():
            with closing(connection), suppress(OSError):  # closed meanwhile
                if _peer(connection) in late and _unsent(connection):
                    # Once granian closes it as well, the system forgets what it has yet to send.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_UNSENT)
                    connection.shutdown(socket.SHUT_RDWR)


def _connections() -> Iterator[socket.socket]:
    """Yield the TCP sockets of this process, each with a descriptor of its own.

    Other files get no new descriptor. To close one would end SQLite's locks on its database, which
    a process loses with the first descriptor that it closes (fcntl(2)).
    """
    for name in os.listdir(_DESCRIPTORS):
        with suppress(OSError):  # closed meanwhile
            if not _is_socket(os.stat(f"{_DESCRIPTORS}/{name}")):
                continue
            descriptor = os.dup(int(name))
            if not _is_socket(os.fstat(descriptor)):
                continue  # another file has this number now, and must not be closed
            found = socket.socket(fileno=descriptor)
            if found.family in (socket.AF_INET, socket.AF_INET6):
                yield found
            else:
                found.close()


def _is_socket(status: os.stat_result) -> bool:
    return stat.S_ISSOCK(status.st_mode)


def _peer(connection: socket.socket) -> str:
    """Return the address and port of the other end, written as granian writes them."""
    host, port, *_rest = connection.getpeername()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _unsent(connection: socket.socket) -> int:
    """Return the number of bytes that the other end has not acknowledged (tcp(7), SIOCOUTQ)."""
    buffer = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))
    (count,) = struct.unpack("i", buffer)
    return int(count)

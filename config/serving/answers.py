"""Answers on their way to a client.

Nothing waits for a client that reads slowly: granian itself sends its answers, from memory or from
a file. A connection that takes too long over an answer is closed.
"""

import io
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from config.serving import sockets
from config.serving.interface import Headers, HTTPProtocol
from config.serving.pace import seconds_for_answer
from config.serving.stopping import Stop

# The rest of a larger answer waits in a file.
_IN_MEMORY = 262_144


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

    def __init__(self, seconds: float, stop: Stop | None) -> None:
        self._seconds, self._stop = seconds, stop
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
            proto.response_file(status, self._completed(headers), body.path)
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
            path = f"{sockets.DESCRIPTORS}/{file.fileno()}"
            proto.response_file(status, self._completed(headers), path)
        else:
            proto.response_bytes(status, self._completed(headers), b"".join(pieces))

    def _completed(self, headers: Headers) -> Headers:
        """Return the headers, which tell of a connection's last answer that it is the last."""
        last = self._stop and self._stop.has_begun
        return [*headers, ("Connection", "close")] if last else headers

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
        for connection in sockets.sockets():
            with closing(connection), suppress(OSError):  # closed meanwhile
                if sockets.peer(connection) in late and sockets.unsent(connection):
                    sockets.break_off(connection)

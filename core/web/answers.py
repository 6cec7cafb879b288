"""Answers of HTTP servers, read within bounds.

`http.client` reads the head. Of the body either the beginning counts, or nothing less than all of
it. A whole body is read here by strict rules, since `http.client` takes some bodies that were cut
for whole ones.
"""

import http.client
import io
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

KEPT = 20_000
# Status, headers and how the body is framed, beside what is kept of it.
MOST_READ = 65_536
_PIECE = 65_536
_LENGTH = re.compile(r"[0-9]{1,18}")
# A length in hexadecimal digits, and extensions that nobody uses.
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(;[^\r\n]*)?\r\n")


@dataclass(frozen=True)
class Answer:
    """An answer of a server. `headers` has names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TooLarge(http.client.HTTPException):
    """The body is longer than the caller takes."""


def read_beginning(incoming: "Incoming") -> tuple[Answer, bool]:
    """Return the answer to a POST, and whether the connection can be used again.

    The body is its first `KEPT` bytes. The status counts, so a body may break off.
    """
    reader = _Reader(incoming)
    with _head(reader, "POST") as response:
        body, is_whole = _beginning(response)
        is_open = is_whole and not response.will_close and not reader.has_more()
        return _answer(response, body), is_open


def read_whole(incoming: "Incoming", *, method: str, most: int) -> tuple[Answer, bool]:
    """Return the answer with its whole body, and whether the connection can be used again.

    TooLarge if the body has more than `most` bytes. HTTPException if it was cut, is compressed, or
    does not say where it ends. Without a length it ends with the connection, which TLS alone tells
    from a broken one.
    """
    reader = _Reader(incoming)
    with _head(reader, method) as response:
        if incoming.is_at_end:  # or the last header may be half of one
            raise http.client.IncompleteRead(b"")
        incoming.most = incoming.count + 2 * most + MOST_READ  # chunks of a byte each are no answer
        if method == "HEAD" or response.status in (204, 304):
            body, is_bounded = b"", False
        else:
            body, is_bounded = _body(response, reader, most)
        has_more = reader.has_more()
        if is_bounded and has_more:  # then its end is not where it says
            raise http.client.HTTPException
        return _answer(response, body), not response.will_close and not has_more


def _head(reader: "_Reader", method: str) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(reader, method=method)  # type: ignore[arg-type]
    response.begin()
    while response.status < 200:  # word of what is still to come
        response.headers = None  # type: ignore[assignment]  # or it would not begin again
        response.begin()
    return response


def _answer(response: http.client.HTTPResponse, body: bytes) -> Answer:
    received = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, received, body)


def _beginning(response: http.client.HTTPResponse) -> tuple[bytes, bool]:
    """Return the beginning of the body, and whether it is all of it."""
    try:
        body = response.read(KEPT)[:KEPT]
    except http.client.IncompleteRead as error:
        return error.partial[:KEPT], False
    except (OSError, http.client.HTTPException):
        return b"", False
    return body, response.isclosed()


def _body(response: http.client.HTTPResponse, reader: "_Reader", most: int) -> tuple[bytes, bool]:
    """Return the whole body, and whether it has a bound other than the end of the connection."""
    if response.getheader("content-encoding", "identity").strip().lower() != "identity":
        raise http.client.HTTPException
    # A repeated header comes as one text with commas.
    coding, length = response.getheader("transfer-encoding"), response.getheader("content-length")
    if coding is not None:
        if coding.strip().lower() != "chunked" or length is not None:
            raise http.client.HTTPException
        return _chunked(reader, most), True
    if length is None:
        return _to_the_end(reader, most), False
    if not _LENGTH.fullmatch(length.strip()):
        raise http.client.HTTPException
    if int(length) > most:
        raise TooLarge
    return _exactly(reader, int(length)), True


def _chunked(reader: "_Reader", most: int) -> bytes:
    body = bytearray()
    while size := _chunk_size(reader):
        if size > most - len(body):
            raise TooLarge
        body += _exactly(reader, size)
        if reader.read(2) != b"\r\n":
            raise http.client.HTTPException
    while (trailer := reader.readline(MOST_READ)) != b"\r\n":
        if not trailer.endswith(b"\n"):
            raise http.client.HTTPException
    return bytes(body)


def _chunk_size(reader: "_Reader") -> int:
    line = _CHUNK.fullmatch(reader.readline(MOST_READ))
    if line is None:
        raise http.client.HTTPException
    return int(line[1], 16)


def _exactly(reader: "_Reader", count: int) -> bytes:
    """Return so many bytes. Memory is taken as they come, not as they are announced."""
    body = bytearray()
    while len(body) < count:
        piece = reader.read(min(count - len(body), _PIECE))
        if not piece:
            raise http.client.IncompleteRead(b"")
        body += piece
    return bytes(body)


def _to_the_end(reader: "_Reader", most: int) -> bytes:
    body = bytearray()
    while piece := reader.read(_PIECE):
        body += piece
        if len(body) > most:
            raise TooLarge
    if not reader.raw.is_closed_by_tls:
        raise http.client.IncompleteRead(b"")
    return bytes(body)


class Incoming(io.RawIOBase):
    """The bytes of an answer, with a limit on how many are read. HTTPException beyond it.

    TLS connections must be made with `suppress_ragged_eofs=False`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.count = 0
        self.most = MOST_READ
        self.is_paused = False
        self.is_at_end = self.is_closed_by_tls = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        if self.is_paused:
            return None
        try:
            count = self._connection.recv_into(buffer)
        except ssl.SSLEOFError:  # an end that TLS did not announce
            count = 0
        else:
            self.is_closed_by_tls = not count and isinstance(self._connection, ssl.SSLSocket)
        self.is_at_end = not count
        self.count += count
        if self.count > self.most:
            raise http.client.HTTPException
        return count


class _Reader(io.BufferedReader):
    """A reader in the place of the socket from which `http.client` makes one."""

    raw: Incoming

    def makefile(self, _mode: str) -> "_Reader":
        return self

    def close(self) -> None:
        """Stay open, so that `has_more` can look at what has come after the answer."""

    def has_more(self) -> bool:
        self.raw.is_paused = True
        return bool(self.peek())

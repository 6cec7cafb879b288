"""Hostile clients: they connect, and then send or take almost nothing.

They are sockets, not threads, so a hundred of them cost nothing. `dripping` has one thread for all.
"""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

_LOOPBACK = "127.0.0.1"
_ANSWER_SECONDS = 60
_DRIP_SECONDS = 0.1
# What a body goes to that nobody need be allowed to send.
_PATH = "/oauth/token"


class Stranger:
    """One connection that sends its bytes unchanged."""

    def __init__(self, port: int, *, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(_ANSWER_SECONDS)
        self.socket.connect((_LOOPBACK, port))

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def rest(self) -> bytes:
        """Return everything that the server sends until it closes the connection."""
        data = bytearray()
        while piece := self._piece():
            data += piece
        return bytes(data)

    def _piece(self) -> bytes:
        try:
            return self.socket.recv(65_536)
        except ConnectionResetError:
            return b""

    def ask(self, data: bytes) -> tuple[int, bytes]:
        """Send a request with `Connection: close`. Return the answer's status and body."""
        self.send(data)
        return answer_of(self.rest())

    def close(self) -> None:
        self.socket.close()


def answer_of(data: bytes) -> tuple[int, bytes]:
    """Return the status and the body of the one answer received. Status 0 means no answer."""
    head, _blank, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head else 0, body


def head(method: str, path: str, **headers: str) -> bytes:
    """Return the first lines of a request. Header names are given with underscores."""
    told = {"Host": _LOOPBACK} | {name.replace("_", "-"): text for name, text in headers.items()}
    lines = "".join(f"{name}: {text}\r\n" for name, text in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


@contextmanager
def crowd(port: int, count: int, first: bytes = b"") -> Iterator[Sequence[Stranger]]:
    """Yield `count` open connections. Each has sent `first` and stays."""
    with ExitStack() as stack:
        strangers = [stack.enter_context(closing(Stranger(port))) for _ in range(count)]
        for stranger in strangers:
            stranger.send(first)
        yield strangers


def silent_body(length: int = 100_000) -> bytes:
    """Return a request that promises a form and sends one byte of it."""
    form = "application/x-www-form-urlencoded"
    return head("POST", _PATH, Content_Type=form, Content_Length=str(length)) + b"x"


UNFINISHED_HEADERS = head("GET", "/")[:-3]


@contextmanager
def dripping(port: int, count: int, length: int = 100_000) -> Iterator[Sequence[Stranger]]:
    """Yield `count` connections whose bodies send a byte ten times a second while accepted."""
    over = threading.Event()
    with crowd(port, count, silent_body(length)) as strangers:
        left = list(strangers)

        def drip() -> None:
            while left and not over.wait(_DRIP_SECONDS):
                for stranger in list(left):
                    try:
                        stranger.send(b"x")
                    except OSError:
                        left.remove(stranger)

        thread = threading.Thread(target=drip, name="dripping")
        thread.start()
        try:
            yield strangers
        finally:
            over.set()
            thread.join()

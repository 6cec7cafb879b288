"""Webhook endpoints that misbehave: slow, silent, endless, or with changing addresses."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any
from unittest.mock import patch

LOOPBACK = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

# What a receiver does with a connection; it is closed afterwards.
Talk = Callable[[socket.socket], None]


@dataclass
class Receiver:
    port: int
    # All that came, one a connection.
    requests: list[bytes] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def read_request(self, connection: socket.socket) -> None:
        """Read head and body of a request, by its Content-Length."""
        request = b""
        while b"\r\n\r\n" not in request:
            chunk = connection.recv(65_536)
            if not chunk:
                return
            request += chunk
        head, _, body = request.partition(b"\r\n\r\n")
        length = sum(
            int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"Content-Length:"
        )
        while len(body) < length:
            body += connection.recv(65_536)
        self.requests.append(head + b"\r\n\r\n" + body)

    @property
    def lines(self) -> list[str]:
        """Return the request line and the headers of the only request."""
        (request,) = self.requests
        return request.partition(b"\r\n\r\n")[0].decode().split("\r\n")


@contextmanager
def receiver(
    *answer: bytes | Iterator[bytes], pause: float = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Answer every request with these parts (also endless ones), with a pause after each."""

    def talk(connection: socket.socket) -> None:
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        with connection:
            made.read_request(connection)
            for part in answer:
                for piece in [part] if isinstance(part, bytes) else part:
                    connection.sendall(piece)
                    if pause and made.ended.wait(pause):
                        return

    with listening(talk) as made:
        yield made


@contextmanager
def listening(talk: Talk) -> Iterator[Receiver]:
    """Run a receiver that calls `talk` for each connection, in a thread."""
    threads: list[threading.Thread] = []

    def speak(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the caller is free to go
            talk(connection)

    def accept() -> None:
        while not made.ended.is_set():
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=speak, args=(connection,), daemon=True))
            threads[-1].start()

    with socket.create_server((LOOPBACK, 0), backlog=128) as listener:
        made = Receiver(listener.getsockname()[1])
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield made
        finally:
            made.ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join(timeout=10)
                assert not thread.is_alive()


def dripping(made: bytes) -> Iterator[bytes]:
    """Yield the bytes one by one, and then the last one for ever."""
    for number in made:
        yield bytes([number])
    while True:
        yield made[-1:]


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


# --- sockets ----------------------------------------------------------------------------------


@contextmanager
def no_way_out() -> Iterator[list[Any]]:
    """Refuse every connection, and yield the list of their destinations."""
    wanted: list[Any] = []

    def refuse(_socket: socket.socket, address: Any) -> int:
        wanted.append(address)
        raise ConnectionRefusedError

    def create(address: Any, *_args: Any, **_named: Any) -> socket.socket:
        wanted.append(address)
        raise ConnectionRefusedError

    with (
        patch.object(socket.socket, "connect", refuse),
        patch.object(socket.socket, "connect_ex", refuse),
        patch.object(socket, "create_connection", create),
    ):
        yield wanted


# --- DNS --------------------------------------------------------------------------------------


@dataclass
class NameServer:
    """DNS server that answers each question with the next list of addresses in turn."""

    port: int
    turns: Sequence[Sequence[str]]
    # The names that were asked for.
    asked: list[str] = field(default_factory=list)

    def answer(self, query: bytes) -> bytes:
        addresses = self.turns[len(self.asked) % len(self.turns)]
        end = query.index(b"\0", 12) + 5  # the name, its end, type and class
        self.asked.append(_name_in(query[12:end]))
        header = query[:2] + struct.pack("!5H", 0x8180, 1, len(addresses), 0, 0)
        record = b"\xc0\x0c" + struct.pack("!2HLH", 1, 1, 0, 4)  # A, IN, and not to be kept
        records = (record + IPv4Address(address).packed for address in addresses)
        return header + query[12:end] + b"".join(records)

    def resolve(self, name: str, _port: int) -> list[str]:
        """Return the addresses of a name, asked of this server over the wire."""
        labels = (bytes([len(label)]) + label.encode() for label in name.split("."))
        query = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + b"".join(labels) + b"\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(10)
            wire.sendto(query, (LOOPBACK, self.port))
            answer, _address = wire.recvfrom(65_535)
        assert answer[:2] == query[:2]
        (count,) = struct.unpack("!H", answer[6:8])
        records = [answer[len(query) + 16 * turn :][:16] for turn in range(count)]
        return [str(IPv4Address(record[12:])) for record in records]


def _name_in(question: bytes) -> str:
    labels = []
    while length := question[0]:
        labels.append(question[1 : length + 1].decode())
        question = question[length + 1 :]
    return ".".join(labels)


@contextmanager
def name_server(*turns: Sequence[str]) -> Iterator[NameServer]:
    def serve() -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                query, asker = wire.recvfrom(65_535)
                wire.sendto(made.answer(query), asker)

    ended = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind((LOOPBACK, 0))
        wire.settimeout(0.1)
        made = NameServer(wire.getsockname()[1], turns)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield made
        finally:
            ended.set()
            thread.join()

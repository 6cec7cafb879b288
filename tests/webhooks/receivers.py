"""Webhook endpoints that misbehave: slow, silent, endless, or with changing addresses."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
        (length,) = (
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


# --- certificates -----------------------------------------------------------------------------


class Authority:
    """Certificate authority, whose own certificate is in `path`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _common_name("An authority of the tests")
        basic = x509.BasicConstraints(ca=True, path_length=0)
        certificate = _builder(self._name, self._name, self._key, days=1).add_extension(
            basic, critical=True
        )
        self.path = folder / "authority.pem"
        signed = certificate.sign(self._key, hashes.SHA256())
        self.path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def serves(
        self, name: str, *, days: int = 1, self_signed: bool = False
    ) -> tuple[ssl.SSLContext, list[str | None]]:
        """Return the TLS context of a server with this name, and the names it was asked for."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _common_name(name)
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        signer, issuer = (key, subject) if self_signed else (self._key, self._name)
        builder = _builder(subject, issuer, key, days=days).add_extension(names, critical=False)
        signed = builder.sign(signer, hashes.SHA256())
        path = self._folder / f"{name}{days}{self_signed}.pem"
        path.write_bytes(
            signed.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        asked: list[str | None] = []
        context.sni_callback = lambda _object, sni, _context: asked.append(sni)
        return context, asked


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    """Return a certificate that ends in `days` days. A negative number means that it has ended."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
    )


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

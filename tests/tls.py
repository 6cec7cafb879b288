"""Certificates for tests, and proxies in front of servers that speak no TLS or have no socket."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


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
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate(name, days=days, self_signed=self_signed))
        asked: list[str | None] = []
        context.sni_callback = lambda _object, sni, _context: asked.append(sni)
        return context, asked

    def certificate(self, name: str, *, days: int = 1, self_signed: bool = False) -> Path:
        """Write a certificate for this name and its key into one file, and return it."""
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
        return path


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


@contextmanager
def in_front_of(port: int, context: ssl.SSLContext) -> Iterator[int]:
    """Yield the port of a proxy on loopback that speaks TLS and hands on to this port in clear.

    A client that refuses the certificate is hung up on.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener, _accepting(listener, port, context):
        yield listener.getsockname()[1]


@contextmanager
def socket_in_front_of(port: int, path: Path) -> Iterator[None]:
    """Hand on from a new socket of the machine at this path to this port on loopback."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with _accepting(listener, port, None):
            yield


@contextmanager
def _accepting(
    listener: socket.socket, port: int, context: ssl.SSLContext | None
) -> Iterator[None]:
    threading.Thread(target=_accept, args=(listener, port, context), daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int, context: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        while True:
            client, _address = listener.accept()
            threading.Thread(target=_serve, args=(client, port, context), daemon=True).start()


def _serve(plain: socket.socket, port: int, context: ssl.SSLContext | None) -> None:
    with (
        suppress(OSError),
        plain,
        context.wrap_socket(plain, server_side=True) if context else plain as client,
        socket.create_connection(("127.0.0.1", port)) as server,
    ):
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)

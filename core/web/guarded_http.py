"""Requests to a URL that a stranger chose, safe for this server and its network.

It needs only the standard library and, of Parley, its neighbours. It promises:

- Only https, on a port of the policy, without credentials in the URL. No redirect is followed, and
  no proxy variable or .netrc is read.
- A name is resolved once. Every address it has must be public, by an explicit table, and the
  checked address is the one connected to. TLS and the Host header still use the name. A connection
  that was kept is used only if its address is among those.
- All of it, from the lookup to the last byte, ends by an absolute deadline, whatever the other
  side does. What is read is bounded.

A policy may name networks that are reached in spite of this. There, plain http and other ports are
fine too. Addresses at which clouds give out secrets are never reached.
"""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from core.web.answers import Answer, Incoming, TooLarge, read_beginning, read_whole
from core.web.deadline import Deadline
from core.web.kept_connections import KeptConnections
from core.web.networks import Address
from core.web.targets import Policy, SendError, Target, admit, check, lookup

__all__ = ["Answer", "Policy", "SendError", "check", "fetch", "post"]

# A name may have thousands of addresses: all are checked, and these tried.
_MOST_TRIED = 16
# Methods that change nothing (RFC 9110, RFC 4918, RFC 3253).
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# Headers that say how a request is framed and where it goes are no caller's.
_OURS = frozenset({"host", "content-length", "connection", "transfer-encoding", "expect"})
_kept = KeptConnections()


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
    verify: bool,
    policy: Policy,
) -> Answer:
    """POST within `timeout` seconds, and return the answer with the beginning of its body.

    SendError if no answer came in that time. `verify=False` skips the check of certificates and
    nothing else. ValueError for headers that cannot be sent. The request may be sent twice: on a
    kept connection that ends in silence, and then on a new one. A receiver knows it by its id.
    """
    deadline = time.monotonic() + timeout
    target = check(url, policy)
    request = _request("POST", target, body, headers)
    exchange = _Exchange(target, _context(target, verify), request, read_beginning, deadline)
    return _send(exchange, policy, may_repeat=True)


def fetch(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str],
    until: float,
    policy: Policy,
    most: int,
) -> Answer:
    """Send a request, and return the answer with its whole body, by `until` (`time.monotonic`).

    SendError if that did not come in time; `too_large` if the body has more than `most` bytes, and
    `invalid_answer` if it was cut or compressed. ValueError for a method or headers that cannot be
    sent.

    A request that may change something is sent once, on a new connection. Where a kept one ends in
    silence, nobody can tell whether it was carried out. With If-Match, its own first effect would
    refuse a second one as a conflict.
    """
    target = check(url, policy)
    request = _request(method, target, body, {**headers, "Accept-Encoding": "identity"})
    read = partial(read_whole, method=method, most=most)
    exchange = _Exchange(target, _context(target, verify=True), request, read, until)
    return _send(exchange, policy, may_repeat=method in _SAFE)


def _send(exchange: "_Exchange", policy: Policy, *, may_repeat: bool) -> Answer:
    target, deadline = exchange.target, exchange.deadline
    addresses = admit(target, lookup(target, policy, deadline), policy)
    for address in addresses[:_MOST_TRIED] if may_repeat else ():
        if kept := _kept.take(exchange.key(address)):
            try:
                return exchange.make(kept, address, is_new=False)
            except _Unheard:
                break
    connection, address = _connect(addresses, target.port, deadline)
    return exchange.make(connection, address, is_new=True)


class _Unheard(Exception):
    """A kept connection ended before a byte of the answer came, so the request may be repeated."""


@dataclass(frozen=True)
class _Exchange:
    """A request and the wait for its answer, until the deadline. Without a context it is http."""

    target: Target
    context: ssl.SSLContext | None
    request: bytes
    read: Callable[[Incoming], tuple[Answer, bool]]
    deadline: float

    def key(self, address: Address) -> Hashable:
        """Return what a connection must have been opened for to be used again."""
        return self.context, self.target.name, address, self.target.port

    def make(self, connection: socket.socket, address: Address, *, is_new: bool) -> Answer:
        """Send the request on this connection, and keep it if it can be used again."""
        incoming, is_kept = Incoming(connection), False
        try:
            with Deadline(self.deadline - time.monotonic()) as limit:
                try:
                    limit.hold(connection.fileno())
                    if is_new and self.context:
                        connection = self.context.wrap_socket(
                            connection,
                            server_hostname=self.target.name,
                            suppress_ragged_eofs=False,
                        )
                        incoming = Incoming(connection)
                    connection.sendall(self.request)
                    answer, is_open = self.read(incoming)
                except (OSError, http.client.HTTPException, ValueError) as error:
                    if not is_new and not incoming.count and not limit.passed:
                        raise _Unheard from error
                    raise SendError("timeout" if limit.passed else _code_of(error)) from error
            if limit.passed:
                raise SendError("timeout")
            if is_open:
                _kept.keep(self.key(address), connection)
                is_kept = True
            return answer
        finally:
            if not is_kept:
                connection.close()


def _connect(
    addresses: Sequence[Address], port: int, deadline: float
) -> tuple[socket.socket, Address]:
    """Connect to the first address that accepts. Each gets its share of the time that is left."""
    error: OSError | None = None
    tried = addresses[:_MOST_TRIED]
    for left, address in zip(range(len(tried), 0, -1), tried, strict=True):
        share = (deadline - time.monotonic()) / left
        if share <= 0:
            raise SendError("timeout")
        try:
            connection = socket.create_connection((str(address), port), timeout=share)
        except OSError as failed:
            error = failed
            continue
        connection.settimeout(None)  # the deadline is kept from outside
        # The last part of a request does not wait for the first to arrive.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address
    raise SendError("timeout" if isinstance(error, TimeoutError) else "refused")


def _context(target: Target, verify: bool) -> ssl.SSLContext | None:
    if target.scheme == "http":
        return None
    return _tls_context(verify, ssl.get_default_verify_paths())


@lru_cache(maxsize=8)  # reading the authorities takes longer than all else
def _tls_context(verify: bool, _authorities: object) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _request(method: str, target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a request. ValueError for headers with line ends and the like."""
    if not _TOKEN.fullmatch(method):
        raise ValueError(method)
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.host}"]
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(name)
        if name.lower() not in _OURS:
            lines.append(f"{name}: {value}")
    if body or method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body)}")
    lines += ["Connection: keep-alive", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _code_of(error: Exception) -> str:
    match error:
        case TooLarge():
            return "too_large"
        case ssl.SSLError():
            return "tls"
        case http.client.RemoteDisconnected() | OSError():
            return "refused"
    return "invalid_answer"

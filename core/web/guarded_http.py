"""A POST to a URL that a stranger chose, safe for this server and its network.

It needs only the standard library and, of Parley, its two neighbours. It promises:

- Only https, on a port of the policy, without credentials in the URL. No redirect is followed, and
  no proxy variable or .netrc is read.
- A name is resolved once. Every address it has must be public, by an explicit table, and the
  checked address is the one connected to. TLS and the Host header still use the name. A connection
  that was kept is used only if its address is among those.
- All of it, from the lookup to the last byte, ends by an absolute deadline, whatever the other
  side does. At most `_MOST_READ` bytes are read, and `KEPT` bytes of the body are returned.

A policy may name networks that are reached in spite of this. There, plain http and other ports are
fine too. Addresses at which clouds give out secrets are never reached.
"""

import http.client
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

from core.web.deadline import Deadline
from core.web.kept_connections import KeptConnections

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

KEPT = 20_000
# Status, headers and how the body is framed, beside what is kept of it.
_MOST_READ = 65_536
# A name may have thousands of addresses: all are checked, and these tried.
_MOST_TRIED = 16
# Lookups that hang outlive the deadline, each with its thread, until the resolver gives up.
_LOOKUPS = threading.BoundedSemaphore(256)

# IANA's special-purpose registries, and multicast: what `ipaddress.is_global` lets through as well.
_NOT_PUBLIC_4 = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
# Of IPv6 only this is handed out to the public, and not all of it: Teredo, ORCHID, benchmarks,
# documentation, 6to4 and AS112 are left out. Mapped and translated IPv4 lies outside of it.
_PUBLIC_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = [
    ip_network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]
# Where clouds answer any neighbour with credentials, and the prefix of local translators, where an
# IPv4 address can hide in four places. No policy opens these.
_NEVER = [
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "fd00:c1::/32",
        "fd00:42::/32",
        "fd00:100::/32",
        "fd00:a9fe:a9fe::/48",
        "64:ff9b:1::/48",
    )
]

# All that is taken for a URL. No user name, no percent sign in the host, no empty port.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>[^][@:/?#%\\]+))"
    r"(:(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(#.*)?",
    re.IGNORECASE | re.ASCII,
)
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
# What resolvers take for an IPv4 address in one of its many forms (the URL Standard's rule).
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_LOCAL_NAMES = re.compile(r"(.*\.)?(localhost|local|internal|lan|home\.arpa)")
_USUAL_PORTS = {"https": 443, "http": 80}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# Headers that say how a request is framed and where it goes are no caller's.
_OURS = frozenset({"host", "content-length", "connection", "transfer-encoding", "expect"})
_kept = KeptConnections()


class SendError(Exception):
    """The request was not answered. The code is an error class, never text from the other side.

    `blocked_address`, `invalid_url`, `dns`, `refused`, `tls`, `timeout` or `invalid_answer`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def resolve(name: str, port: int) -> list[str]:
    """Return the addresses of a name, from the machine's resolver."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_kind, address in found]


@dataclass(frozen=True)
class Policy:
    """The networks that may be reached beside public ones, and the ports for public addresses."""

    allowed: Sequence[Network] = ()
    ports: frozenset[int] = frozenset({443, 8443})
    resolve: Resolver = resolve


@dataclass(frozen=True)
class Target:
    """A parsed URL. `name` is a DNS name in ASCII, or the `address` in its usual form."""

    scheme: str
    name: str
    address: Address | None
    port: int
    path: str

    @property
    def host(self) -> str:
        """Return the value of the Host header."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == _USUAL_PORTS[self.scheme] else f"{name}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """An answer. `body` is only its beginning. `headers` has names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def parse(url: str) -> Target:
    """Parse a plain http(s) URL. SendError(`invalid_url`) for any other text."""
    found = _URL.fullmatch(url) if url.isprintable() and len(url) <= 2_000 else None
    if found is None or " " in url or "\\" in url:
        raise SendError("invalid_url")
    scheme = found["scheme"].lower()
    port = int(found["port"] or _USUAL_PORTS[scheme])
    path = (found["path"] or "/") + (found["query"] or "")
    if not 0 < port < 65_536 or not path.isascii():
        raise SendError("invalid_url")
    try:
        address = IPv6Address(found["ipv6"]) if found["ipv6"] else None
        name = str(address) if address else _dns_name(found["name"])
        if _ENDS_IN_NUMBER.fullmatch(name):
            return Target(scheme, name, IPv4Address(name), port, path)
    except ValueError:
        raise SendError("invalid_url") from None
    return Target(scheme, name, address, port, path)


def _dns_name(text: str) -> str:
    """Return the name in ASCII and lower case, without the root dot.

    ValueError if it is invalid.
    """
    wanted = text.lower().removesuffix(".")
    name = wanted.encode("idna").decode()
    # This codec folds digits in circles to digits and a sharp s to ss, so it may be another name.
    if not wanted.isascii() and name.encode().decode("idna") != wanted:
        raise ValueError(text)
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise ValueError(text)
    return name


def check(url: str, policy: Policy) -> Target:
    """Raise SendError for all that can be refused before a name is looked up.

    `post` begins with it.
    """
    target = parse(url)
    if target.address is not None:
        _admit(target, [target.address], policy)
    elif not policy.allowed:
        if _LOCAL_NAMES.fullmatch(target.name):
            raise SendError("blocked_address")
        if not _is_usual(target, policy):
            raise SendError("invalid_url")
    return target


def is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        return address in _PUBLIC_6 and not _is_in(address, _NOT_PUBLIC_6)
    return not _is_in(address, _NOT_PUBLIC_4)


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
    verify: bool,
    policy: Policy,
) -> Answer:
    """Send the request within `timeout` seconds. SendError if no answer came in that time.

    `verify=False` skips the check of certificates and nothing else. ValueError for headers that
    cannot be sent.
    """
    deadline = time.monotonic() + timeout
    target = check(url, policy)
    request = _request(target, body, headers)
    addresses = _admit(target, _lookup(target, policy, deadline), policy)
    context = None
    if target.scheme == "https":
        context = _tls_context(verify, ssl.get_default_verify_paths())
    exchange = _Exchange(target, context, request, deadline)
    for address in addresses[:_MOST_TRIED]:
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
    deadline: float

    def key(self, address: Address) -> Hashable:
        """Return what a connection must have been opened for to be used again."""
        return self.context, self.target.name, address, self.target.port

    def make(self, connection: socket.socket, address: Address, *, is_new: bool) -> Answer:
        """Send the request on this connection, and keep it if it can be used again."""
        incoming, is_kept = _Incoming(connection), False
        try:
            with Deadline(self.deadline - time.monotonic()) as limit:
                try:
                    limit.hold(connection.fileno())
                    if is_new and self.context:
                        connection = self.context.wrap_socket(
                            connection, server_hostname=self.target.name
                        )
                        incoming = _Incoming(connection)
                    connection.sendall(self.request)
                    answer, is_open = _read_answer(incoming)
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


def _lookup(target: Target, policy: Policy, deadline: float) -> list[Address]:
    if target.address is not None:
        return [target.address]
    if not _LOOKUPS.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise SendError("timeout")
    answer: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(policy.resolve(target.name, target.port))
        except Exception as error:
            answer.set_exception(error)
        finally:
            _LOOKUPS.release()

    try:
        threading.Thread(target=ask, daemon=True).start()  # a resolver knows no deadline
    except RuntimeError:  # the machine has no thread left
        _LOOKUPS.release()
        raise SendError("dns") from None
    try:
        texts = answer.result(timeout=max(0.0, deadline - time.monotonic()))
        # In their order, each once; with a scope, one is link-local and refused as such.
        found = list(dict.fromkeys(ip_address(text.partition("%")[0]) for text in texts))
    except TimeoutError:
        raise SendError("timeout") from None
    except (OSError, ValueError):
        raise SendError("dns") from None
    if not found:
        raise SendError("dns")
    return found


def _admit(target: Target, addresses: Sequence[Address], policy: Policy) -> Sequence[Address]:
    """Return all addresses if each of them may be reached.

    One forbidden address blocks the name.
    """
    for address in addresses:
        if any(_is_in(inner, _NEVER) for inner in (address, *_within(address))):
            raise SendError("blocked_address")
        if _is_in(address, policy.allowed):
            continue
        if not is_public(address):
            raise SendError("blocked_address")
        if not _is_usual(target, policy):
            raise SendError("invalid_url")
    return addresses


def _is_usual(target: Target, policy: Policy) -> bool:
    return target.scheme == "https" and target.port in policy.ports


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _within(address: Address) -> list[Address]:
    """Return the IPv4 addresses that an IPv6 address may stand for."""
    if not isinstance(address, IPv6Address):
        return []
    found = [address.sixtofour, *(address.teredo or ())]
    if address not in _PUBLIC_6:  # mapped, compatible, translated: at the end of it
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]


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


@lru_cache(maxsize=8)  # reading the authorities takes longer than all else
def _tls_context(verify: bool, _authorities: object) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a request. ValueError for headers with line ends and the like."""
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.host}"]
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(name)
        if name.lower() not in _OURS:
            lines.append(f"{name}: {value}")
    lines += [f"Content-Length: {len(body)}", "Connection: keep-alive", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _read_answer(incoming: "_Incoming") -> tuple[Answer, bool]:
    """Return the answer, and whether the connection can be used again."""
    reader = _Reader(incoming)
    with http.client.HTTPResponse(reader, method="POST") as response:  # type: ignore[arg-type]
        response.begin()
        while response.status < 200:  # word of what is still to come
            response.headers = None  # type: ignore[assignment]  # or it would not begin again
            response.begin()
        received = {name.lower(): value for name, value in response.getheaders()}
        body, is_whole = _beginning(response)
        answer = Answer(response.status, received, body)
        return answer, is_whole and not response.will_close and not reader.has_more()


def _beginning(response: http.client.HTTPResponse) -> tuple[bytes, bool]:
    """Return the beginning of the body, and whether it is all of it.

    The status counts, so a body may break off.
    """
    try:
        body = response.read(KEPT)[:KEPT]
    except http.client.IncompleteRead as error:
        return error.partial[:KEPT], False
    except (OSError, http.client.HTTPException):
        return b"", False
    return body, response.isclosed()


class _Incoming(io.RawIOBase):
    """The bytes of an answer, with a limit on how many are read. HTTPException beyond it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.count = 0
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        if self.has_ended:
            return None
        count = self._connection.recv_into(buffer)
        self.count += count
        if self.count > _MOST_READ:
            raise http.client.HTTPException
        return count


class _Reader(io.BufferedReader):
    """A reader in the place of the socket from which `http.client` makes one."""

    raw: _Incoming

    def makefile(self, _mode: str) -> "_Reader":
        return self

    def close(self) -> None:
        """Stay open, so that `has_more` can look at what has come after the answer."""

    def has_more(self) -> bool:
        self.raw.has_ended = True
        return bool(self.peek())


def _code_of(error: Exception) -> str:
    match error:
        case ssl.SSLError():
            return "tls"
        case http.client.RemoteDisconnected() | OSError():
            return "refused"
    return "invalid_answer"

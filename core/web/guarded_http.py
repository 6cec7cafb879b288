"""A POST to a URL that a stranger chose, safe for this server and its network.

It needs only the standard library and, of Parley, `core.web.deadline`. It promises:

- Only https, on a port of the policy, without credentials in the URL. No redirect is followed, and
  no proxy variable or .netrc is read.
- A name is resolved once. Every address it has must be public, by an explicit table, and the
  checked address is the one connected to. TLS and the Host header still use the name.
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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

from core.web.deadline import Deadline

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
# Headers that say how a request is framed and where it goes are no caller's.
_OURS = frozenset({"host", "content-length", "connection", "transfer-encoding", "expect"})


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
    with ExitStack() as stack:
        connection = stack.enter_context(_connect(addresses, target.port, deadline))
        limit = stack.enter_context(Deadline(deadline - time.monotonic()))
        try:
            limit.hold(connection.fileno())
            # Head and body are two writes; the second does not wait for the first to arrive.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if target.scheme == "https":
                context = _tls_context(verify, ssl.get_default_verify_paths())
                connection = stack.enter_context(
                    context.wrap_socket(connection, server_hostname=target.name)
                )
            request.sock = connection
            request.endheaders(body)
            answer = _read_answer(connection)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SendError("timeout" if limit.passed else _code_of(error)) from error
        if limit.passed:
            raise SendError("timeout")
        return answer


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


def _connect(addresses: Sequence[Address], port: int, deadline: float) -> socket.socket:
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
        return connection
    raise SendError("timeout" if isinstance(error, TimeoutError) else "refused")


@lru_cache(maxsize=8)  # reading the authorities takes longer than all else
def _tls_context(verify: bool, _authorities: object) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> http.client.HTTPConnection:
    """Prepare a request. ValueError for headers with line ends and similar characters."""
    request = http.client.HTTPConnection(target.name, target.port)
    request.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
    request.putheader("Host", target.host)
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(name)
        if name.lower() not in _OURS:
            request.putheader(name, value)
    request.putheader("Content-Length", str(len(body)))
    request.putheader("Connection", "close")
    return request


def _read_answer(connection: socket.socket) -> Answer:
    with http.client.HTTPResponse(connection, method="POST") as response:
        response.fp = io.BufferedReader(_Bounded(response.fp))
        response.begin()
        while response.status < 200:  # word of what is still to come
            response.headers = None  # type: ignore[assignment]  # or it would not begin again
            response.begin()
        received = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, received, _beginning(response))


def _beginning(response: http.client.HTTPResponse) -> bytes:
    """Return the beginning of the body. The status counts, so a body may break off."""
    try:
        return response.read(KEPT)[:KEPT]
    except http.client.IncompleteRead as error:
        return error.partial[:KEPT]
    except (OSError, http.client.HTTPException):
        return b""


class _Bounded(io.RawIOBase):
    """A stream with a limit on the bytes that are read. HTTPException beyond it."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._left = _MOST_READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        count = self._stream.readinto1(buffer)
        self._left -= count
        if self._left < 0:
            raise http.client.HTTPException
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def _code_of(error: Exception) -> str:
    match error:
        case ssl.SSLError():
            return "tls"
        case http.client.RemoteDisconnected() | OSError():
            return "refused"
    return "invalid_answer"

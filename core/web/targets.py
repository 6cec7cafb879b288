"""URLs that a stranger chose: how they are read, and which of them a policy lets through."""

import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

from core.web.networks import Address, Network, is_in, is_never_reached, is_public

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

# Lookups that hang outlive the deadline, each with its thread, until the resolver gives up.
_LOOKUPS = threading.BoundedSemaphore(256)

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


class SendError(Exception):
    """The request was not answered. The code is an error class, never text from the other side.

    `blocked_address`, `invalid_url`, `dns`, `refused`, `tls`, `timeout` or `invalid_answer`; where
    the whole body is wanted also `too_large`.
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
    """Parse a URL. SendError for all that can be refused before its name is looked up."""
    target = parse(url)
    if target.address is not None:
        admit(target, [target.address], policy)
    elif not policy.allowed:
        if _LOCAL_NAMES.fullmatch(target.name):
            raise SendError("blocked_address")
        if not _is_usual(target, policy):
            raise SendError("invalid_url")
    return target


def lookup(target: Target, policy: Policy, deadline: float) -> list[Address]:
    """Return the addresses of a target, each once, by the deadline (`time.monotonic`)."""
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


def admit(target: Target, addresses: Sequence[Address], policy: Policy) -> Sequence[Address]:
    """Return all addresses if each of them may be reached.

    One forbidden address blocks the name.
    """
    for address in addresses:
        if is_never_reached(address):
            raise SendError("blocked_address")
        if is_in(address, policy.allowed):
            continue
        if not is_public(address):
            raise SendError("blocked_address")
        if not _is_usual(target, policy):
            raise SendError("invalid_url")
    return addresses


def _is_usual(target: Target, policy: Policy) -> bool:
    return target.scheme == "https" and target.port in policy.ports

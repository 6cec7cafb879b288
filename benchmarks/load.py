"""A load client: HTTP/1.1 over many persistent connections, without pauses between requests.

Each connection has a thread. It sends its next request, written beforehand, once it has read the
answer to the one before. The standard library's client would cost as much as the server that it
asks, on the same processors. This one costs less than a tenth of it.
"""

import itertools
import os
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.torture.deployment import Running
from tests.torture.served import together

_LOOPBACK = "127.0.0.1"
_ANSWER_SECONDS = 30
_CHUNK = 1 << 18
_BLANK_LINE = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_TICKS = os.sysconf("SC_CLK_TCK")


class UnexpectedAnswer(Exception):
    """The answer is not worth measuring."""


def request(
    path: str, headers: Mapping[str, str], *, method: str = "GET", body: bytes = b""
) -> bytes:
    """Return the bytes of a request. Its body is JSON."""
    told = {"Host": _LOOPBACK, **headers}
    if body:
        told |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def bearing(host: Mapping[str, Any]) -> dict[str, str]:
    """Return the header of a caller with this host's `token`."""
    return {"Authorization": f"Bearer {host['token']}"}


@dataclass(frozen=True)
class Server:
    """A server on this machine: its port and all its processes."""

    port: int
    running: Running

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of its processes until now, user and system, to a hundredth."""
        return cpu_seconds(self.running)

    def ask(self, request: bytes, *, status: int = 200) -> bytes:
        """Return the body of one answer."""
        with closing(_Connection(self.port)) as connection:
            return connection.ask(request, status)


def cpu_seconds(running: Running) -> float:
    """Return the CPU seconds of all its processes until now, user and system, to a hundredth."""
    return sum(map(_cpu_ticks, running.survivors())) / _TICKS


def _cpu_ticks(pid: int) -> int:
    """Return the clock ticks of a process, utime and stime (proc(5), `stat`)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@dataclass(frozen=True)
class Run:
    """One run: its seconds, the seconds that each request waited, and the server's CPU seconds."""

    seconds: float
    waits: Sequence[float]
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Return the requests a second."""
        return len(self.waits) / self.seconds

    @property
    def cpu(self) -> float:
        """Return the milliseconds of the server's CPU for a request."""
        return 1000 * self.cpu_seconds / len(self.waits)

    def wait(self, share: float) -> float:
        """Return the milliseconds within which this share of the requests was answered."""
        return 1000 * sorted(self.waits)[int(share * (len(self.waits) - 1))]


def drive(
    server: Server,
    requests: Sequence[Iterable[bytes]],
    *,
    status: int = 200,
    seconds: float = 60.0,
) -> Run:
    """Send each connection's requests, for at most `seconds`.

    UnexpectedAnswer if one is answered with another status.
    """
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(_Connection(server.port))) for _ in requests]
        before = server.cpu_seconds()
        shifts = together(
            [
                partial(_work, connection, own, status, seconds)
                for connection, own in zip(connections, requests, strict=True)
            ]
        )
        used = server.cpu_seconds() - before
    began, ended = min(shift[0] for shift in shifts), max(shift[-1] for shift in shifts)
    waits = [read - sent for shift in shifts for sent, read in itertools.pairwise(shift)]
    return Run(ended - began, waits, used)


@dataclass(frozen=True)
class Question:
    """Requests to send to a server, in turn.

    Each answer must hold `text` at least `times` times.
    """

    server: Server
    requests: Sequence[bytes]
    text: bytes
    times: int

    def drive(self, *, connections: int, seconds: float) -> Run:
        """Send the requests for so many seconds. UnexpectedAnswer if an answer lacks the text."""
        for request in self.requests:
            answer = self.server.ask(request)
            if answer.count(self.text) < self.times:
                raise UnexpectedAnswer(f"{answer[:1000]!r}, asked {request[:300]!r}")
        turns = [itertools.cycle(self.requests) for _ in range(connections)]
        return drive(self.server, turns, seconds=seconds)


class _Connection:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((_LOOPBACK, port), timeout=_ANSWER_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes, status: int) -> bytes:
        self._socket.sendall(request)
        data = self._more()
        while (head := data.find(_BLANK_LINE)) < 0:
            data += self._more()
        length = _LENGTH.search(data, 0, head + 2)
        if length is None:
            raise UnexpectedAnswer(f"without a length: {data[:head]!r}")
        begin = head + len(_BLANK_LINE)
        end = begin + int(length[1])
        while len(data) < end:
            data += self._more()
        if int(data[9:12]) != status:
            raise UnexpectedAnswer(f"{data[:1000]!r}, asked {request[:300]!r}")
        return data[begin:]

    def _more(self) -> bytes:
        data = self._socket.recv(_CHUNK)
        if not data:
            raise UnexpectedAnswer("the server hangs up")
        return data

    def close(self) -> None:
        self._socket.close()


def _work(
    connection: _Connection, requests: Iterable[bytes], status: int, seconds: float
) -> list[float]:
    """Send requests one after the other. Return the moments of each send and of the last answer."""
    moments = [perf_counter()]
    until = moments[0] + seconds
    for request in requests:
        if moments[-1] >= until:
            break
        connection.ask(request, status)
        moments.append(perf_counter())
    return moments

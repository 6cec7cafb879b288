"""A client that asks as fast as it is answered: HTTP/1.1 over so many connections that are kept.

Each is a thread that sends its next request, written beforehand, once it has read the answer to the
one before. The standard library's client would cost as much as the server that it asks, on the same
processors; this one costs less than a tenth of it.
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
    """It is no answer that is worth measuring."""


def request(
    path: str, headers: Mapping[str, str], *, method: str = "GET", body: bytes = b""
) -> bytes:
    """A request as it is sent; its body is JSON."""
    told = {"Host": _LOOPBACK, **headers}
    if body:
        told |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def bearing(host: Mapping[str, Any]) -> dict[str, str]:
    """The header of who calls with this host's `token`."""
    return {"Authorization": f"Bearer {host['token']}"}


@dataclass(frozen=True)
class Server:
    """A server on this machine: where it listens, and all the processes that it is made of."""

    port: int
    running: Running

    def cpu_seconds(self) -> float:
        """What its processes have used until now, in user and system mode, to a hundredth."""
        return sum(map(_cpu_ticks, self.running.survivors())) / _TICKS

    def ask(self, request: bytes, *, status: int = 200) -> bytes:
        """The body of one answer."""
        with closing(_Connection(self.port)) as connection:
            return connection.ask(request, status)


def _cpu_ticks(pid: int) -> int:
    """See proc(5), `stat`: utime and stime."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@dataclass(frozen=True)
class Run:
    """For how many seconds requests were sent, how long each waited, and the server's CPU."""

    seconds: float
    waits: Sequence[float]
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.waits) / self.seconds

    @property
    def cpu(self) -> float:
        """Milliseconds of the server's CPU a request."""
        return 1000 * self.cpu_seconds / len(self.waits)

    def wait(self, share: float) -> float:
        """The milliseconds within which this share of the requests was answered."""
        return 1000 * sorted(self.waits)[int(share * (len(self.waits) - 1))]


def drive(
    server: Server,
    requests: Sequence[Iterable[bytes]],
    *,
    status: int = 200,
    seconds: float = 60.0,
) -> Run:
    """Send each connection's requests, for at most so many seconds.

    UnexpectedAnswer where one is answered with another status.
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
    """What is asked of a server, in turn, and a text that each answer must hold so many times."""

    server: Server
    requests: Sequence[bytes]
    text: bytes
    times: int

    def drive(self, *, connections: int, seconds: float) -> Run:
        """Ask for so long. UnexpectedAnswer where what comes is not what should be measured."""
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
    """When each request was sent, the next as soon as one was answered, and the end of the last."""
    moments = [perf_counter()]
    until = moments[0] + seconds
    for request in requests:
        if moments[-1] >= until:
            break
        connection.ask(request, status)
        moments.append(perf_counter())
    return moments

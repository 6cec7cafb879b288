"""Kept connections of the webhook client: when one is used again, and when it is not."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from core.web import guarded_http, kept_connections
from core.web.guarded_http import Policy, SendError
from tests import wire
from tests.tls import Authority
from tests.webhooks.receivers import LOOPBACK, OK, Receiver, listening

NAME = "hooks.example.test"
POLICY = Policy(allowed=[ip_network("127.0.0.0/8")], resolve=lambda _name, _port: [LOOPBACK])


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_http, "_kept", kept_connections.KeptConnections())
    monkeypatch.setattr(kept_connections, "IDLE_SECONDS", 2.0)


@contextmanager
def answering(
    *answers: bytes, wrap: Callable[[socket.socket], socket.socket] = lambda connection: connection
) -> Iterator[tuple[Receiver, list[int]]]:
    """Answer the requests of each connection with these in turn, then close it.

    Yield the receiver, and the number of requests of each connection.
    """
    counts: list[int] = []

    def talk(connection: socket.socket) -> None:
        number = len(counts)
        counts.append(0)
        with wrap(connection) as wrapped:
            for answer in answers:
                before = len(made.requests)
                made.read_request(wrapped)
                if len(made.requests) == before:
                    return
                counts[number] += 1
                wrapped.sendall(answer)

    with listening(talk) as made:
        yield made, counts


def post(port: int, **changes: Any) -> guarded_http.Answer:
    usual: dict[str, Any] = {
        "url": f"http://{NAME}:{port}/hook",
        "body": b"{}",
        "headers": {},
        "timeout": 5,
        "verify": True,
        "policy": POLICY,
    }
    wanted = usual | changes
    return guarded_http.post(wanted.pop("url"), **wanted)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        CHUNKED,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n" + OK,
    ],
)
def test_the_next_request_goes_by_the_same_connection(answer: bytes) -> None:
    with answering(*[answer] * 3) as (made, counts):
        for _ in range(3):
            post(made.port)
        assert counts == [3]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 302 Found\r\nContent-Length: 30000\r\n\r\n" + b"x" * 30_000,
        b"HTTP/1.1 500 Error\r\nContent-Length: 30000\r\n\r\n" + b"x" * 30_000,
        # Words out of turn could pass for the answer to the next request.
        OK + OK,
        OK + b"\r\n",
        CHUNKED + b"x",
    ],
)
def test_one_that_says_so_or_has_more_to_say_is_not_used_again(answer: bytes) -> None:
    with answering(answer, answer) as (made, counts):
        for _ in range(2):
            assert post(made.port).status in (200, 302, 500)
        assert counts == [1, 1]


def test_words_that_come_between_requests_end_a_connection() -> None:
    opened: list[socket.socket] = []

    def note(connection: socket.socket) -> socket.socket:
        opened.append(connection)
        return connection

    with answering(OK, OK, wrap=note) as (made, counts):
        post(made.port)
        opened[0].sendall(b"x")
        post(made.port)
        assert counts == [1, 1]


def test_one_that_failed_is_not_used_again() -> None:
    with answering(b"SSH-2.0-OpenSSH_9.2\r\n", OK) as (made, counts):
        for _ in range(2):
            with pytest.raises(SendError, match="invalid_answer"):
                post(made.port)
        assert counts == [1, 1]


def test_one_that_ends_before_an_answer_is_tried_anew_once() -> None:
    """A receiver that closes in silence has not answered; it knows a message by its id."""
    with answering(OK, b"") as (made, counts):
        post(made.port)
        assert post(made.port).body == b"ok"
        assert counts == [2, 1]
    with answering(OK, b"") as (made, counts):
        post(made.port)
        made.requests.clear()
    with pytest.raises(SendError, match="refused"):
        post(made.port)


def test_one_that_breaks_off_within_an_answer_is_not_tried_anew() -> None:
    with answering(OK, b"HTTP/1.1 2") as (made, counts):
        post(made.port)
        with pytest.raises(SendError, match="invalid_answer"):
            post(made.port)
        assert counts == [2]


def test_the_deadline_cuts_a_kept_connection() -> None:
    def talk(connection: socket.socket) -> None:
        made.read_request(connection)
        connection.sendall(OK)
        made.read_request(connection)
        made.ended.wait(60)

    with listening(talk) as made:
        post(made.port)
        began = time.monotonic()
        with pytest.raises(SendError, match="timeout"):
            post(made.port, timeout=0.2)
        assert time.monotonic() - began < 1.2
        assert len(made.requests) == 2


def test_an_address_that_the_name_has_no_longer_is_not_used() -> None:
    """It is looked up and checked at each request, and a connection is only for its address."""

    def asked(*addresses: str) -> Policy:
        return Policy(allowed=POLICY.allowed, resolve=lambda _name, _port: addresses)

    with answering(OK, OK, OK) as (made, counts):
        post(made.port, policy=asked(LOOPBACK))
        with pytest.raises(SendError, match="refused"):
            post(made.port, policy=asked("127.0.0.2"))
        with pytest.raises(SendError, match="blocked_address"):
            post(made.port, policy=asked(LOOPBACK, "10.0.0.1"))
        with pytest.raises(SendError, match="dns"):
            post(made.port, policy=asked())
        assert counts == [1]
        post(made.port, policy=asked("127.0.0.2", LOOPBACK))
        assert counts == [2]


def test_another_name_or_another_trust_takes_a_connection_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    context, _asked = authority.serves(NAME)

    def by_tls(connection: socket.socket) -> socket.socket:
        return context.wrap_socket(connection, server_side=True)

    with answering(*[OK] * 4, wrap=by_tls) as (made, counts):
        url = f"https://{NAME}:{made.port}/hook"
        for _ in range(2):
            post(made.port, url=url)
        assert counts == [2]
        post(made.port, url=url, verify=False)
        assert counts == [2, 1]
        with pytest.raises(SendError, match="tls"):
            post(made.port, url=f"https://other.example.test:{made.port}/hook")
        post(made.port, url=url)
        assert counts == [3, 1, 0]


def test_an_idle_connection_is_closed() -> None:
    with answering(OK, OK) as (made, counts):
        post(made.port)
        kept = guarded_http._kept
        assert len(kept._kept) == 1
        wire.until(lambda: not kept._kept, seconds=10, what="nothing is kept")
        wire.until(lambda: not kept._is_closing)
        post(made.port)
        assert counts == [1, 1]


def test_few_are_kept() -> None:
    kept, pairs = kept_connections.KeptConnections(), []
    for number in range(kept_connections.MOST + 10):
        pairs.append(socket.socketpair())
        kept.keep(number, pairs[-1][0])
    for _ in range(kept_connections.MOST_OF_A_KEY + 1):
        pairs.append(socket.socketpair())
        kept.keep("one", pairs[-1][0])
    assert [each.key for each in kept._kept].count("one") == kept_connections.MOST_OF_A_KEY
    assert len(kept._kept) == kept_connections.MOST
    assert sum(mine.fileno() >= 0 for mine, _other in pairs) == kept_connections.MOST
    wire.until(lambda: not kept._kept, seconds=10, what="nothing is kept")
    for _mine, other in pairs:
        other.close()

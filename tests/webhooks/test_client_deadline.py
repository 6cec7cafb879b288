"""Deadlines of the webhook client: an attempt ends by its timeout, with bounded resources."""

import resource
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from core.web import guarded_http, targets
from core.web.answers import KEPT
from core.web.guarded_http import Policy, SendError
from tests.tls import Authority
from tests.webhooks.receivers import (
    LOOPBACK,
    OK,
    Receiver,
    dripping,
    endless,
    listening,
    receiver,
)
from tests.wire import until

NAME = "hooks.example.test"
POLICY = Policy(allowed=[ip_network("127.0.0.0/8")], resolve=lambda _name, _port: [LOOPBACK])
TIMEOUT = 0.2
# What is promised: it ends a second after the timeout at the latest.
GRACE = 1.0
# Of an answer that comes at once, however busy the machine is.
PATIENCE = 10.0
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GIGABYTE = 1 << 30

Made = Callable[..., AbstractContextManager[Receiver]]


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(scheme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Made:
    """Return a maker of receivers that speak the scheme."""
    if scheme == "http":
        return receiver
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))

    def by_tls(
        *answer: bytes | Iterator[bytes], pause: float = 0
    ) -> AbstractContextManager[Receiver]:
        return receiver(*answer, pause=pause, tls=authority.serves(NAME)[0])

    return by_tls


@contextmanager
def in_time(timeout: float = TIMEOUT) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < timeout + GRACE


def post(
    url: str, *, policy: Policy = POLICY, body: bytes = b"{}", timeout: float = TIMEOUT
) -> guarded_http.Answer:
    return guarded_http.post(
        url, body=body, headers={}, timeout=timeout, verify=True, policy=policy
    )


def silence(made: Receiver) -> None:
    """Let the receiver accept connections but read and send nothing."""
    made.ended.wait(60)


def times_out(url: str, *, policy: Policy = POLICY, body: bytes = b"{}") -> bool:
    with in_time():
        try:
            post(url, policy=policy, body=body)
        except SendError as error:
            return error.code == "timeout"
    return False


@pytest.mark.parametrize(
    "answer",
    [
        b"H",
        b"HTTP/1.1 200 OK\r\nX-A: b",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\n\r\nbody",
        CHUNKED + b"f",
        CHUNKED + b"fff\r\nbody",
        CHUNKED + b"1;extension",
        CHUNKED + b"2\r\nab\r\n0\r\nTrailer: a",
    ],
)
def test_a_receiver_that_drips(make: Made, scheme: str, answer: bytes) -> None:
    with make(dripping(answer), pause=0.01) as made:
        assert times_out(f"{scheme}://{NAME}:{made.port}/")


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\n", OK[:-1]])
def test_a_receiver_that_falls_silent(make: Made, scheme: str, words: bytes) -> None:
    with make(words, pause=60) as made:
        assert times_out(f"{scheme}://{NAME}:{made.port}/")


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03\x00"])
def test_a_handshake_that_drips_or_never_begins(hello: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        for piece in dripping(hello) if hello else ():
            connection.sendall(piece)
            if made.ended.wait(0.01):
                return
        silence(made)

    with listening(talk) as made:
        assert times_out(f"https://{NAME}:{made.port}/")


def test_tls_that_talks_on_without_a_word_of_the_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    context, _asked = authority.serves(NAME)
    context.num_tickets = 50_000_000  # each a record that TLS reads for itself
    with receiver(OK, tls=context) as made:
        assert times_out(f"https://{NAME}:{made.port}/")


def test_a_receiver_that_does_not_listen_to_the_end() -> None:
    with listening(lambda _connection: silence(made)) as made:
        assert times_out(f"http://{NAME}:{made.port}/", body=b"x" * 30_000_000)


def test_a_receiver_that_never_takes_the_connection() -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
        for _ in range(3):  # as many as wait in its queue, and one more
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://{NAME}:{full.getsockname()[1]}/"
        assert times_out(url)
        # Of two addresses each is given its share of the time.
        two = Policy(allowed=POLICY.allowed, resolve=lambda _name, _port: [LOOPBACK, "127.0.0.2"])
        with in_time(1.0), pytest.raises(SendError, match="refused"):
            post(url, policy=two, timeout=1.0)


def test_a_resolver_that_hangs() -> None:
    ended = threading.Event()

    def resolve(_name: str, _port: int) -> list[str]:
        ended.wait(60)
        return [LOOPBACK]

    assert times_out(f"http://{NAME}/", policy=Policy(allowed=POLICY.allowed, resolve=resolve))
    ended.set()


def test_resolvers_that_hang_leave_a_bounded_number_of_threads() -> None:
    ended, before = threading.Event(), threading.active_count()

    def resolve(_name: str, _port: int) -> list[str]:
        ended.wait(60)
        return []

    def code(resolver: targets.Resolver, timeout: float) -> str:
        with pytest.raises(SendError) as caught:
            guarded_http.post(
                f"https://{NAME}/",
                body=b"",
                headers={},
                timeout=timeout,
                verify=True,
                policy=Policy(resolve=resolver),
            )
        return caught.value.code

    assert {code(resolve, 0.001) for _ in range(400)} == {"timeout"}
    assert threading.active_count() - before <= 256
    ended.set()
    until(lambda: threading.active_count() <= before, what="the threads end")
    assert code(lambda _name, _port: [], 5) == "dns"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIGABYTE, b"x" * 65_536),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536),
        (CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
        (CHUNKED + b"%x\r\n" % GIGABYTE, b"x" * 65_536),
        (CHUNKED + b"-1\r\n", b"x" * 65_536),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 60_000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 65_536),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
    ],
    ids=["length", "to the end", "chunks", "a chunk", "-1", "headers", "a header", "continue"],
)
def test_a_gigabyte(make: Made, scheme: str, head: bytes, piece: bytes) -> None:
    # Warm: what is loaded once, as the authorities are, is no cost of an answer.
    with make(OK) as made:
        post(f"{scheme}://{NAME}:{made.port}/", timeout=PATIENCE)
    peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with make(head, endless(piece)) as made, in_time(PATIENCE):
        tracemalloc.start()
        try:
            received = post(f"{scheme}://{NAME}:{made.port}/", timeout=PATIENCE).body
        except SendError as error:
            assert error.code == "invalid_answer"
            received = b""
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert set(received) <= set(b"x")
    assert len(received) in (0, KEPT)
    # In Python, and in kilobytes of the whole process: nothing like the gigabyte.
    assert peak < 2_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_before < 16_000


def test_nothing_is_left_behind() -> None:
    before = threading.active_count()
    with receiver(OK) as made:
        for _ in range(20):
            post(f"http://{NAME}:{made.port}/", timeout=PATIENCE)
    until(lambda: threading.active_count() <= before, what="the threads end")

"""Whole answers by the guarded client: what is sent, what is believed, and when it gives up."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.web import guarded_http, kept_connections
from core.web.guarded_http import Answer, Policy, SendError
from tests.tls import Authority
from tests.webhooks.receivers import (
    LOOPBACK,
    OK,
    Receiver,
    dripping,
    endless,
    listening,
    name_server,
    no_way_out,
    receiver,
)

NAME = "dav.example.test"
POLICY = Policy(allowed=[ip_network("127.0.0.0/8")], resolve=lambda _name, _port: [LOOPBACK])
MOST = 20_000_000
PUBLIC = "93.184.216.34"
TIMEOUT = 0.2
# What is promised: it ends a second after the deadline at the latest.
GRACE = 1.0
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_http, "_kept", kept_connections.KeptConnections())


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Authority:
    """Return a certificate authority that the client trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


def fetch(port: int, method: str = "GET", *, seconds: float = 10, **changes: Any) -> Answer:
    """Ask the loopback by http, unless `changes` says otherwise."""
    usual: dict[str, Any] = {
        "url": f"http://{NAME}:{port}/dav/?a=b",
        "headers": {},
        "until": time.monotonic() + seconds,
        "policy": POLICY,
        "most": MOST,
    }
    wanted = usual | changes
    return guarded_http.fetch(method, wanted.pop("url"), **wanted)


def refusal(port: int, method: str = "GET", **changes: Any) -> str:
    with pytest.raises(SendError) as caught:
        fetch(port, method, **changes)
    return caught.value.code


# --- requests ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", ""),
        ("HEAD", b"", ""),
        ("PROPFIND", b"<propfind/>", "Content-Length: 11\r\n"),
        ("REPORT", b"<report/>", "Content-Length: 9\r\n"),
        ("PUT", b"", "Content-Length: 0\r\n"),
        ("DELETE", b"", "Content-Length: 0\r\n"),
        ("OPTIONS", b"", "Content-Length: 0\r\n"),
    ],
)
def test_what_is_sent(method: str, body: bytes, length: str) -> None:
    with receiver(b"HTTP/1.1 204 No Content\r\n\r\n") as made:
        fetch(made.port, method, body=body, headers={"Depth": "1", "Content-Length": "3"})
        expected = (
            f"{method} /dav/?a=b HTTP/1.1\r\nHost: {NAME}:{made.port}\r\nDepth: 1\r\n"
            f"Accept-Encoding: identity\r\n{length}Connection: keep-alive\r\n\r\n"
        )
        assert made.requests == [expected.encode() + body]


@pytest.mark.parametrize("method", ["", "GE T", "GET /x HTTP/1.1\r\nX-A:", "GÉT"])
def test_a_method_that_is_no_token_is_an_error_of_the_callers(method: str) -> None:
    with listening(lambda connection: pytest.fail("connected")) as made:
        with pytest.raises(ValueError, match=r"^"):
            fetch(made.port, method)
        assert made.requests == []


# --- answers ----------------------------------------------------------------------------------

WHOLE = [
    (OK, b"ok"),
    (LENGTH % 0, b""),
    (CHUNKED + b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nX-A: b\r\n\r\n", b"abcde"),
    (CHUNKED + b"0A \r\n0123456789\r\n000\r\n\r\n", b"0123456789"),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\n" + OK, b"ok"),
    (b'HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n', b""),
    # The length and the coding are those that the body would have.
    (b"HTTP/1.1 304 No\r\nContent-Encoding: gzip\r\nContent-Length: 99999999\r\n\r\n", b""),
    (b"HTTP/1.1 507 Full\r\nContent-Length: 2\r\n\r\nok", b"ok"),
]


@pytest.mark.parametrize(("answer", "body"), WHOLE)
def test_a_whole_answer(answer: bytes, body: bytes) -> None:
    with receiver(answer) as made:
        assert fetch(made.port).body == body


@pytest.mark.parametrize("answer", [answer for answer, _body in WHOLE])
def test_an_answer_that_is_cut_anywhere_is_none(answer: bytes) -> None:
    for end in range(len(answer)):
        with receiver(answer[:end]) as made:
            assert refusal(made.port) in ("refused", "invalid_answer")


def test_the_answer_to_head_has_no_body() -> None:
    with receiver(LENGTH % 99_999_999) as made:
        answer = fetch(made.port, "HEAD")
        assert answer == Answer(200, {"content-length": "99999999"}, b"")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_the_inside_is_not_followed(status: int) -> None:
    with receiver(OK) as private:
        to = f"http://{LOOPBACK}:{private.port}/".encode()
        moved = b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, to)
        with receiver(moved) as made:
            answer = fetch(made.port, "PROPFIND")
            assert (answer.status, answer.headers["location"]) == (status, to.decode())
        assert private.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        LENGTH % 9 + b"broke",
        # More than was announced: one of both is wrong.
        LENGTH % 3 + b"more",
        OK + OK,
        CHUNKED + b"2\r\nab\r\n0\r\n\r\nmore",
        # No length and no chunks: nothing tells the end from a fault.
        TO_THE_END + b"to the end",
        b"HTTP/1.0 200 OK\r\n\r\nto the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: identity, br\r\nContent-Length: 2\r\n\r\nok",
        CHUNKED + b"\r\n",
        CHUNKED + b"-2\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"+2\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
        CHUNKED + b"2\nab\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nabXX0\r\n\r\n",
        CHUNKED + b"3\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"1;" + b"x" * 70_000 + b"\r\na\r\n0\r\n\r\n",
        CHUNKED + b"0\r\nX-A: " + b"b" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 70_000 + b"\r\n\r\n",
    ],
)
def test_an_answer_that_cannot_be_believed(answer: bytes) -> None:
    with receiver(answer) as made:
        assert refusal(made.port) == "invalid_answer"


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail),
        st.binary(max_size=200).map(lambda tail: CHUNKED + tail),
    )
)
def test_whatever_comes_is_an_answer_or_a_class_of_error(answer: bytes) -> None:
    with receiver(answer) as made:
        try:
            received = fetch(made.port, most=100)
        except SendError as error:
            assert error.code in ("invalid_answer", "refused", "too_large")
        else:
            assert 200 <= received.status <= 999
            assert len(received.body) <= 100


# --- sizes ------------------------------------------------------------------------------------


@contextmanager
def saying_an_end(authority: Authority, *answer: bytes, is_said: bool) -> Iterator[Receiver]:
    """Answer by TLS, and close the connection with or without TLS's own word that it ends."""
    context, _asked = authority.serves(NAME)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            made.read_request(wrapped)
            for part in answer:
                wrapped.sendall(part)
            if is_said:
                wrapped.unwrap()

    with listening(talk) as made:
        yield made


def by_tls(made: Receiver) -> dict[str, Any]:
    return {"url": f"https://{NAME}:{made.port}/dav/"}


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return CHUNKED + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("framing", ["length", "chunks", "a chunk", "end"])
def test_twenty_megabytes_and_one_byte_more(
    authority: Authority, scheme: str, framing: str
) -> None:
    def answer(count: int) -> bytes:
        body = b"x" * count
        return {
            "length": lambda: LENGTH % count + body,
            "chunks": lambda: in_chunks(body, 8_000) + b"\r\n",
            "a chunk": lambda: in_chunks(body, count) + b"\r\n",
            "end": lambda: TO_THE_END + body,
        }[framing]()

    def served(count: int) -> Any:
        if scheme == "http":
            return receiver(answer(count))
        return saying_an_end(authority, answer(count), is_said=framing == "end")

    where = {"http": lambda _made: {}, "https": by_tls}[scheme]
    if (scheme, framing) != ("http", "end"):
        with served(MOST) as made:
            assert fetch(made.port, **where(made)).body == b"x" * MOST
    with served(MOST + 1) as made:
        assert refusal(made.port, **where(made)) == "too_large"


@pytest.mark.parametrize("head", [LENGTH % (MOST + 1), CHUNKED + b"%x\r\n" % (MOST + 1)])
def test_a_size_that_is_announced_is_refused_before_it_is_read(head: bytes) -> None:
    with receiver(head, pause=60) as made:
        assert refusal(made.port) == "too_large"


@pytest.mark.parametrize(
    ("head", "piece", "code"),
    [
        (TO_THE_END, b"x" * 65_536, "too_large"),
        (CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n", "too_large"),
        (CHUNKED, b"1;" + b"x" * 50_000 + b"\r\na\r\n", "invalid_answer"),
        (CHUNKED + b"0\r\n", b"X-A: " + b"b" * 50_000 + b"\r\n", "invalid_answer"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 50_000 + b"\r\n", "invalid_answer"),
        (b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 1_000, "invalid_answer"),
    ],
    ids=["to the end", "chunks", "extensions", "trailers", "headers", "hints"],
)
def test_an_answer_without_an_end_is_read_to_a_bound(head: bytes, piece: bytes, code: str) -> None:
    with receiver(head, endless(piece)) as made:
        assert refusal(made.port, most=1_000_000) == code


def test_a_body_ends_with_the_connection_where_tls_says_so(authority: Authority) -> None:
    with saying_an_end(authority, TO_THE_END + b"all of it", is_said=True) as made:
        assert fetch(made.port, **by_tls(made)).body == b"all of it"
    with saying_an_end(authority, TO_THE_END + b"half of", is_said=False) as made:
        assert refusal(made.port, **by_tls(made)) == "invalid_answer"
    with saying_an_end(authority, LENGTH % 9 + b"half of", is_said=True) as made:
        assert refusal(made.port, **by_tls(made)) == "invalid_answer"


# --- where to, and until when -----------------------------------------------------------------


@pytest.mark.parametrize("fault", [{"days": -1}, {"self_signed": True}])
def test_a_certificate_is_always_checked(authority: Authority, fault: dict[str, Any]) -> None:
    context, _asked = authority.serves(NAME, **fault)
    with receiver(OK, tls=context) as made:
        assert refusal(made.port, **by_tls(made)) == "tls"
        assert made.requests == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1", "::1", "fd00:ec2::254"]
)
def test_a_private_address_is_not_reached(address: str) -> None:
    with no_way_out() as wanted:
        policy = Policy(resolve=lambda _name, _port: [PUBLIC, address])
        assert refusal(443, "PUT", url=f"https://{NAME}/", policy=policy) == "blocked_address"
    assert wanted == []


def test_a_name_that_flips_is_only_reached_where_it_was_checked() -> None:
    with name_server([PUBLIC], [LOOPBACK]) as server, no_way_out() as wanted:
        policy = Policy(resolve=server.resolve)
        codes = [refusal(443, url="https://rebind.example/", policy=policy) for _ in range(20)]
    assert server.asked == ["rebind.example"] * 20
    assert codes == ["refused", "blocked_address"] * 10
    assert wanted == [(PUBLIC, 443)] * 10


@contextmanager
def in_time() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < TIMEOUT + GRACE


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        b"H",
        b"HTTP/1.1 200 OK\r\nX-A: b",
        LENGTH % 100_000 + b"body",
        TO_THE_END + b"body",
        CHUNKED + b"fff\r\nbody",
        CHUNKED + b"1;extension",
        CHUNKED + b"2\r\nab\r\n0\r\nTrailer: a",
    ],
)
def test_an_answer_that_drips(authority: Authority, answer: bytes, is_tls: bool) -> None:
    tls = authority.serves(NAME)[0] if is_tls else None
    with receiver(dripping(answer), pause=0.01, tls=tls) as made, in_time():
        where = by_tls(made) if is_tls else {}
        assert refusal(made.port, seconds=TIMEOUT, **where) == "timeout"


@pytest.mark.parametrize("words", [b"", OK[:-1], CHUNKED + b"2\r\nab\r\n0\r\n"])
def test_an_answer_that_falls_silent(words: bytes) -> None:
    with receiver(words, pause=60) as made, in_time():
        assert refusal(made.port, seconds=TIMEOUT) == "timeout"


def test_a_deadline_that_has_passed() -> None:
    with listening(lambda connection: pytest.fail("connected")) as made, in_time():
        assert refusal(made.port, seconds=-1) == "timeout"


# --- kept connections -------------------------------------------------------------------------


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[Receiver, list[list[str]]]]:
    """Answer the requests of each connection with these in turn, then close it.

    Yield the receiver, and the methods of the requests of each connection.
    """
    asked: list[list[str]] = []

    def talk(connection: socket.socket) -> None:
        mine: list[str] = []
        asked.append(mine)
        for answer in answers:
            before = len(made.requests)
            made.read_request(connection)
            if len(made.requests) == before:
                return
            mine.append(made.requests[-1].split()[0].decode())
            connection.sendall(answer)

    with listening(talk) as made:
        try:
            yield made, asked
        finally:  # or each test waits until an idle connection is closed
            for kept in list(guarded_http._kept._kept):
                kept.connection.close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"])
def test_a_safe_request_goes_by_a_kept_connection_and_is_repeated_once(method: str) -> None:
    empty = LENGTH % 0
    with answering(empty, empty, b"") as (made, asked):
        for _ in range(3):
            fetch(made.port, method)
        assert asked == [[method] * 3, [method]]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "MKCALENDAR"])
def test_a_request_that_changes_something_is_sent_once_on_a_new_connection(method: str) -> None:
    with answering(OK, OK) as (made, asked):
        fetch(made.port)
        fetch(made.port, method)
        assert asked == [["GET"], [method]]
        fetch(made.port)
        assert sorted(map(len, asked)) == [1, 2]
    with answering(b"") as (made, asked):
        assert refusal(made.port, method) == "refused"
        assert asked == [[method]]


@pytest.mark.parametrize("answer", [OK[:-1], CHUNKED + b"zz\r\n", LENGTH % (MOST + 1)])
def test_after_an_answer_that_failed_a_connection_is_not_used_again(answer: bytes) -> None:
    with answering(answer, OK) as (made, asked):
        for _ in range(2):
            refusal(made.port, seconds=TIMEOUT)
        assert asked == [["GET"], ["GET"]]


def test_chunks_to_their_end_leave_a_connection_that_can_be_used_again() -> None:
    chunks = CHUNKED + b"2\r\nok\r\n0\r\n\r\n"
    with answering(chunks, chunks) as (made, asked):
        for _ in range(2):
            assert fetch(made.port).body == b"ok"
        assert asked == [["GET", "GET"]]

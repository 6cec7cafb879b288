"""Webhook client on the wire: its requests, its reading of answers, and its trust."""

import socket
import ssl
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.web import guarded_http
from core.web.answers import KEPT
from core.web.guarded_http import Policy, SendError
from tests.tls import Authority
from tests.webhooks.receivers import LOOPBACK, OK, Receiver, endless, listening, receiver

NAME = "hooks.example.test"
POLICY = Policy(allowed=[ip_network("127.0.0.0/8")], resolve=lambda _name, _port: [LOOPBACK])


def send(port: int, **changes: Any) -> guarded_http.Answer:
    """POST to the loopback by http, unless `changes` says otherwise."""
    usual: dict[str, Any] = {
        "url": f"http://{NAME}:{port}/hook?a=b",
        "body": b'{"a": 1}',
        "headers": {},
        "timeout": 5,
        "verify": True,
        "policy": POLICY,
    }
    wanted = usual | changes
    return guarded_http.post(wanted.pop("url"), **wanted)


def refusal(port: int, **changes: Any) -> str:
    with pytest.raises(SendError) as caught:
        send(port, **changes)
    return caught.value.code


# --- requests ---------------------------------------------------------------------------------


def test_what_is_sent() -> None:
    with receiver(OK) as made:
        send(made.port, headers={"Content-Type": "application/json", "X-Key": "a b"})
        expected = (
            f"POST /hook?a=b HTTP/1.1\r\nHost: {NAME}:{made.port}\r\n"
            "Content-Type: application/json\r\nX-Key: a b\r\n"
            'Content-Length: 8\r\nConnection: keep-alive\r\n\r\n{"a": 1}'
        )
        assert made.requests == [expected.encode()]


@pytest.mark.parametrize(
    "name",
    ["Host", "HOST", "content-length", "Connection", "Transfer-Encoding", "Expect"],
)
def test_a_caller_cannot_frame_the_request_anew(name: str) -> None:
    with receiver(OK) as made:
        send(made.port, headers={name: "evil"})
        assert [line for line in made.lines if "evil" in line] == []
        assert sorted(line.partition(":")[0] for line in made.lines[1:]) == [
            "Connection",
            "Content-Length",
            "Host",
        ]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nX-C: d"},
        {"X-A\r\nX-C": "d"},
        {"X A": "b"},
        {"Expect ": "b"},
        {"X-A:": "b"},
        {"X-A": "\u20ac"},
    ],
)
def test_headers_that_cannot_be_sent_are_an_error_of_the_callers(headers: dict[str, str]) -> None:
    with listening(lambda connection: pytest.fail("connected")) as made:
        with pytest.raises(ValueError, match=r"."):
            send(made.port, headers=headers)
        assert made.requests == []


def test_no_proxy_and_no_netrc_is_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with receiver(OK) as proxy, receiver(OK) as made:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{proxy.port}")
            monkeypatch.setenv(name.upper(), f"http://{LOOPBACK}:{proxy.port}")
        send(made.port)
        assert proxy.requests == []
        assert [line for line in made.lines if "authorization" in line.lower()] == []


# --- answers ----------------------------------------------------------------------------------


def test_an_answer_is_its_status_headers_and_body() -> None:
    with receiver(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nlate") as made:
        expected = {"retry-after": "7", "content-length": "4"}
        assert send(made.port) == guarded_http.Answer(503, expected, b"late")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with receiver(OK) as private:
        to = f"http://{LOOPBACK}:{private.port}/".encode()
        with receiver(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\n\r\n" % (status, to)) as made:
            assert send(made.port).status == status
        assert private.requests == []


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (CHUNKED + b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nX-A: b\r\n\r\n", b"abcde"),
        # An answer as long as it says, of a receiver that keeps the connection open.
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        # What was on its way when the other side broke off: the status has been said.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbroke", b"broke"),
        (CHUNKED + b"2\r\nab\r\nzz", b"ab"),
        (CHUNKED + b"-1\r\n" + b"x" * 70_000, b""),
        (CHUNKED + b"1;" + b"x" * 70_000, b""),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 30_000, b"x" * KEPT),
        (CHUNKED + b"7530\r\n" + b"x" * 30_000, b"x" * KEPT),
        # Word of what is to come is not the answer.
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\n" + OK, b"ok"),
    ],
)
def test_the_body_as_far_as_it_is_kept(answer: bytes, body: bytes) -> None:
    with receiver(answer) as made:
        received = send(made.port)
    assert (received.status in (200, 204), received.body) == (True, body)


def test_a_connection_that_stays_open_holds_nobody_up() -> None:
    def talk(connection: socket.socket) -> None:
        made.read_request(connection)
        connection.sendall(OK)
        connection.recv(1)  # until the client goes

    with listening(talk) as made:
        assert send(made.port).body == b"ok"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "refused"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "invalid_answer"),
        (b"200 OK\r\n\r\n", "invalid_answer"),
        (b"HTTP/1.1 two hundred\r\n\r\n", "invalid_answer"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "invalid_answer"),
        (b"HTTP/3 200 OK\r\n\r\n", "invalid_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 101 + b"\r\n", "invalid_answer"),
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 70_000 + b"\r\n\r\n", "invalid_answer"),
    ],
)
def test_what_is_no_answer(answer: bytes, code: str) -> None:
    with receiver(answer) as made:
        assert refusal(made.port) == code


@pytest.mark.parametrize(
    "piece", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\n\r\n", b"X" * 4_096]
)
def test_what_never_comes_to_an_answer_is_read_to_a_bound(piece: bytes) -> None:
    with receiver(endless(piece)) as made:
        assert refusal(made.port, timeout=30) == "invalid_answer"


@settings(max_examples=150, deadline=None)
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
            received = send(made.port)
        except SendError as error:
            assert error.code in ("invalid_answer", "refused")
        else:
            assert 100 <= received.status <= 999
            assert len(received.body) <= KEPT


def test_nobody_listens() -> None:
    with socket.create_server((LOOPBACK, 0)) as free:
        port = free.getsockname()[1]
    assert refusal(port) == "refused"


# --- TLS --------------------------------------------------------------------------------------


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Authority:
    """Return a certificate authority that the client trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


def by_tls(made: Receiver, name: str = NAME) -> dict[str, str]:
    return {"url": f"https://{name}:{made.port}/hook"}


def test_names_go_by_the_name_and_the_connection_by_the_address(authority: Authority) -> None:
    context, asked = authority.serves(NAME)
    with receiver(OK, tls=context) as made:
        assert send(made.port, **by_tls(made)).body == b"ok"
        assert asked == [NAME]
        assert made.lines[1] == f"Host: {NAME}:{made.port}"


def test_the_root_dot_and_upper_case_are_not_part_of_the_name(authority: Authority) -> None:
    context, asked = authority.serves(NAME)
    with receiver(OK, tls=context) as made:
        send(made.port, **by_tls(made, f"{NAME.upper()}."))
        assert asked == [NAME]
        assert made.lines[1] == f"Host: {NAME}:{made.port}"


@pytest.mark.parametrize(
    ("name", "fault"),
    [("other.example.test", {}), (NAME, {"days": -1}), (NAME, {"self_signed": True})],
    ids=["another name", "expired", "self-signed"],
)
def test_a_certificate_that_proves_nothing(
    authority: Authority, name: str, fault: dict[str, Any]
) -> None:
    context, _asked = authority.serves(name, **fault)
    with receiver(OK, tls=context) as made:
        assert refusal(made.port, **by_tls(made)) == "tls"
        assert made.requests == []
    # The check of certificates can be switched off, and nothing else with it.
    context, asked = authority.serves(name, **fault)
    with receiver(OK, tls=context) as made:
        assert send(made.port, **by_tls(made), verify=False).body == b"ok"
        assert asked == [NAME]
        closed = Policy(resolve=POLICY.resolve)
        assert (
            refusal(443, url=f"https://{NAME}/", verify=False, policy=closed) == "blocked_address"
        )


def test_a_certificate_of_an_authority_that_nobody_trusts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    context, _asked = Authority(tmp_path).serves(NAME)
    with receiver(OK, tls=context) as made:
        assert refusal(made.port, **by_tls(made)) == "tls"


def test_old_tls_is_refused(authority: Authority) -> None:
    context, _asked = authority.serves(NAME)
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with receiver(OK, tls=context) as made:
        assert refusal(made.port, **by_tls(made)) == "tls"


def test_no_tls_where_it_is_due() -> None:
    with listening(lambda connection: connection.sendall(OK)) as made:
        assert refusal(made.port, **by_tls(made)) == "tls"


def test_tls_and_a_body_that_breaks_off(authority: Authority) -> None:
    context, _asked = authority.serves(NAME)
    with receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbroke", tls=context) as made:
        assert send(made.port, **by_tls(made)).body == b"broke"

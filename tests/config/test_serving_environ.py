"""WSGI environ: the RSGI application gives Django the same values as granian's WSGI interface."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from typing import Any

import pytest

from tests import services, wire
from tests.config.told import LARGE
from tests.strangers import chunked, head
from tests.torture.deployment import deployed

pytestmark = pytest.mark.look  # at servers without a database: once is enough
CLOSE = {"Connection": "close"}
# The environment of a process here, beyond that of the tests.
OF_THE_PROCESS = {"DATA_DIR", "DATABASE_URL", "REDIS_URL", "PYTHONPATH", "LC_CTYPE", *os.environ}
LINES = head("GET", "/a", **CLOSE)


def with_lines(*lines: bytes, first: bytes = LINES) -> bytes:
    return first[:-2] + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def v4(data: bytes) -> tuple[str, bytes]:
    return "127.0.0.1", data


REQUESTS = {
    "plain": v4(LINES),
    "IPv6": ("::1", LINES),
    "query": v4(head("GET", "/a/b;c?x=%41&y=a+b&&z", **CLOSE)),
    "query of other bytes": v4(head("GET", "/a?é=%ff", **CLOSE)),
    "percent escapes": v4(head("GET", "/a%2Fb%20c%25", **CLOSE)),
    "path of UTF-8": v4(head("GET", "/caf%C3%A9/é", **CLOSE)),
    "no query": v4(head("GET", "/a?", **CLOSE)),
    "asterisk": v4(head("OPTIONS", "*", **CLOSE)),
    "whole address": v4(b"GET http://other.example:81/a?b HTTP/1.1\r\nConnection: close\r\n\r\n"),
    "whole address and host": v4(head("GET", "http://other.example/a", **CLOSE)),
    "HTTP/1.0": v4(b"GET /a HTTP/1.0\r\n\r\n"),
    "cookies": v4(with_lines(b"Cookie: a=1", b"Cookie: b=2; c=3")),
    "one name often": v4(with_lines(b"X-Forwarded-For: 1.1.1.1", b"X-Forwarded-For: 2.2.2.2, 3")),
    "letters of a name": v4(with_lines(b"x-ReQuest-ID: a", b"AUTHORIZATION: Bearer b")),
    "blank values": v4(with_lines(b"X-A:", b"X-B:   c  ")),
    "a value that is not ASCII": v4(with_lines("X-A: é".encode(), b"X-B: \xff")),
    "other method": v4(head("PROPFIND", "/a", **CLOSE)),
    "type of a body": v4(
        head("POST", "/a", Content_Type="text/plain; charset=x", Content_Length="3", **CLOSE)
        + b"abc"
    ),
    "one length twice": v4(
        with_lines(b"Content-Length: 3", first=head("POST", "/a", Content_Length="3", **CLOSE))
        + b"abc"
    ),
    "no body": v4(head("POST", "/a", Content_Length="0", **CLOSE)),
    "range and conditions": v4(with_lines(b"Range: bytes=1-2", b'If-None-Match: "a"')),
}


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[tuple[str, str], int]]:
    """Serve the same application. Yield the port for each host and interface (`wsgi`, `rsgi`)."""
    found = {}
    with ExitStack() as stack:
        deployment = stack.enter_context(deployed(tmp_path_factory.mktemp("told")))
        for host in ("127.0.0.1", "::1"):
            for interface in ("wsgi", "rsgi"):
                port = services.free_port()
                found[host, interface] = port
                stack.enter_context(
                    deployment.running(
                        "-m",
                        "granian",
                        "--interface",
                        interface,
                        "--host",
                        host,
                        "--port",
                        str(port),
                        "--http",
                        "1",
                        "--no-ws",
                        f"tests.config.told:{interface}",
                    )
                )
        yield found


def answered(host: str, port: int, request: bytes) -> bytes:
    """Send the request and return the body of the one answer."""

    def connections() -> list[socket.socket]:
        with suppress(ConnectionRefusedError):
            return [socket.create_connection((host, port), timeout=30)]
        return []

    [open_] = wire.until(connections, seconds=60, what="a server")
    with closing(open_) as connection:
        connection.sendall(request)
        data = b""
        while piece := connection.recv(65_536):
            data += piece
    return data.partition(b"\r\n\r\n")[2]


def told(
    ports: Mapping[tuple[str, str], int], interface: str, host: str, request: bytes
) -> dict[str, Any]:
    """Return the environ that the application got, without process variables and port."""
    port = ports[host, interface]
    environ: dict[str, Any] = json.loads(answered(host, port, request))
    assert environ.pop("SERVER_PORT") == str(port)
    return {name: value for name, value in environ.items() if name not in OF_THE_PROCESS}


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_told_alike(ports: Mapping[tuple[str, str], int], name: str) -> None:
    host, request = REQUESTS[name]
    try:
        ours = told(ports, "rsgi", host, request)
    except OSError:
        if host == "::1":
            pytest.skip("no IPv6 here")
        raise
    theirs = told(ports, "wsgi", host, request)
    assert ours == theirs


def test_a_header_with_an_underscore_passes_for_no_other(
    ports: Mapping[tuple[str, str], int],
) -> None:
    request = with_lines(b"X-Forwarded-For: 192.0.2.1", b"X_Forwarded_For: 192.0.2.2", b"X_A: b")
    ours = told(ports, "rsgi", "127.0.0.1", request)
    assert (ours["HTTP_X_FORWARDED_FOR"], "HTTP_X_A" in ours) == ("192.0.2.1", False)


def test_the_environment_of_the_process_is_not_part_of_a_request(
    ports: Mapping[tuple[str, str], int],
) -> None:
    ours = json.loads(answered("127.0.0.1", ports["127.0.0.1", "rsgi"], LINES))
    assert {"PATH", "DATA_DIR"} & ours.keys() == set()


def test_a_path_that_is_no_utf8_is_told_as_such(ports: Mapping[tuple[str, str], int]) -> None:
    """granian 2.8 gives RSGI only this form: U+FFFD for each byte that is not UTF-8."""
    ours = told(ports, "rsgi", "127.0.0.1", head("GET", "/a%FF", **CLOSE))
    assert ours["PATH_INFO"].encode("latin-1").decode() == "/a\N{REPLACEMENT CHARACTER}"


def test_a_body_in_chunks_is_told_as_one_with_a_length(
    ports: Mapping[tuple[str, str], int],
) -> None:
    request = head("POST", "/a", Transfer_Encoding="chunked", **CLOSE) + chunked(b"abc", b"de")
    ours = told(ports, "rsgi", "127.0.0.1", request)
    assert (ours["body"], ours["CONTENT_LENGTH"]) == ("abcde", "5")
    assert "HTTP_TRANSFER_ENCODING" not in ours


def test_a_large_answer_in_pieces_comes_whole_and_is_closed_by_its_own_thread(
    ports: Mapping[tuple[str, str], int],
) -> None:
    port = ports["127.0.0.1", "rsgi"]
    body = answered("127.0.0.1", port, b"GET /large HTTP/1.0\r\n\r\n")
    assert body == b"x" * LARGE

    def closed() -> bool:
        return answered("127.0.0.1", port, head("GET", "/closed", **CLOSE)) == b"true"

    wire.until(closed, what="an answer that is closed")

"""Stop of a web: what a proxy has sent is answered, and what it opens later is refused."""

import errno
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest

from config.serving import sockets, stopping
from tests import recipes, services, wire
from tests.torture.deployment import Deployment, deployed

pytestmark = pytest.mark.look  # at sockets, not at rows: once is enough
END_SECONDS = 60
# The longest time that granian gives. With it, what does not end by itself fails.
COMMAND = ("-m", "granian", "--interface", "rsgi", "--http", "1", "--no-ws")
PATIENT = ("--workers-kill-timeout", "1800")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        yield deployment


def listens(port: int) -> bool:
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def connection_to(port: int) -> HTTPConnection:
    connection = HTTPConnection("127.0.0.1", port, timeout=END_SECONDS)
    connection.connect()
    return connection


def asks(connection: HTTPConnection) -> str | None:
    """Send a POST, and return the `Connection` header of its answer."""
    connection.request("POST", "/", b"abc")
    response = connection.getresponse()
    assert b'"body": "abc"' in response.read()
    return response.headers["Connection"]


def test_a_web_that_stops_answers_on_every_connection_that_it_has(deployment: Deployment) -> None:
    port = services.free_port()
    command = (*COMMAND, *PATIENT, "--port", str(port), "tests.config.told:rsgi")
    with deployment.running(*command) as server:
        wire.until(partial(listens, port), seconds=END_SECONDS, what=server.output)
        with (
            closing(connection_to(port)) as kept,
            closing(connection_to(port)) as used,
            closing(connection_to(port)) as silent,
        ):
            assert (asks(kept), asks(used)) == (None, None)
            server.process.send_signal(signal.SIGTERM)
            # Until the worker has heard of it, it keeps the connection.
            wire.until(lambda: asks(used) == "close", what="a last answer")
            with closing(connection_to(port)) as new:
                assert asks(new) == "close"
            assert asks(silent) == "close"
            assert asks(kept) == "close"
        assert server.process.wait(END_SECONDS) == 0
    assert not listens(port)


def test_a_socket_that_ignores_openings_gives_what_it_has_and_refuses_when_it_is_closed() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        closing(socket.create_connection(listener.getsockname())) as early,
        closing(socket.socket()) as late,
    ):
        early.sendall(b"abc")
        assert sockets.has_waiting(listener)
        sockets.ignore_openings(listener)
        late.setblocking(False)
        late.connect_ex(listener.getsockname())
        taken, _address = listener.accept()
        with taken:
            assert taken.recv(10) == b"abc"
            assert sockets.has_received(taken)
            assert not sockets.has_received(early)
        assert not sockets.has_waiting(listener)
        listener.close()
        assert select.select([], [late], [], END_SECONDS)[1]
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def test_only_connections_to_its_ports_are_those_of_clients() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        closing(socket.create_connection(listener.getsockname())) as client,
    ):
        port = listener.getsockname()[1]
        taken, _address = listener.accept()
        with taken:
            found = set()
            for each in sockets.connected({port}):
                with each:
                    found.add(sockets.peer(each))
            assert found == {sockets.peer(taken)}
        # No other descriptor holds it open.
        assert client.recv(1) == b""


@pytest.mark.parametrize("told", ["at once", "later"])
def test_a_worker_that_is_told_to_stop_while_it_loads_ends(
    deployment: Deployment, told: str
) -> None:
    command = (*COMMAND, *PATIENT, "--port", str(services.free_port()), "tests.config.early:it")
    with deployment.running(*command, TOLD=told) as server:
        if told == "later":
            wire.until(lambda: "loaded" in server.output, seconds=END_SECONDS, what="a worker")
            server.process.send_signal(signal.SIGTERM)
        # At once the worker ends alone, which granian takes for a failure.
        assert server.process.wait(END_SECONDS) == (told == "at once")
        assert server.survivors() == []


def test_a_proxy_closes_an_idle_connection_before_the_web_does() -> None:
    deploy = recipes.ROOT / "deploy"
    assert "keepalive_timeout 5s;" in (deploy / "nginx.conf").read_text()
    assert "keepalive 5s\n" in (deploy / "Caddyfile").read_text()
    assert stopping.IDLE_SECONDS > 5
    assert int(recipes.option("web", "--http1-header-read-timeout")) > stopping.IDLE_SECONDS * 1_000

"""Slow clients, which send or take almost nothing: the server of `make run` delays nobody else."""

import re
import select
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial

import pytest

from tests import wire
from tests.strangers import (
    UNFINISHED_HEADERS,
    Stranger,
    answer_of,
    chunked,
    crowd,
    dripping,
    head,
    silent_body,
)
from tests.torture.served import Client, Served, served

pytestmark = pytest.mark.alone
# As many as would hold all threads, and far more.
FEW, MANY = 4, 200


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("slow"), CLIENT_TIMEOUT_SECONDS="1") as parley:
        yield parley


@pytest.fixture(scope="module")
def port(parley: Served) -> int:
    return parley.ports[0]


def others_are_answered(parley: Served) -> None:
    """Check that other clients get answers. A client waits for a minute at most."""
    with closing(Client(parley.ports[0], parley.cast["alice"])) as client:
        assert client.ask("GET", "/healthz").status == 200
        assert client.ask("GET", "/api/v1/events").status == 200
        assert client.ask("GET", "/accounts/login/").status == 200


Crowd = Callable[[int], AbstractContextManager[Sequence[Stranger]]]
LATE: dict[str, Crowd] = {
    "four silent": partial(crowd, count=FEW, first=silent_body()),
    "many silent": partial(crowd, count=MANY, first=silent_body()),
    "silent in chunks": partial(
        crowd,
        count=FEW,
        first=head("POST", "/oauth/token", Transfer_Encoding="chunked") + chunked(b"x", end=b""),
    ),
    "dripping": partial(dripping, count=FEW),
    "as large as may be": partial(crowd, count=MANY, first=silent_body(2_000_000)),
}


@pytest.mark.parametrize("name", LATE)
def test_a_body_that_does_not_come_holds_up_nobody_and_is_given_up(
    parley: Served, port: int, name: str
) -> None:
    with LATE[name](port) as strangers:
        others_are_answered(parley)
        answers = [answer_of(stranger.rest()) for stranger in strangers]
        assert {status for status, _body in answers} == {408}
        assert b'"error":"request_timeout"' in answers[0][1]
    assert parley.complaints == []


def test_a_body_that_is_too_large_is_refused_before_it_comes(parley: Served, port: int) -> None:
    with crowd(port, FEW, silent_body(10**12)) as strangers:
        others_are_answered(parley)
        assert {answer_of(stranger.rest())[0] for stranger in strangers} == {413}


@pytest.mark.parametrize(
    "first", [b"", UNFINISHED_HEADERS, head("GET", "/healthz")], ids=["new", "unfinished", "kept"]
)
def test_connections_that_ask_nothing_hold_up_nobody(
    parley: Served, port: int, first: bytes
) -> None:
    with crowd(port, MANY, first):
        others_are_answered(parley)


def test_a_client_that_takes_no_answer_loses_its_connection(parley: Served, port: int) -> None:
    with closing(Client(port)) as client:
        page = client.ask("GET", "/api/docs/").body.decode()
        (large,) = re.findall(r'href="(/static/[^"]*swagger-ui[^"]*css)"', page)
        whole = len(client.ask("GET", large).body)
    with closing(Stranger(port, receive_buffer=2_048)) as stranger:
        stranger.send(head("GET", large))
        others_are_answered(parley)
        wire.until(lambda: not is_open(stranger.socket), seconds=60, what="its end")
        assert len(stranger.rest()) < whole
    others_are_answered(parley)


def is_open(connection: socket.socket) -> bool:
    """Tell whether the other end keeps the connection open. Data that it sent stays unread."""
    poll = select.poll()
    poll.register(connection, 0)
    return not poll.poll(0)

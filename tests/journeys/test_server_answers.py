"""Server answers: Parley's server sends Django's answers as granian's WSGI interface does."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial

import pytest

from tests import services, wire
from tests.torture.deployment import deployed
from tests.torture.served import Answer, Client, answers

pytestmark = pytest.mark.look  # at answers that need no rows: once is enough
# Of each server, or of the moment.
_OWN = {"date", "x-request-id", "set-cookie", "content-security-policy", "transfer-encoding"}


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, int]]:
    """Serve Parley by both interfaces and yield the port of each."""
    with ExitStack() as stack:
        directory = tmp_path_factory.mktemp("interfaces")
        deployment = stack.enter_context(deployed(directory, migrated=True))
        deployment.manage("collectstatic", "--noinput", "--verbosity", "0")
        found = {name: services.free_port() for name in ("wsgi", "rsgi")}
        for name, port in found.items():
            command = ("-m", "granian", "--interface", name, "--http", "1", "--no-ws", "--port")
            stack.enter_context(
                deployment.running(*command, str(port), f"config.{name}:application")
            )
        for port in found.values():
            wire.until(partial(answers, port), seconds=120, what="an answer")
        yield found


@pytest.fixture(scope="module")
def style(ports: Mapping[str, int]) -> str:
    """Return the path of a style sheet."""
    page = ask(ports["wsgi"], "GET", "/accounts/login/", {}).body.decode()
    return page.partition('rel="stylesheet" href="')[2].partition('"')[0]


def ask(port: int, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    with closing(Client(port)) as client:
        return client.ask(method, path, b"", **headers)


def shown(answer: Answer) -> tuple[int, dict[str, list[str]], bytes]:
    headers = {
        name: answer.headers.get_all(name, [])
        for name in sorted({name.lower() for name in answer.headers} - _OWN)
    }
    body = re.sub(rb"[A-Za-z0-9]{64}|\d{4}-\d\d-\d\dT[\d:]+Z", b"*", answer.body)
    return answer.status, headers, body


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("HEAD", "/", {}),
        ("GET", "/accounts/login/", {"Accept_Encoding": "gzip"}),
        ("GET", "/meetings", {}),
        ("GET", "/no-such-page", {}),
        ("POST", "/accounts/login/", {}),
        ("GET", "/api/v1/users/me", {}),
        ("HEAD", "/api/v1/users/me", {}),
        ("OPTIONS", "/api/v1/users/me", {}),
        ("GET", "/api/v1", {}),
        ("GET", "/robots.txt", {}),
        ("GET", "/healthz", {}),
        ("HEAD", "/healthz", {}),
        ("POST", "/healthz", {}),
        ("GET", "/metrics", {}),
        ("GET", "style", {}),
        ("HEAD", "style", {}),
        ("GET", "style", {"Accept_Encoding": "gzip"}),
        ("GET", "style", {"Range": "bytes=10-29"}),
        ("HEAD", "style", {"Range": "bytes=10-29"}),
        ("GET", "style", {"Range": "bytes=-5"}),
        ("GET", "style", {"Range": "bytes=99999999-"}),
        ("GET", "style", {"If_Modified_Since": "Fri, 31 Dec 2100 00:00:00 GMT"}),
        ("POST", "style", {}),
    ],
)
def test_it_is_answered_alike(
    ports: Mapping[str, int], style: str, method: str, path: str, headers: Mapping[str, str]
) -> None:
    path = style if path == "style" else path
    ours, theirs = (shown(ask(ports[name], method, path, headers)) for name in ("rsgi", "wsgi"))
    if "content-length" not in theirs[1]:  # theirs came in chunks
        ours[1].pop("content-length", None)
    assert ours == theirs

"""`manage.py serve`, as `make run` starts it: start, stop, and no process left behind."""

import gzip
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests import wire
from tests.services import free_port
from tests.strangers import crowd, silent_body
from tests.torture.deployment import EMBEDDED_WORKER, ROOT, Deployment, Running, deployed

MANAGE = str(ROOT / "manage.py")
SERVE = (MANAGE, "serve")
pytestmark = pytest.mark.both


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory: Path = tmp_path_factory.mktemp("served")
    with deployed(directory, OUTBOX_LEASE_SECONDS="1") as deployment:
        deployment.environment.pop("PUBLIC_URL", None)
        yield deployment


@pytest.fixture
def port() -> int:
    return free_port()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def serving(
    deployment: Deployment, port: int, *options: str, **environment: str
) -> Iterator[Running]:
    """Run a server and yield it once it answers."""
    with deployment.running(*SERVE, *options, PORT=str(port), **environment) as server:
        wire.until(
            lambda: server.process.poll() is not None or answers(port),
            seconds=60,
            what="the first answer",
        )
        assert server.process.poll() is None, server.output
        yield server


def ends(server: Running) -> tuple[int, float]:
    """Return the exit code, and the seconds until the server and all its processes end."""
    began = time.monotonic()
    code = server.process.wait(timeout=20)
    wire.until(lambda: not server.survivors(), what="no process left")
    return code, time.monotonic() - began


def test_with_no_demo_the_database_stays_empty_and_ctrl_c_ends_it(
    deployment: Deployment, port: int
) -> None:
    with (
        serving(deployment, port, "--no-demo") as server,
        crowd(port, 1, silent_body()),  # which does not hold it up
    ):
        assert f"http://localhost:{port}" in server.output
        assert deployment.rows("SELECT count(*) FROM accounts_user") == [(0,)]
        # Ctrl-C in a terminal reaches every process of the session.
        server.signal_all(signal.SIGINT)
        code, seconds = ends(server)
        assert (code, seconds < 2) == (0, True), (code, seconds, server.output)
        assert "Traceback" not in server.output
    assert not answers(port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_first_process_ends_them_all(
    deployment: Deployment, port: int, number: signal.Signals
) -> None:
    with serving(deployment, port, "--no-demo") as server:
        server.process.send_signal(number)
        code, seconds = ends(server)
        assert (code, seconds < 2) == (0, True), (code, seconds, server.output)


def test_it_shares_its_port_with_no_other_and_leaves_none_behind_when_it_is_killed(
    deployment: Deployment, port: int
) -> None:
    with serving(deployment, port, "--no-demo") as server:
        second = start(deployment, PORT=str(port))
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == "parley: PORT cannot be listened on: Address already in use\n"

        assert len(server.survivors()) > 1
        server.process.kill()
        code, _seconds = ends(server)
        assert code == -signal.SIGKILL
    assert not answers(port)


def test_it_ends_with_an_error_when_what_serves_is_killed(
    deployment: Deployment, port: int
) -> None:
    with serving(deployment, port, "--no-demo") as server:
        (child,) = set(server.survivors()) - {server.process.pid}
        subprocess.run(["kill", "-9", str(child)], check=True)
        code, _seconds = ends(server)
        assert code == 1


def test_the_demo_answers_its_own_curl_and_ends_with_a_task_in_hand(
    deployment: Deployment, port: int
) -> None:
    with (
        wire.silent_server() as (address, connected),
        serving(deployment, port, EMAIL_URL=f"smtp://{address}") as server,
    ):
        meeting = call_as_told(server.output)
        assert meeting["status"] == "pending"
        if EMBEDDED_WORKER:
            assert connected.wait(timeout=15)  # a worker hangs in the middle of a mail
        server.signal_all(signal.SIGINT)
        code, seconds = ends(server)
        assert (code, seconds < 2) == (0, True), (code, seconds, server.output)

    # What it had in hand is not lost.
    with wire.MailServer() as mail_server, serving(deployment, port, EMAIL_URL=mail_server.url):
        people = deployment.rows("SELECT count(*) FROM accounts_user")
        assert people == [(4,)]  # the demo is made once
        if EMBEDDED_WORKER:
            (mail,) = mail_server.wait_for(lambda _mail: True)
            assert mail.recipients == ("grace@example.com",)


IMPORTED = r'^import .*from "(.*)";'


def test_the_booking_page_weighs_at_most_sixty_kilobytes_on_the_wire(
    deployment: Deployment, port: int
) -> None:
    with serving(deployment, port):
        weight, page = fetched(port, "/ada/30-minute-meeting")
        parts = set(re.findall(r'(?:href|src)="(/static/[^"]*)"', page))
        assert {part.rpartition(".")[2] for part in parts} >= {"css", "js", "svg"}
        waiting = [*parts]
        while waiting:
            part = waiting.pop()
            bytes_of_part, text = fetched(port, part)
            weight += bytes_of_part
            assert not re.findall(r"@import|url\(", text)  # nothing more but modules
            waiting += [urljoin(part, name) for name in re.findall(IMPORTED, text, re.MULTILINE)]
    assert weight <= 60_000


def fetched(port: int, path: str) -> tuple[int, str]:
    """Return the size of an answer, compressed and with its headers, and its text."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        body = answer.read()
        weight = len(str(answer.headers)) + len(body)
        if answer.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
    return weight, body.decode(errors="replace")


def call_as_told(output: str) -> dict[str, object]:
    """Do what the printed `curl` command does."""
    parts = re.search(
        r"curl -s (?P<url>\S+) .*?-H '(?P<authorization>Authorization: [^']+)'.*?"
        r"-H '(?P<type>Content-Type: [^']+)'.*?-d '(?P<body>[^']+)'",
        output,
        re.DOTALL,
    )
    assert parts, output
    headers = dict(parts[name].split(": ", 1) for name in ("authorization", "type"))
    request = urllib.request.Request(parts["url"], parts["body"].encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 201
        answer: dict[str, object] = json.load(response)
        return answer


def start(deployment: Deployment, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *SERVE],
        env=deployment.environment | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@localhost/parley"),
        ("PORT", "70000"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_clear_line(
    deployment: Deployment, name: str, value: str
) -> None:
    ended = start(deployment, **{name: value})
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(rf"parley: {name} \S[^\n]+\n", ended.stderr)
    assert value not in ended.stderr
    assert "hunter2" not in ended.stderr

"""Radicale, a calendar server, takes every calendar object, and gives it back as it was."""

import base64
import http.client
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from icalendar import Calendar, Component

from tests.readers.objects import Object
from tests.wire import until

pytestmark = [pytest.mark.django_db, pytest.mark.look]

HEADERS = {
    "Authorization": f"Basic {base64.b64encode(b'jo:any').decode()}",
    "Content-Type": "text/calendar; charset=utf-8",
}


@pytest.fixture(scope="module")
def port(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Yield the port of a server that takes anybody for whom they say they are."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command: list[str | Path] = [
        *(environment, "-m", "radicale", "--config", ""),
        *("--hosts", f"127.0.0.1:{port}", "--auth-type", "none"),
        *("--storage-filesystem-folder", tmp_path_factory.mktemp("radicale")),
    ]
    log = tmp_path_factory.mktemp("log") / "radicale.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as run:
        try:
            until(lambda: run.poll() is not None or listens(port), what="Radicale")
            assert run.poll() is None, log.read_text()
            yield port
        finally:
            run.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def call(port: int, method: str, path: str, body: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body.encode(), HEADERS)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def kept(port: int, number: int, sent: Object) -> str:
    """Put an object into a calendar of its own, and return what the server keeps of it."""
    path = f"/jo/{number}/"
    if len(sent.entries) == 1:
        assert call(port, "MKCALENDAR", path) == (201, "")
        path += "entry.ics"
    status, text = call(port, "PUT", path, sent.text)
    assert status == 201, text
    status, text = call(port, "GET", path)
    assert status == 200, text
    return text


def test_it_keeps_what_was_sent(port: int, sent: dict[str, Object]) -> None:
    for number, (name, each) in enumerate(sent.items()):
        found = Calendar.from_ical(kept(port, number, each))
        assert entries(found) == entries(Calendar.from_ical(each.text)), name
        assert found.get("METHOD") == each.method, name


def entries(calendar: Component) -> list[Component]:
    """Return the entries in one order: Radicale keeps none."""
    return sorted(calendar.walk("VEVENT"), key=lambda event: str(event["UID"]))

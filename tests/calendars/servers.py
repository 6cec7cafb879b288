"""Calendar servers for tests: Radicale, xandikos, and one that answers what a test says.

Each listens on a free loopback port. The tests talk to them by `http.client`, and so share no code
with what they test.
"""

import base64
import http.client
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

from tests.readers.python import python
from tests.wire import until

USERNAME, PASSWORD = "jo", "sésame: open"
_LOOPBACK = "127.0.0.1"
_numbers = count(1)


@dataclass(frozen=True)
class Server:
    """A running server, the principal's address on it, and the calendar home's."""

    port: int
    principal: str
    home: str
    username: str = USERNAME

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self.port}/"

    def at(self, path: str) -> str:
        return self.url + path.removeprefix("/")

    def call(
        self, method: str, path: str, body: str = "", *, timeout: float = 20, **headers: str
    ) -> tuple[int, Mapping[str, str], str]:
        """Send a request. Return status, headers with names in lower case, and body."""
        credentials = base64.b64encode(f"{self.username}:{PASSWORD}".encode()).decode()
        named = {
            "Authorization": f"Basic {credentials}",
            "Content-Type": "text/calendar; charset=utf-8",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(_LOOPBACK, self.port, timeout=timeout)
        try:
            connection.request(method, path, body.encode(), named)
            answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, received, answer.read().decode()
        finally:
            connection.close()

    def make_calendar(self, *properties: str) -> str:
        """Make another calendar in the home, and return its path."""
        path = f"{self.home}calendar{next(_numbers)}/"
        body = (
            '<c:mkcalendar xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
            ' xmlns:a="http://apple.com/ns/ical/"><set><prop>'
            f"{''.join(properties)}</prop></set></c:mkcalendar>"
        )
        status, _headers, text = self.call("MKCALENDAR", path, body, Content_Type="text/xml")
        assert status == 201, text
        return path

    def put(self, path: str, text: str) -> str:
        """Write an object, and return its ETag."""
        status, headers, answer = self.call("PUT", path, text)
        assert status in (201, 204), answer
        return headers["etag"]

    def delete(self, path: str) -> None:
        status, _headers, answer = self.call("DELETE", path)
        assert status in (200, 204), answer


@contextmanager
def radicale(folder: Path, *options: str) -> Iterator[Server]:
    """Run Radicale. Without options anybody is who they say they are."""
    with _free_port() as port:
        arguments = [
            *("radicale", "--config", "", "--hosts", f"{_LOOPBACK}:{port}"),
            *("--storage-filesystem-folder", str(folder / "collections")),
            *(options or ("--auth-type", "none")),
        ]
        with _running(arguments, port, folder / "radicale.log"):
            yield Server(port, f"/{USERNAME}/", f"/{USERNAME}/")


@contextmanager
def radicale_with_password(folder: Path) -> Iterator[Server]:
    users = folder / "users"
    users.write_text(f"{USERNAME}:{PASSWORD}\n")
    options = ("--auth-type", "htpasswd", "--auth-htpasswd-encryption", "plain")
    delay = ("--auth-delay", "0")  # after a wrong password
    with radicale(folder, *options, "--auth-htpasswd-filename", str(users), *delay) as server:
        yield server


@contextmanager
def xandikos(folder: Path) -> Iterator[Server]:
    """Run xandikos. It asks for a password behind TLS alone, so here it asks for none."""
    with _free_port() as port:
        arguments = [
            *("xandikos", "serve", "--defaults", "--no-detect-systemd"),
            *("-d", str(folder / "collections"), "--state-dir", str(folder / "state")),
            *("-l", _LOOPBACK, "-p", str(port)),
        ]
        with _running(arguments, port, folder / "xandikos.log"):
            yield Server(port, "/user/", "/user/calendars/")


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.create_server((_LOOPBACK, 0)) as free:
        port: int = free.getsockname()[1]
    yield port


@contextmanager
def _running(module: Sequence[str], port: int, log: Path) -> Iterator[None]:
    """Run a module of the readers' Python until it has listened and the caller is done."""
    command = [str(python()), "-m", *module]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as run:
        try:
            until(lambda: run.poll() is not None or _listens(port), seconds=30, what=command[2])
            assert run.poll() is None, log.read_text()
            yield
        finally:
            run.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((_LOOPBACK, port)) == 0


# --- a server that answers what a test says -----------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A request as received. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Said:
    """An answer. `length` is the one that it announces, where the body has another."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterator[bytes] = b""
    length: int | None = None


@dataclass
class Scripted:
    """A server that answers by a function, and keeps what it was asked."""

    url: str
    answer: Callable[[Asked], Said]
    asked: list[Asked] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def scripted(answer: Callable[[Asked], Said]) -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0"))).decode()
            asked = Asked(self.command, self.path, headers, body)
            made.asked.append(asked)
            said = made.answer(asked)
            self.send_response(said.status)
            pieces = [said.body] if isinstance(said.body, bytes) else said.body
            length = len(said.body) if isinstance(said.body, bytes) else 0
            self.send_header("Content-Length", str(said.length or length))
            for name, value in {**said.headers, "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)

        do_GET = do_PUT = do_DELETE = do_PROPFIND = do_REPORT = reply

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _Patient((_LOOPBACK, 0), Handler) as server:
        made = Scripted(f"http://{_LOOPBACK}:{server.server_port}/", answer)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            made.ended.set()
            server.shutdown()
            thread.join()


class _Patient(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the client has hung up


@contextmanager
def redirecting(old: str, to: str) -> Iterator[Scripted]:
    """Run a server that sends what is under the path `old` to the same place under the URL `to`."""

    def answer(asked: Asked) -> Said:
        if not asked.path.startswith(old):
            return Said(404)
        return Said(301, {"Location": to + asked.path.removeprefix(old)})

    with scripted(answer) as server:
        yield server

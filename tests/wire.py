"""Fake external servers: mail server, Firebase and webhook endpoint; and a way to wait for them.

Each listens on a free loopback port, speaks the real protocol and keeps what it received.
"""

import asyncio
import json
import logging
import re
import socket
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import parse_qs

from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.private_names import google_locations

T = TypeVar("T")

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every word

_LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.01
_DRIPS_SECONDS = 20.0


def until(condition: Callable[[], T], *, seconds: float = 15.0, what: str = "") -> T:
    """Return the condition's first true value. Raise AssertionError if none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}; last {value!r}")
        time.sleep(_POLL_SECONDS)


# --- mail -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mail:
    """Message as received: the envelope's recipients, and the content."""

    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def text(self, subtype: str = "plain") -> str:
        """Return the decoded text of the only part that is `text/<subtype>`."""
        (part,) = (
            part for part in self.message.walk() if part.get_content_type() == f"text/{subtype}"
        )
        content: str = part.get_content()
        return content

    def calendar(self) -> tuple[str, str]:
        """Return the calendar object, and the method that its Content-Type names.

        It is in the mail twice: as an alternative to the text, and as a file.
        """
        parts = [part for part in self.message.walk() if part.get_content_type() == "text/calendar"]
        assert [part.get_filename() for part in parts] == [None, "invite.ics"]
        (found,) = {(part.get_content(), str(part.get_param("method"))) for part in parts}
        return found


class MailServer:
    """SMTP server that accepts everything. Each `refuse_next` makes it refuse one recipient.

    `refused` has its answers to recipients that it always refuses. After `most` messages it ends a
    session, with the answer 421 or `is_rude`, without a word.
    """

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self.most, self.is_rude = 0, False
        self.sessions: Counter[Session] = Counter()
        self._arrived = threading.Condition()
        self._received: list[Mail] = []
        self._refusals: deque[str] = deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server")
        self.port = 0

    def __enter__(self) -> "MailServer":
        self._thread.start()
        # In its own thread: where a browser is driven, another loop runs in this one.
        listening = self._loop.create_server(self._session, _LOOPBACK, 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(timeout=10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        await self._server.wait_closed()

    def _session(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = SMTP(self, hostname="mail.test", loop=self._loop)
        return protocol

    @property
    def url(self) -> str:
        return f"smtp://{_LOOPBACK}:{self.port}"

    @property
    def received(self) -> list[Mail]:
        """Return all mails received, in order."""
        with self._arrived:
            return list(self._received)

    def refuse_next(self, answer: str) -> None:
        """Answer the next RCPT with this line, for example `451 try later`."""
        self._refusals.append(answer)

    def wait_for(
        self, wanted: Callable[[Mail], bool], *, count: int = 1, seconds: float = 15.0
    ) -> list[Mail]:
        """Return the mails that `wanted` accepts, as soon as there are `count` of them."""

        def found() -> list[Mail]:
            return [mail for mail in self._received if wanted(mail)]

        with self._arrived:
            if not self._arrived.wait_for(lambda: len(found()) >= count, seconds):
                subjects = [(mail.recipients, mail.subject) for mail in self._received]
                raise AssertionError(f"{len(found())} of {count} mails; received: {subjects}")
            return found()

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions[session] += 1
        if 0 < self.most < self.sessions[session]:
            if self.is_rude:
                assert server.transport is not None
                server.transport.close()
            return "421 4.7.0 Too many messages in this session"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._refusals:
            return self._refusals.popleft()
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        with self._arrived:
            self._received.append(Mail(tuple(envelope.rcpt_tos), message))
            self._arrived.notify_all()
        return "250 OK"


@contextmanager
def silent_server() -> Iterator[tuple[str, threading.Event]]:
    """Run a server that accepts connections and never answers. Yield its address, and an event.

    The event is set once a connection came.
    """
    connected, ended = threading.Event(), threading.Event()
    held: list[socket.socket] = []

    def accept() -> None:
        while not ended.is_set():
            try:
                held.append(listener.accept()[0])
            except OSError:
                return
            connected.set()

    with socket.create_server((_LOOPBACK, 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"{_LOOPBACK}:{listener.getsockname()[1]}", connected
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()


def _chunk(connection: socket.socket) -> None:
    connection.recv(65_536)


def http_request(connection: socket.socket) -> None:
    """Read a request to its end."""
    head, body = b"", b""
    while b"\r\n\r\n" not in head:
        head += _some(connection)
    head, _blank, body = head.partition(b"\r\n\r\n")
    (length,) = re.findall(rb"(?i)content-length: *(\d+)", head)
    while len(body) < int(length):
        body += _some(connection)


def _some(connection: socket.socket) -> bytes:
    heard = connection.recv(65_536)
    if not heard:
        raise ConnectionResetError
    return heard


@contextmanager
def dripping_server(
    *answers: bytes, drop: bytes, hear: Callable[[socket.socket], None] = _chunk
) -> Iterator[str]:
    """Run a server that never ends its answer, and yield its address.

    It sends the first of `answers` at a connection, and one more after each thing that it hears.
    After the last answer it sends `drop` every few milliseconds. It closes at the end of the
    context, or after `_DRIPS_SECONDS`.
    """
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def speak(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(_DRIPS_SECONDS)
            for number, answer in enumerate(answers):
                if number:
                    hear(connection)
                connection.sendall(answer)
            until = time.monotonic() + _DRIPS_SECONDS
            while time.monotonic() < until and not ended.wait(_POLL_SECONDS):
                connection.sendall(drop)

    def accept() -> None:
        while not ended.is_set():
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=speak, args=(connection,), daemon=True))
            threads[-1].start()

    with socket.create_server((_LOOPBACK, 0)) as listener:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield f"{_LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join(timeout=_DRIPS_SECONDS)


# --- Firebase ---------------------------------------------------------------------------------

_PROJECT = "parley-tests"
_ACCESS_TOKEN = "an-access-token"
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@dataclass
class Firebase:
    """Firebase Cloud Messaging with its token endpoint, as the real client needs them."""

    address: str
    received: list[dict[str, Any]] = field(default_factory=list)
    sign_ins: int = 0
    _answers: defaultdict[str, deque[tuple[int, dict[str, Any]]]] = field(
        default_factory=lambda: defaultdict(deque)
    )

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}/v1/projects/{{0}}/messages:send"

    @property
    def credentials(self) -> dict[str, str]:
        """Return a service account in the form that Firebase's console issues."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account",
            "project_id": _PROJECT,
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": f"push@{_PROJECT}.example",
            "client_id": "1",
            "token_uri": f"http://{self.address}/token",
        }

    def fail(self, device: str, status: int, reason: str, code: str) -> None:
        """Refuse the next message to this device: HTTP status, Google's reason, Firebase's code."""
        details = [{"@type": _FCM_ERROR, "errorCode": code}]
        error = {"code": status, "status": reason, "message": reason, "details": details}
        self._answers[device].append((status, {"error": error}))

    def to(self, device: str) -> list[dict[str, Any]]:
        """Return the messages to this device in order, refused ones included."""
        return [message for message in self.received if message["token"] == device]

    def answer(self, path: str, authorization: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if path == "/token":
            grant = parse_qs(body.decode())
            assert len(grant["assertion"][0].split(".")) == 3  # a signed JWT
            self.sign_ins += 1
            return 200, {"access_token": _ACCESS_TOKEN, "expires_in": 3600, "token_type": "Bearer"}
        if path != f"/v1/projects/{_PROJECT}/messages:send":
            return 404, {}
        if authorization != f"Bearer {_ACCESS_TOKEN}":
            return 401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": ""}}
        message = json.loads(body)["message"]
        self.received.append(message)
        refusals = self._answers[message["token"]]
        if refusals:
            return refusals.popleft()
        return 200, {"name": f"projects/{_PROJECT}/messages/{len(self.received)}"}


@contextmanager
def firebase() -> Iterator[Firebase]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = fake.answer(self.path, self.headers.get("Authorization", ""), body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if status in (429, 503):
                self.send_header("Retry-After", "60")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with (
        ThreadingHTTPServer((_LOOPBACK, 0), Handler) as server,
        # Google's library would ask googleapis.com, in the background, where this account may act.
        patch.object(google_locations, "get_service_account_rab_endpoint", return_value=None),
    ):
        server.daemon_threads = True
        fake = Firebase(f"{_LOOPBACK}:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


# --- a webhook's endpoint ---------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """POST as received. `at` is its time in epoch seconds, and header names are in lower case."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


class Endpoint:
    """Endpoint of webhooks. It answers 200, or the result of `answer` for a call."""

    def __init__(self) -> None:
        self.received: list[Call] = []
        self.answer: Callable[[Call], tuple[int, dict[str, str], bytes]] = lambda _: (200, {}, b"")
        self.url = ""

    def always(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer every call like this. Underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _: (status, named, body)

    def wait_for(self, count: int, seconds: float = 15.0) -> list[Call]:
        """Return all calls received, as soon as there are `count` of them."""
        until(lambda: len(self.received) >= count, seconds=seconds, what=f"{count} calls")
        return list(self.received)


class _Impatient(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # who called is gone: tests kill callers


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            call = Call(time.time(), self.path, headers, body)
            made.received.append(call)
            status, extra, text = made.answer(call)
            self.send_response(status)
            for name, value in {**extra, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    made = Endpoint()
    with _Impatient((_LOOPBACK, 0), Handler) as server:
        made.url = f"http://{_LOOPBACK}:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def links_in(text: str) -> list[str]:
    """Return the URLs in a text, in order."""
    return re.findall(r"https?://[^\s<>\"]+", text)

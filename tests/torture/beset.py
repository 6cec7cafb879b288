"""One ordinary user of a Parley that hostile clients attack, and those clients.

Parley runs as `make run` runs it, or by production's commands: the web of the Dockerfile and each
worker of compose.yaml. The user asks for a list, books, and waits for the invitee's email and for
the call of a webhook.
"""

import asyncio
import json
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests import recipes, services, wire
from tests.calendars.servers import Asked, Said, scripted
from tests.strangers import UNFINISHED_HEADERS, Stranger, head, silent_body
from tests.torture.deployment import (
    EMBEDDED_DATABASE,
    EMBEDDED_WORKER,
    Deployment,
    Running,
    Zygote,
    deployed,
    zygote,
)
from tests.torture.served import Client, answers

_UP_SECONDS = 120
_QUIET_SECONDS = 120
_TICK_SECONDS = 0.1
# Longer than a round takes. The endpoints answer at the end of the round.
_HANG_SECONDS = 300
_WEBHOOKS = 10
_CALENDARS = 10
# A tenth of what may be, as fast as a client on the same machine sends it.
_HUGE = 2_400_000
# More than the user asks, and than is allowed by default.
_LIMITS = "40/s,1000000/min"
ACTS = ("health", "request", "booking", "mail", "delivery", "calendar")
Seconds = Mapping[str, float]


class MailServer(wire.MailServer):
    """Mail server that drips while `drips` is set: a line every tick, and no end."""

    def __init__(self) -> None:
        super().__init__()
        self.drips = threading.Event()
        self.arrivals: dict[str, float] = {}

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        while self.drips.is_set():
            await server.push("250-still at it")
            await asyncio.sleep(_TICK_SECONDS)
        for address in envelope.rcpt_tos:
            self.arrivals.setdefault(address, time.time())
        return await super().handle_DATA(server, session, envelope)


class Endpoint:
    """Webhook endpoints.

    They answer Alice's calls at once; Mallory's only while `is_prompt` is set.
    """

    def __init__(self, wired: wire.Endpoint) -> None:
        self.is_prompt = threading.Event()
        self.is_prompt.set()
        self.arrivals: dict[str, float] = {}
        wired.answer = self._answer

    def _answer(self, call: wire.Call) -> tuple[int, dict[str, str], bytes]:
        if not call.path.endswith("/alice"):
            self.is_prompt.wait(_HANG_SECONDS)
        for guest in re.findall(rb"guest\d+@example.com", call.body)[:1]:
            self.arrivals.setdefault(guest.decode(), call.at)
        return 200, {}, b""


class Calendars:
    """Calendars at ICS addresses.

    Alice's answers at once. Mallory's answer only while `is_prompt` is set.
    """

    def __init__(self) -> None:
        self.is_prompt = threading.Event()
        self.is_prompt.set()
        self.url = ""

    def __call__(self, asked: Asked) -> Said:
        if not asked.path.endswith("/alice"):
            self.is_prompt.wait(_HANG_SECONDS)
        return Said(body=b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")


@dataclass
class Place:
    """Running deployment, with Alice, whom people book, and Mallory, a hostile user."""

    deployment: Deployment
    port: int
    processes: Sequence[Running]
    mail_server: MailServer
    endpoint: Endpoint
    alice: Mapping[str, Any]
    mallory: Mapping[str, Any]
    large_file: str
    calendars: Calendars
    zygote: Zygote
    alices_number: int
    _numbers: Iterator[int] = field(default_factory=count)

    def book(self, host: Mapping[str, Any]) -> str:
        """Book a free time of this host's. Return the invitee's address."""
        number = next(self._numbers)
        guest = f"guest{number}@example.com"
        start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start += timedelta(days=2, minutes=15 * number)
        body = {
            "event_type_id": host["event_type"],
            "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "attendee_name": "Guest",
            "attendee_email": guest,
        }
        with closing(Client(self.port, host["token"])) as client:
            answer = client.ask("POST", "/api/v1/events", json.dumps(body).encode())
        assert answer.status == 201, answer.body
        return guest

    def use(self, *, acts: Sequence[str] = ACTS) -> Seconds:
        """Do what an ordinary user does, over new connections. Return the seconds of each act."""
        asked = time.time()
        with closing(Client(self.port)) as client:
            answer = client.ask("GET", "/healthz")
        assert answer.status == 200, answer.body
        began = time.time()
        with closing(Client(self.port, self.alice["token"])) as client:
            answer = client.ask("GET", "/api/v1/events?limit=20")
        assert answer.status == 200, answer.body
        listed = time.time()
        guest = self.book(self.alice)
        booked = time.time()
        took = {"health": began - asked, "request": listed - began, "booking": booked - listed}
        for act, arrivals in (
            ("mail", self.mail_server.arrivals),
            ("delivery", self.endpoint.arrivals),
        ):
            if act in acts:
                wire.until(partial(arrivals.get, guest), seconds=_QUIET_SECONDS, what=act)
                took[act] = arrivals[guest] - booked
        if "calendar" in acts:
            took["calendar"] = self._read_calendar()
        return took

    def _read_calendar(self) -> float:
        """Have Alice's calendar read, and return how many seconds that takes."""
        self.zygote.do("refresh_calendars", "alice@example.com")
        began = time.time()
        unread = (
            "SELECT 1 FROM calendars_calendaraccount"
            f" WHERE user_id = {self.alices_number} AND whole_at IS NULL"
        )
        wire.until(
            lambda: not self.deployment.rows(unread), seconds=_QUIET_SECONDS, what="a reading"
        )
        return time.time() - began

    def settle(self) -> None:
        """Wait until no due notification or delivery is left."""
        wire.until(lambda: not self._due(), seconds=_QUIET_SECONDS, what="all sent")

    def _due(self) -> int:
        now = "datetime('now')" if EMBEDDED_DATABASE else "now()"
        return sum(
            int(number)
            for table in ("notifications_notification", "webhooks_delivery")
            for (number,) in self.deployment.rows(
                f"SELECT count(*) FROM {table} WHERE state = 'waiting' AND due_at <= {now}"
            )
        )

    def ended(self) -> list[str]:
        """Return the output of each process that has ended."""
        return [each.output for each in self.processes if each.process.poll() is not None]


@contextmanager
def place(directory: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        mail_server = MailServer()
        stack.enter_context(mail_server)
        stack.callback(mail_server.drips.clear)
        wired = stack.enter_context(wire.endpoint())
        endpoint = Endpoint(wired)
        stack.callback(endpoint.is_prompt.set)
        calendars = Calendars()
        calendars.url = stack.enter_context(scripted(calendars)).url
        stack.callback(calendars.is_prompt.set)
        deployment = stack.enter_context(
            deployed(
                directory,
                migrated=True,
                EMAIL_URL=mail_server.url,
                WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8",
                CALENDAR_ALLOWED_NETWORKS="127.0.0.0/8",
                GRANIAN_WORKERS="2",
                API_RATE_LIMITS=_LIMITS,
            )
        )
        forking = stack.enter_context(zygote(deployment))
        alice, mallory = forking.do("set_up_two", wired.url, _WEBHOOKS)
        feeds = [f"{calendars.url}alice"]
        alices_number = forking.do("connect_feeds", "alice@example.com", feeds)
        port = services.free_port()
        if EMBEDDED_WORKER:
            commands: list[tuple[str, ...]] = [
                (str(recipes.ROOT / "manage.py"), "serve", "--no-demo")
            ]
        else:
            deployment.manage("collectstatic", "--noinput", "--verbosity", "0")
            names = ["web", *workers()]
            commands = [recipes.by_python(recipes.command(name), port=port) for name in names]
        processes = [
            stack.enter_context(deployment.running(*command, PORT=str(port)))
            for command in commands
        ]
        wire.until(partial(answers, port), seconds=_UP_SECONDS, what="an answer")
        with closing(Client(port)) as client:
            page = client.ask("GET", "/api/docs/").body.decode()
        [large_file] = re.findall(r'src="(/static/[^"]*swagger-ui-bundle[^"]*)"', page)
        made = Place(
            deployment,
            port,
            processes,
            mail_server,
            endpoint,
            alice,
            mallory,
            large_file,
            calendars,
            forking,
            alices_number,
        )
        made.use()  # the first of each kind takes longer
        made.settle()
        yield made


def workers() -> list[str]:
    """Return the worker services of compose.yaml."""
    services_ = recipes.compose()["services"]
    return [name for name in services_ if recipes.command(name)[0] == "celery"]


def percentile95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[18]


# --- the strangers ----------------------------------------------------------------------------


@contextmanager
def crowd(
    place: Place, count: int, *, first: bytes = b"", drop: bytes = b"", receive_buffer: int = 0
) -> Iterator[None]:
    """Keep `count` connections open. Replace each one that the server closes."""
    over = threading.Event()

    def come() -> Stranger:
        stranger = Stranger(place.port, receive_buffer=receive_buffer)
        stranger.send(first)
        return stranger

    def is_gone(stranger: Stranger) -> bool:
        try:
            stranger.send(drop)
            if receive_buffer:  # takes nothing, so sees no end: a byte tells
                return False
            stranger.socket.setblocking(False)
            return stranger.socket.recv(65_536) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            with suppress(OSError):
                stranger.socket.setblocking(True)

    def stay() -> None:
        while not over.wait(_TICK_SECONDS):
            for number, stranger in enumerate(strangers):
                if is_gone(stranger):
                    stranger.close()
                    with suppress(OSError):
                        strangers[number] = come()

    strangers = [come() for _ in range(count)]
    thread = threading.Thread(target=stay, name="crowd")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for stranger in strangers:
            stranger.close()


@contextmanager
def again_and_again(count: int, act: Callable[[], object], *, pause: float = 0.0) -> Iterator[None]:
    """Repeat `act` in `count` threads until the context ends. They try again after an error."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(pause):
            with suppress(OSError, HTTPException):
                act()

    threads = [threading.Thread(target=run, name="stranger") for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _ask(place: Place, method: str, path: str, body: bytes = b"", token: str = "") -> None:
    with closing(Client(place.port, token)) as client:
        client.ask(method, path, body)


def silent(place: Place, count: int) -> AbstractContextManager[None]:
    return crowd(place, count, first=silent_body())


def dripping(place: Place, count: int) -> AbstractContextManager[None]:
    return crowd(place, count, first=silent_body(), drop=b"x")


def huge(place: Place, count: int) -> AbstractContextManager[None]:
    """Send bodies of a large permitted size, one after the other."""
    body = b"x" * _HUGE
    return again_and_again(
        max(count // 50, 2), partial(_ask, place, "POST", "/oauth/token", body), pause=0.05
    )


def too_large(place: Place, count: int) -> AbstractContextManager[None]:
    return crowd(place, count, first=silent_body(10**12))


def unfinished(place: Place, count: int) -> AbstractContextManager[None]:
    return crowd(place, count, first=UNFINISHED_HEADERS)


def idle(place: Place, count: int) -> AbstractContextManager[None]:
    return crowd(place, count)


def kept(place: Place, count: int) -> AbstractContextManager[None]:
    """Keep connections idle after one answer each."""
    return crowd(place, count, first=head("GET", "/healthz"))


def deaf(place: Place, count: int) -> AbstractContextManager[None]:
    """Ask for the largest file, and read almost nothing of it."""
    return crowd(place, count, first=head("GET", place.large_file), receive_buffer=2_048)


def flood(place: Place, count: int) -> AbstractContextManager[None]:
    """Send requests of one account as fast as they are answered. Most answers are refusals."""
    ask = partial(_ask, place, "GET", "/api/v1/events", token=place.mallory["token"])
    return again_and_again(max(count // 25, 2), ask)


def page_flood(place: Place, count: int) -> AbstractContextManager[None]:
    """Read pages that no limit counts: two clients, each of which pauses for a moment."""
    return again_and_again(2, partial(_ask, place, "GET", "/accounts/login/"), pause=0.1)


def sign_ins(place: Place, count: int) -> AbstractContextManager[None]:
    """Try passwords one after the other, with clients that keep their cookies."""

    def sign_in() -> None:
        with closing(Client(place.port)) as client:
            page = client.ask("GET", "/accounts/login/")
            [token] = re.findall(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)[:1]
            cookie = str(page.headers["Set-Cookie"]).partition(";")[0]
            form = f"csrfmiddlewaretoken={token.decode()}&login=alice@example.com&password=wrong"
            for _ in range(20):
                client.ask(
                    "POST",
                    "/accounts/login/",
                    form.encode(),
                    Cookie=cookie,
                    Content_Type="application/x-www-form-urlencoded",
                )

    return again_and_again(2, sign_in, pause=0.1)


@contextmanager
def _hanging(place: Place) -> Iterator[None]:
    place.endpoint.is_prompt.clear()
    try:
        yield
    finally:
        place.endpoint.is_prompt.set()


@contextmanager
def endpoints(place: Place, count: int) -> Iterator[None]:
    """Let ten endpoints of one account hang, while new events for them keep coming."""
    with _hanging(place):
        for _ in range(max(count // 25, 2)):
            place.book(place.mallory)
        with again_and_again(1, partial(place.book, place.mallory), pause=1.0):
            yield


@contextmanager
def webhook_tests(place: Place, count: int) -> Iterator[None]:
    """Run eight tests at once of an endpoint that hangs."""
    path = f"/api/v1/webhooks/{place.mallory['webhooks'][0]}/test"
    token = place.mallory["token"]
    with (
        _hanging(place),
        again_and_again(8, partial(_ask, place, "POST", path, b"{}", token), pause=0.5),
    ):
        yield


@contextmanager
def calendar_servers(place: Place, count: int) -> Iterator[None]:
    """Let the servers of ten calendars of one account hang, while somebody books with it."""
    place.calendars.is_prompt.clear()
    addresses = [f"{place.calendars.url}mallory/{number}" for number in range(_CALENDARS)]
    place.zygote.do("connect_feeds", "mallory@example.com", addresses)
    try:
        with again_and_again(max(count // 25, 2), partial(place.book, place.mallory), pause=1.0):
            yield
    finally:
        place.calendars.is_prompt.set()
        place.zygote.do("disconnect_feeds", "mallory@example.com")


@contextmanager
def mail_server(place: Place, count: int) -> Iterator[None]:
    """Let the mail server drip. Mail written meanwhile is sent afterwards."""
    place.mail_server.drips.set()
    try:
        yield
    finally:
        place.mail_server.drips.clear()


STRANGERS: dict[str, Callable[[Place, int], AbstractContextManager[None]]] = {
    "silent bodies": silent,
    "dripping bodies": dripping,
    "huge bodies": huge,
    "bodies too large": too_large,
    "unfinished headers": unfinished,
    "idle connections": idle,
    "kept connections": kept,
    "answers not taken": deaf,
    "flood of the API": flood,
    "flood of pages": page_flood,
    "flood of sign-ins": sign_ins,
    "hanging endpoints": endpoints,
    "hanging webhook tests": webhook_tests,
    "slow calendar servers": calendar_servers,
    "dripping mail server": mail_server,
}

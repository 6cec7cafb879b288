"""Two web servers and two workers that are killed in turn, and a crew that uses them.

A client that finds a server dead asks again, on either server, as a load balancer would. It repeats
the Idempotency-Key where it creates something. Other requests repeat unchanged, because the same
answer again changes nothing. So the database must hold what the crew was answered.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests import recipes, services, wire
from tests.torture.deployment import WORKER, Deployment, Running, deployed, zygote
from tests.torture.served import Answer, Client, answers

HOSTS = 12
# Few enough for two processors to put up again in seconds what was killed.
CREW = 6
# Of the workers, so that what a dead one holds is taken over while the crew is still at it.
LEASE_SECONDS = 5
_UP_SECONDS = 60
# For an answer, whatever is killed meanwhile; then what should answer is gone for good.
_ANSWER_SECONDS = 120
_PAUSE = (1.0, 4.0)
_DAYS_AHEAD = 28


@dataclass
class Post:
    """One process of the deployment. It is started again whenever it is killed."""

    name: str
    deployment: Deployment
    command: Sequence[str]
    port: int = 0
    # From when to when it was not there.
    absences: list[tuple[float, float]] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    _process: Running | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def put_up(self) -> None:
        environment = {"PORT": str(self.port)} if self.port else {}
        running = self.deployment.running(*self.command, **environment)
        self._process = self._stack.enter_context(running)
        self.logs.append(self._process.log)
        if self.port:
            wire.until(partial(answers, self.port), seconds=_UP_SECONDS, what=self.name)

    def kill(self) -> None:
        """Kill it with all its processes by `kill -9`. Return once its replacement runs."""
        began = time.time()
        self._stack.close()
        self.put_up()
        self.absences.append((began, time.time()))

    def take_down(self) -> None:
        self._stack.close()

    def was_away(self, began: float, ended: float) -> bool:
        return any(began <= until and ended >= since for since, until in self.absences)


@dataclass(frozen=True)
class Lost:
    """Request without an answer: the port that was asked, and the times."""

    port: int
    began: float
    ended: float


@dataclass
class Known:
    """Last known state of a booking or a meeting, from an answer."""

    owner: Mapping[str, Any]
    status: str
    start: str = ""  # of a booking
    changes: int = 0


@dataclass
class Place:
    """Running deployment, with its mail server and its webhook endpoint."""

    deployment: Deployment
    webs: list[Post]
    workers: list[Post]
    hosts: list[dict[str, Any]]
    mail_server: wire.MailServer
    endpoint: wire.Endpoint
    bookings: dict[int, Known] = field(default_factory=dict)
    meetings: dict[int, Known] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    lost: list[Lost] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def posts(self) -> list[Post]:
        return [*self.webs, *self.workers]

    def ask(
        self,
        token: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        """Return an answer, asked on other ports while a server is dead.

        Raise TimeoutError without one.
        """
        text = b"" if body is None else json.dumps(body).encode()
        until = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < until:
            port = random.choice(self.webs).port
            client, began = Client(port, token), time.time()
            try:
                answer = client.ask(method, path, text, **headers)
            except (OSError, HTTPException):
                self.lost.append(Lost(port, began, time.time()))
                time.sleep(0.05)
                continue
            finally:
                client.close()
            self.statuses[f"{answer.status // 100}xx"] += 1
            if answer.status >= 500:
                self.faults.append(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
            return answer
        raise TimeoutError(f"{method} {path}: no answer in {_ANSWER_SECONDS} seconds")


@contextmanager
def place(directory: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        mail_server = stack.enter_context(wire.MailServer())
        endpoint = stack.enter_context(wire.endpoint())
        deployment = stack.enter_context(
            deployed(
                directory,
                migrated=True,
                EMAIL_URL=mail_server.url,
                WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8",
                OUTBOX_LEASE_SECONDS=str(LEASE_SECONDS),
                GRANIAN_WORKERS="1",
            )
        )
        with zygote(deployment) as forking:
            hosts = forking.do("set_up_company", endpoint.url, HOSTS)
        deployment.manage("collectstatic", "--noinput", "--verbosity", "0")
        webs = [
            Post(
                f"web {port}",
                deployment,
                recipes.by_python(recipes.command("web"), port=port),
                port,
            )
            for port in (services.free_port(), services.free_port())
        ]
        workers = [Post(f"worker {number}", deployment, WORKER) for number in (1, 2)]
        made = Place(deployment, webs, workers, hosts, mail_server, endpoint)
        for post in made.posts:
            stack.callback(post.take_down)
            post.put_up()
        yield made


def soak(place: Place, *, seconds: float, seed: int) -> None:
    """Run mixed traffic for `seconds`. Every few seconds, kill a process of either kind."""
    over = threading.Event()
    crew = [Hand(place, random.Random(f"{seed} {number}")) for number in range(CREW)]
    threads = [threading.Thread(target=hand.work, args=(over,), name="crew") for hand in crew]
    dice, until = random.Random(seed), time.monotonic() + seconds
    try:
        for thread in threads:
            thread.start()
        while time.monotonic() < until and not any(hand.failure for hand in crew):
            time.sleep(dice.uniform(*_PAUSE))
            for posts, kind in ((place.webs, "web"), (place.workers, "worker")):
                dice.choice(posts).kill()
                place.kills[kind] += 1
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for hand in crew:
        if hand.failure is not None:
            raise hand.failure


class Hand:
    """One client of the crew. Only it changes the objects it made, so it knows their state."""

    def __init__(self, place: Place, dice: random.Random) -> None:
        self._place, self._dice = place, dice
        self._bookings: list[int] = []
        self._meetings: list[int] = []
        self.failure: BaseException | None = None

    def work(self, over: threading.Event) -> None:
        acts: Sequence[tuple[int, Callable[[], None]]] = (
            (4, self._book),
            (3, self._move_a_booking),
            (2, self._ask_for_a_meeting),
            (2, self._answer_a_meeting),
            (3, self._read),
        )
        weights = [weight for weight, _act in acts]
        try:
            while not over.is_set():
                ((_weight, act),) = self._dice.choices(acts, weights)
                act()
        except BaseException as failure:
            self.failure = failure

    def _host(self) -> dict[str, Any]:
        return self._dice.choice(self._place.hosts)

    def _start(self) -> str:
        """Return a quarter of an hour within the four weeks after tomorrow."""
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        quarters = self._dice.randrange(96, 96 * _DAYS_AHEAD)
        return f"{midnight + timedelta(days=1, minutes=15 * quarters):%Y-%m-%dT%H:%M:%SZ}"

    def _book(self) -> None:
        host = self._host()
        body = {
            "event_type_id": self._dice.choice(host["event_types"]),
            "attendee_email": "john@example.com",
            "attendee_name": "John Doe",
            "start_time": self._start(),
        }
        answer = self._place.ask(
            host["token"], "POST", "/api/v1/events", body, Idempotency_Key=str(uuid4())
        )
        if answer.status != 409:
            assert answer.status == 201, answer.body
            made = answer.data["data"]
            self._place.bookings[made["id"]] = Known(host, made["status"], made["start_time"])
            self._bookings.append(made["id"])

    def _move_a_booking(self) -> None:
        if not self._bookings:
            return
        key = self._dice.choice(self._bookings)
        known = self._place.bookings[key]
        verb = self._dice.choice(("confirm", "reject", "cancel", "reschedule", "reschedule"))
        body = {"start_time": self._start()} if verb == "reschedule" else {}
        answer = self._place.ask(known.owner["token"], "POST", f"/api/v1/events/{key}/{verb}", body)
        if answer.status == 200:
            told = answer.data["data"]
            if (told["status"], told["start_time"]) != (known.status, known.start):
                known.changes += 1
            known.status, known.start = told["status"], told["start_time"]
        else:
            assert answer.status == 409, answer.body

    def _ask_for_a_meeting(self) -> None:
        requester, recipient = self._dice.sample(self._place.hosts, 2)
        body = {"user_id": recipient["id"], "team_id": requester["team_id"], "date": self._start()}
        answer = self._place.ask(
            requester["token"], "POST", "/api/v3/meeting/create", body, Idempotency_Key=str(uuid4())
        )
        assert answer.status == 201, answer.body
        made = answer.data
        self._place.meetings[made["id"]] = Known(recipient, made["status"])
        self._meetings.append(made["id"])

    def _answer_a_meeting(self) -> None:
        if not self._meetings:
            return
        key = self._dice.choice(self._meetings)
        known = self._place.meetings[key]
        verb = self._dice.choice(("confirm", "confirm", "reject", "cancel"))
        path = f"/api/v3/meeting/{key}/{verb}"
        answer = self._place.ask(known.owner["token"], "POST", path, {})
        if answer.status == 200:
            status = answer.data["status"]
            known.changes += status != known.status
            known.status = status
        else:
            # A recipient calls off only what they have confirmed.
            assert answer.status in (403, 409), answer.body

    def _read(self) -> None:
        host = self._host()
        event_type = self._dice.choice(host["event_types"])
        path = self._dice.choice(
            (
                "/api/v1/events?limit=20",
                f"/api/v1/event_types/{event_type}/availability",
                "/api/v3/meeting/list?tab=pending-meeting",
                f"/{host['username']}",
            )
        )
        answer = self._place.ask(host["token"], "GET", path)
        assert answer.status == 200, answer.body

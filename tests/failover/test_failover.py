"""Takeover by a standby under load: what was answered is kept, and no process is restarted.

`make failover` runs it. Clients of the soak test use two web servers and a worker meanwhile.
"""

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import recipes, services, wire
from tests.failover import cluster
from tests.migrated import copy_of_postgresql
from tests.torture import soak
from tests.torture.deployment import WORKER, deployed, zygote
from tests.torture.served import Answer, Client
from tests.torture.test_soak import (  # noqa: F401  they run here too
    test_every_booking_is_there_once_and_as_it_was_told,
    test_every_meeting_is_there_once_and_as_it_was_told,
    test_nobody_is_booked_twice_and_no_time_is_held_by_nothing,
    waiting,
)

pytestmark = [pytest.mark.failover, pytest.mark.both]

BEFORE_SECONDS = AFTER_SECONDS = 8.0
RECOVERY_SECONDS = 10.0
_OPEN = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
ROUNDS = [
    ("killed", "direct"),
    ("frozen", "direct"),
    ("cut off", "direct"),
    ("killed", "PgBouncer"),
    ("frozen", "PgBouncer"),
    ("cut off", "PgBouncer"),
]


@dataclass
class Place(soak.Place):
    """Place whose clients ask again after 503."""

    refused: list[Answer] = field(default_factory=list)
    slowest: float = 0.0

    def ask(
        self,
        token: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        while True:
            answer = super().ask(token, method, path, body, **headers)
            self.slowest = max(self.slowest, answer.read_at - answer.asked_at)
            if answer.status != 503:
                return answer
            assert answer.headers["Retry-After"], answer.body
            self.refused.append(answer)
            time.sleep(0.2)  # sooner than the header says, to see when it is over


@dataclass
class History:
    """Server that has everything, and what clients were answered in all rounds."""

    stack: ExitStack
    primary: services.PostgreSQL
    hosts: list[dict[str, Any]]
    bookings: dict[int, soak.Known] = field(default_factory=dict)
    meetings: dict[int, soak.Known] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    place: Place
    takeover: cluster.Takeover


@pytest.fixture(scope="module")
def endpoint() -> Iterator[wire.Endpoint]:
    with wire.endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, endpoint: wire.Endpoint) -> Iterator[History]:
    with ExitStack() as stack:
        primary = stack.enter_context(services.postgresql("--synchronous_commit=on"))
        copy_of_postgresql(primary.url, cluster.NAME)
        url = f"{primary.url.rpartition('/')[0]}/{cluster.NAME}"
        directory = tmp_path_factory.mktemp("company")
        with (
            deployed(directory, migrated=True, DATABASE_URL=url, **_OPEN) as deployment,
            zygote(deployment) as forking,
        ):
            hosts = forking.do("set_up_company", endpoint.url, soak.HOSTS)
            if not (Path(deployment.environment["STATIC_ROOT"]) / "staticfiles.json").exists():
                deployment.manage("collectstatic", "--noinput", "--verbosity", "0")
        yield History(stack, primary, hosts)


@pytest.fixture(scope="module", params=ROUNDS, ids=lambda each: f"{each[0]}, {each[1]}")
def done(
    request: pytest.FixtureRequest,
    history: History,
    endpoint: wire.Endpoint,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Done]:
    """Yield a takeover that is over, with what its clients saw."""
    fault, way = request.param
    if way == "PgBouncer" and not services.pgbouncer_program():
        pytest.skip("no pgbouncer on this machine")
    with ExitStack() as stack:
        network = None
        if fault == "cut off":
            try:
                network = stack.enter_context(services.namespace())
            except services.ServiceError as error:
                pytest.skip(f"not tried here: {error}")
            # The server that has everything moves to where it can be cut off.
            copy = services.postgresql(
                "--synchronous_commit=on", copy_of=history.primary, place=network
            )
            moved = stack.enter_context(copy)
            moved.run("pg_ctl", "promote", "--pgdata=data", "--wait")
            history.primary = moved
        takeover = stack.enter_context(
            cluster.takeover(
                history.stack,
                history.primary,
                fault=fault,
                is_pooled=way == "PgBouncer",
                network=network,
            )
        )
        mail_server = stack.enter_context(wire.MailServer())
        directory = tmp_path_factory.mktemp("failover")
        deployment = stack.enter_context(
            deployed(
                directory,
                migrated=True,
                EMAIL_URL=mail_server.url,
                **_OPEN,
                OUTBOX_LEASE_SECONDS=str(soak.LEASE_SECONDS),
                GRANIAN_WORKERS="1",
                **takeover.settings,
            )
        )
        webs = [
            soak.Post(
                f"web {port}",
                deployment,
                recipes.by_python(recipes.command("web"), port=port),
                port,
            )
            for port in (services.free_port(), services.free_port())
        ]
        workers = [soak.Post("worker", deployment, WORKER)]
        place = Place(
            deployment,
            webs,
            workers,
            history.hosts,
            mail_server,
            endpoint,
            history.bookings,
            history.meetings,
        )
        for post in place.posts:
            stack.callback(post.take_down)
            post.put_up()
        use(place, takeover)
        history.primary = takeover.standby
        yield Done(place, takeover)


def use(place: Place, takeover: cluster.Takeover) -> None:
    """Run the clients of the soak test before, during and after the takeover."""
    over = threading.Event()
    crew = [soak.Hand(place, random.Random(f"failover {n}")) for n in range(soak.CREW)]
    threads = [threading.Thread(target=hand.work, args=(over,), name="crew") for hand in crew]
    try:
        for thread in threads:
            thread.start()
        time.sleep(BEFORE_SECONDS)
        takeover.run()
        time.sleep(RECOVERY_SECONDS + AFTER_SECONDS)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for hand in crew:
        if hand.failure is not None:
            raise hand.failure


@pytest.fixture
def place(done: Done) -> Place:
    return done.place


def test_errors_begin_with_the_fault_and_end_soon_after_the_promotion(
    done: Done, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    place, takeover = done.place, done.takeover
    errors = [(each.asked_at, each.read_at) for each in place.refused]
    errors += [(each.began, each.ended) for each in place.lost]
    asked = place.statuses.total()
    recovered = max([ended for _began, ended in errors], default=takeover.promoted_at)
    with capsys.disabled():
        print(
            f"\n{request.node.callspec.id}: {asked} requests, {len(errors)} failed,"
            f" slowest {place.slowest:.1f} s, promoted after"
            f" {takeover.promoted_at - takeover.failed_at:.1f} s, last error"
            f" {recovered - takeover.promoted_at:+.1f} s from the promotion"
        )
    assert [each for each in place.faults if ": 503 " not in each] == []
    assert [began for began, ended in errors if ended < takeover.failed_at] == []
    assert recovered - takeover.promoted_at < RECOVERY_SECONDS


def test_every_process_lives_and_is_ready(place: Place) -> None:
    for post in place.posts:
        assert post.absences == []
        assert post._process is not None
        assert post._process.process.poll() is None, post._process.output
    for web in place.webs:
        wire.until(partial(is_ready, web.port), what="readiness")


def is_ready(port: int) -> bool:
    with closing(Client(port)) as client:
        return client.ask("GET", "/readyz").status == 200


def test_the_worker_goes_on(place: Place) -> None:
    wire.until(lambda: not waiting(place), seconds=60, what="all sent")

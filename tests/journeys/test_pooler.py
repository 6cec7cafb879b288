"""Parley behind a PgBouncer that lends two connections to all clients, each for a transaction."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from core.db import pooling
from core.db.postgresql.base import DatabaseWrapper
from core.ops import environment
from tests import recipes, services, wire
from tests.torture.deployment import EMBEDDED_WORKER, ROOT, WORKER, Deployment, deployed, zygote
from tests.torture.served import Client, answers, event, in_a_month, together

pytestmark = [pytest.mark.alone, pytest.mark.postgresql]
# psycopg prepares a statement when it runs for the sixth time on a connection.
ROUNDS = 12
BOOKINGS = 6


@dataclass(frozen=True)
class Place:
    deployment: Deployment
    port: int
    hosts: list[dict[str, Any]]
    mail_server: wire.MailServer
    endpoint: wire.Endpoint


@pytest.fixture(scope="module")
def pooler() -> Iterator[services.PgBouncer]:
    if EMBEDDED_WORKER:
        pytest.skip("the web and its worker need Redis")
    if not services.pgbouncer_program():
        if os.environ.get("REQUIRE_PGBOUNCER") == "1":
            pytest.fail("no pgbouncer on this machine")
        pytest.skip("no pgbouncer on this machine")
    with services.pgbouncer(os.environ["DATABASE_URL"]) as pooler:
        yield pooler


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pooler: services.PgBouncer) -> Iterator[Place]:
    with ExitStack() as stack:
        mail_server = stack.enter_context(wire.MailServer())
        endpoint = stack.enter_context(wire.endpoint())
        directory = tmp_path_factory.mktemp("pooler")
        direct = stack.enter_context(
            deployed(
                directory,
                migrated=True,
                EMAIL_URL=mail_server.url,
                WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8",
                GRANIAN_WORKERS="2",
                DATABASE_POOLER="transaction",
            )
        )
        name = direct.environment["DATABASE_URL"].rpartition("/")[2]
        url = f"{pooler.url.rpartition('/')[0]}/{name}"
        deployment = replace(direct, environment=direct.environment | {"DATABASE_URL": url})
        with zygote(deployment) as forking:
            hosts = forking.do("set_up_hosts", endpoint.url, 2)
            for number, host in enumerate(hosts):
                fields = {"slug": "other", "duration": 15, "slot_interval": 15}
                [host["event_type"]] = forking.do("offer", f"host{number}@example.com", [fields])
        if not (Path(deployment.environment["STATIC_ROOT"]) / "staticfiles.json").exists():
            deployment.manage("collectstatic", "--noinput", "--verbosity", "0")
        port = services.free_port()
        web = recipes.by_python(recipes.command("web"), port=port)
        server = stack.enter_context(deployment.running(*web, PORT=str(port)))
        stack.enter_context(deployment.running(*WORKER))
        wire.until(partial(answers, port), seconds=60, what=server.output)
        yield Place(deployment, port, hosts, mail_server, endpoint)


def book(place: Place, host: dict[str, Any]) -> set[int]:
    """Book some times of this host. Return the numbers of the bookings."""
    made = set()
    with closing(Client(place.port, host["token"])) as client:
        for number in range(BOOKINGS):
            body = event(host["event_type"], in_a_month() + timedelta(minutes=15 * number))
            answer = client.ask("POST", "/api/v1/events", body, Idempotency_Key=f"key {number}")
            assert answer.status == 201, answer.body
            made.add(answer.data["data"]["id"])
    return made


def look(place: Place, host: dict[str, Any]) -> list[set[int]]:
    """Return what each of several requests for the list of this host's bookings is answered."""
    found = []
    with closing(Client(place.port, host["token"])) as client:
        for _ in range(ROUNDS):
            answer = client.ask("GET", "/api/v1/events?limit=100")
            assert answer.status == 200, answer.body
            found.append({each["id"] for each in answer.data["data"]})
    return found


def has_sent_all(place: Place, table: str) -> bool:
    due = f"SELECT 1 FROM {table} WHERE state = 'waiting' AND due_at <= now()"
    return not place.deployment.rows(due)


def test_two_accounts_at_once_see_their_own_bookings_alone(place: Place) -> None:
    own = together([partial(book, place, host) for host in place.hosts])
    assert len(own[0] | own[1]) == 2 * BOOKINGS
    four = [*place.hosts, *place.hosts]
    seen = together([partial(look, place, host) for host in four])
    assert seen == [[numbers] * ROUNDS for numbers in (*own, *own)]

    # The worker sends each message and each webhook of theirs once.
    for table in ("notifications_notification", "webhooks_delivery"):
        wire.until(partial(has_sent_all, place, table), seconds=60, what=f"{table} sent")
    told = Counter(call.headers["webhook-id"] for call in place.endpoint.received)
    assert sorted(told.values()) == [1] * 2 * BOOKINGS
    mails = Counter(mail.message_id for mail in place.mail_server.received)
    assert set(mails.values()) == {1}


def test_no_statement_stays_on_the_connections_of_the_server(place: Place) -> None:
    kept = place.deployment.rows("SELECT name FROM pg_prepared_statements")
    assert kept == []
    with closing(Client(place.port)) as client:
        ready = client.ask("GET", "/readyz")
    assert (ready.status, ready.data["checks"]["database"]) == (200, "ok")


def test_an_export_reads_without_a_cursor_of_the_server(place: Place) -> None:
    """A cursor that outlives its transaction would be on another client's connection."""
    [[person]] = place.deployment.rows("SELECT min(id) FROM accounts_user")
    script = (
        "import django; django.setup()\n"
        "from scheduling.models import Booking\n"
        f"print(len(list(Booking.objects.filter(host_id={person}).iterator(2))))"
    )
    read = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=place.deployment.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert read.stdout.split() == [str(BOOKINGS)]


# --- the start --------------------------------------------------------------------------------

WEB = ("-c", "import config.wsgi")
STARTED = ("-W", "ignore", "-m", "celery", "-A", "config", "worker", "--pool", "threads")
COMMAND = ("manage.py", "showmigrations", "core")
UNKNOWN = (
    "must be session or transaction: a pooler stands before the database ('PgBouncer' in"
    " docs/ha.md)"
)
WRONG = (
    "must be transaction: the pooler before the database lends a connection for one transaction"
    " ('PgBouncer' in docs/ha.md)"
)


def test_no_process_starts_behind_a_pooler_that_no_setting_names(
    pooler: services.PgBouncer,
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": pooler.url},
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in (WEB, STARTED, COMMAND)
    ]
    for process in processes:
        _out, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (1, f"parley: DATABASE_POOLER {UNKNOWN}\n")


@pytest.mark.parametrize(
    ("mode", "ignore", "size", "named", "problems"),
    [
        ("transaction", "", 2, "", [UNKNOWN]),
        # A later PgBouncer takes the bounds, and this one can be told to ignore them.
        ("transaction", "options", 2, "", [UNKNOWN]),
        ("transaction", "", 2, "session", [WRONG]),
        ("transaction", "", 1, "session", [WRONG]),
        ("transaction", "", 2, "transaction", []),
        ("session", "", 2, "", [UNKNOWN]),
        ("session", "", 2, "session", []),
        # The second connection of the check waits in the queue, but not for ever.
        ("session", "", 1, "session", []),
        ("session", "", 2, "transaction", []),
    ],
)
def test_the_check_of_the_database_tells_what_is_wrong(
    pooler: services.PgBouncer,
    settings: Settings,
    django_db_blocker: DjangoDbBlocker,
    mode: str,
    ignore: str,
    size: int,
    named: str,
    problems: list[str],
) -> None:
    settings.DATABASE_POOLER = named
    began = time.monotonic()
    with services.pgbouncer(
        os.environ["DATABASE_URL"], mode=mode, ignore=ignore, size=size
    ) as server:
        address = environment.database(server.url) | {"ENGINE": "core.db.postgresql"}
        connections["pooled"] = DatabaseWrapper(configured.DATABASES["default"] | address, "pooled")
        try:
            with django_db_blocker.unblock():
                found = pooling.check(databases=["pooled"])
        finally:
            connections["pooled"].close()
            del connections["pooled"]
    assert time.monotonic() - began < configured.DATABASE_CONNECT_SECONDS + 5
    assert [each.msg for each in found] == [f"DATABASE_POOLER {each}." for each in problems]

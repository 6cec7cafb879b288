"""Health endpoints: liveness (/healthz) and readiness (/readyz), both answered at once."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User, usernames
from core.db.postgresql.base import DatabaseWrapper
from core.ops import environment, health
from scheduling.models import Booking
from tests import factories, services, wire
from tests.core.lines import written
from tests.outbox import mail
from tests.pages import NOW, START
from tests.tls import Authority, in_front_of

HOUR = timedelta(hours=1)
WELL = {"database": "ok", "migrations": "ok", "keys": "ok", "sweeps": "ok"}


@pytest.fixture(autouse=True)
def alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start with no earlier result and no broker. Leave no thread and no connection behind."""
    settings.REDIS_URL = ""
    monkeypatch.setattr(health, "_DATABASE", health._Database("database"))
    monkeypatch.setattr(health, "_BROKER", health._Broker("broker"))
    yield
    wire.until(lambda: not askers(), what="the threads that ask to end")
    if health._DATABASE._kept:
        health._DATABASE._kept.close()


def askers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "readiness"]


def ready(client: Client) -> tuple[int, Any]:
    answer = client.get("/readyz")
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()


def unwell(**checks: str) -> tuple[int, Any]:
    return 503, {"status": "unavailable", "checks": checks}


def test_that_a_process_lives_needs_no_database(client: Client) -> None:
    # Without the mark, a test that asks the database fails.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": {}})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db(transaction=True)
def test_it_is_asked_by_any_name_without_https_and_often(
    client: Client, settings: Settings, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for _ in range(50):
        answer = client.get(path, headers={"Host": "10.1.2.3:8000"})
        assert answer.status_code == 200
    assert not answer.cookies
    assert answer["X-Request-Id"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db(transaction=True)
def test_it_is_only_read(client: Client, path: str) -> None:
    assert client.head(path).status_code == 200
    refused = client.post(path)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


@pytest.mark.django_db(transaction=True)
def test_all_is_well(client: Client) -> None:
    assert ready(client) == (200, {"status": "ok", "checks": WELL})


@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_is_behind(client: Client, settings: Settings, alice: User) -> None:
    now = timezone.now()
    booking = factories.booking(factories.event_type(alice), start=START, now=NOW)
    times = {"start": now - HOUR, "end": now - timedelta(seconds=59)}
    Booking.objects.filter(pk=booking.pk).update(**times)
    assert ready(client) == (200, {"status": "ok", "checks": WELL})

    Booking.objects.filter(pk=booking.pk).update(end=now - timedelta(seconds=61))
    assert ready(client)[0] == 200  # an answer counts for a moment
    health._DATABASE._until = 0
    with written("core.ops.health") as said:
        assert ready(client) == unwell(**WELL | {"sweeps": "behind"})
    assert "event=not_ready check=sweeps sweeps=['bookings']" in said.getvalue()

    health._DATABASE._until = 0
    settings.READY_SWEEP_SECONDS = 0
    checks = {"database": "ok", "migrations": "ok", "keys": "ok"}
    assert ready(client) == (200, {"status": "ok", "checks": checks})


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_the_servers_of_others_makes_nobody_unready(
    client: Client, alice: User
) -> None:
    """Other people's servers decide how late deliveries and notifications are."""
    long_ago = timezone.now() - HOUR
    factories.delivery(factories.webhook(alice), now=long_ago)
    mail(alice.email, now=long_ago)
    assert ready(client) == (200, {"status": "ok", "checks": WELL})


@pytest.mark.django_db(transaction=True)
def test_a_database_that_lacks_a_migration(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET app = 'x' WHERE app = 'meetings'")
        try:
            assert ready(client) == unwell(database="ok", migrations="unavailable")
        finally:
            cursor.execute("UPDATE django_migrations SET app = 'meetings' WHERE app = 'x'")
    health._DATABASE._until = 0
    assert ready(client)[0] == 200


@pytest.mark.django_db(transaction=True)
def test_keys_that_do_not_open_the_database(client: Client, settings: Settings) -> None:
    right = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [environment.new_encryption_key()]
    with written("core.ops.health") as said:
        assert ready(client) == unwell(**WELL | {"keys": "unavailable"})
    assert "event=not_ready check=keys" in said.getvalue()
    settings.ENCRYPTION_KEYS = right
    health._DATABASE._until = 0
    assert ready(client)[0] == 200


# --- over which connection --------------------------------------------------------------------

of_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL alone")


def asking_pid() -> int:
    """Return the number of the server's process that answers the check."""
    assert health._DATABASE._kept
    assert isinstance(health._DATABASE._kept.connection, psycopg.Connection)
    return health._DATABASE._kept.connection.info.backend_pid


@of_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_connection_is_kept_while_it_works(client: Client) -> None:
    assert ready(client)[0] == 200
    first = asking_pid()
    health._DATABASE._until = 0
    assert ready(client)[0] == 200
    assert asking_pid() == first
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    health._DATABASE._until = 0
    assert ready(client)[0] == 200  # the ended connection is noticed before it is used
    assert asking_pid() != first


@of_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_long_in_coming_is_not_cut(client: Client) -> None:
    """A dead host is tried first, and the probe gives up just when the next one has answered."""
    assert ready(client)[0] == 200
    kept = health._DATABASE._kept
    assert isinstance(kept, DatabaseWrapper)
    kept.connected_at = time.monotonic()
    health._DATABASE.give_up()
    assert kept.is_usable()
    kept.connected_at -= health._QUERY_SECONDS
    health._DATABASE.give_up()
    assert not kept.is_usable()


@of_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes(client: Client) -> None:
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            with written("core.ops.health") as said:
                assert ready(client) == unwell(database="unavailable")
        finally:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert "event=not_ready check=database error=ReadOnlyDatabase" in said.getvalue()
    assert health._DATABASE._kept is None
    health._DATABASE._until = 0
    assert ready(client)[0] == 200


# --- what does not answer ---------------------------------------------------------------------


@contextmanager
def database_at(port: int) -> Iterator[None]:
    """Yield while new connections of the default database go to this port."""
    usual = connections.settings["default"]
    connections.settings["default"] = usual | {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": port,
        "PASSWORD": "hunter2",
        "OPTIONS": {"connect_timeout": 2},
    }
    try:
        yield
    finally:
        connections.settings["default"] = usual


@contextmanager
def frozen_database() -> Iterator[int]:
    """Serve a fake database that accepts a connection but answers no query. Yield its port."""

    def serve(client: socket.socket) -> None:
        with client:
            while True:
                (length,) = struct.unpack("!I", client.recv(4))
                (kind,) = struct.unpack("!I", client.recv(length - 4)[:4])
                if kind == 196608:  # version 3 of the protocol; the others ask for encryption
                    break
                client.sendall(b"N")
            told = b"server_version\x0017.0\x00"
            told = b"S" + struct.pack("!I", len(told) + 4) + told
            client.sendall(
                b"R" + struct.pack("!II", 8, 0) + told + b"Z" + struct.pack("!I", 5) + b"I"
            )
            while client.recv(1024):
                pass  # until it is cut

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: serve(listener.accept()[0]), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_there(client: Client) -> None:
    with database_at(services.free_port()), written("core.ops.health") as said:
        status, answer = ready(client)
        assert (status, answer) == unwell(database="unavailable")
    assert "event=not_ready check=database error=OperationalError" in said.getvalue()
    assert "hunter2" not in said.getvalue()


@pytest.mark.alone
@pytest.mark.django_db(transaction=True)
def test_a_database_that_never_says_a_word(client: Client) -> None:
    with (
        wire.silent_server() as (address, connected),
        database_at(int(address.partition(":")[2])),
    ):
        for _ in range(3):
            began = time.monotonic()
            assert ready(client) == unwell(database="unavailable")
            assert time.monotonic() - began < 2
            assert len(askers()) <= 1  # however often it is asked
        assert connected.is_set()
        wire.until(lambda: not askers(), what="the attempt to connect given up")


@pytest.mark.alone
@pytest.mark.django_db(transaction=True)
def test_a_database_that_answers_no_query_is_given_up(client: Client) -> None:
    with frozen_database() as port, database_at(port):
        began = time.monotonic()
        assert ready(client) == unwell(database="unavailable")
        assert time.monotonic() - began < 2
        wire.until(lambda: not askers(), seconds=1, what="the query given up")
    health._DATABASE._until = 0
    assert ready(client)[0] == 200  # and asks again when it is back


@pytest.mark.django_db(transaction=True)
def test_the_broker_is_asked_where_there_is_one(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://:hunter2@127.0.0.1:{services.free_port()}/0"
    assert ready(client) == unwell(**WELL, broker="unavailable")
    health._BROKER._until = 0
    with services.valkey() as server:
        settings.REDIS_URL = server.url
        assert ready(client) == (200, {"status": "ok", "checks": WELL | {"broker": "ok"}})


@pytest.mark.alone
@pytest.mark.django_db(transaction=True)
def test_a_broker_that_never_says_a_word(client: Client, settings: Settings) -> None:
    with wire.silent_server() as (address, _connected):
        settings.REDIS_URL = f"redis://{address}/0"
        began = time.monotonic()
        assert ready(client) == unwell(**WELL, broker="unavailable")
        assert time.monotonic() - began < 1


@pytest.mark.django_db(transaction=True)
def test_a_broker_whose_certificate_is_refused(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    context, _asked = Authority(tmp_path).serves("localhost")
    with in_front_of(services.free_port(), context) as port:
        settings.REDIS_URL = environment.redis_url(f"rediss://localhost:{port}/0")
        with written("core.ops.health") as said:
            assert ready(client) == unwell(**WELL, broker="unavailable")
    assert 'check=broker error="certificate refused: unable to get local' in said.getvalue()


def test_nobody_is_named_like_them() -> None:
    assert [path for path in health.PROBES if not usernames.is_reserved(path[1:])] == []

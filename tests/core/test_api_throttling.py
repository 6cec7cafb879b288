"""API rate limits: exact, per account, and equal for in-process and Redis counters."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import redis
import time_machine
from django.test import Client
from pytest_django import Settings
from structlog.testing import capture_logs

from accounts.models import User
from core.api import throttling
from core.api.throttling import InProcess, Limiter, Shared, Verdict
from tests import factories
from tests.services import Valkey

NOW = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)
MIDNIGHT = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp())
LIMITS = {1: 10, 60: 100, 3_600: 1_000, 86_400: 10_000}
# Windows that do not end while a test of a real clock runs.
LONG = {60: 1_000_000, 86_400: 50}

Make = Callable[[dict[int, int]], Limiter]


@pytest.fixture(params=["in process", "redis"])
def make(request: pytest.FixtureRequest, server: Valkey) -> Make:
    """Return a maker of empty limiters, in the process or on Redis."""
    if request.param == "in process":
        return InProcess
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    return lambda limits: Shared(limits, server.url)


@pytest.fixture
def at_now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_the_minute_window_is_told(at_now: time_machine.Traveller) -> None:
    limiter = InProcess(LIMITS)
    end = int(NOW.timestamp()) + 30
    assert limiter.take("alice") == Verdict(limit=100, remaining=99, reset=end, used=1)
    assert limiter.take("alice") == Verdict(limit=100, remaining=98, reset=end, used=2)
    assert limiter.take("bob") == Verdict(limit=100, remaining=99, reset=end, used=1)


def test_the_window_that_refuses_is_told(at_now: time_machine.Traveller) -> None:
    limiter = InProcess(LIMITS)
    for _ in range(10):
        assert not limiter.take("alice").refused
    assert limiter.take("alice") == Verdict(
        limit=10,
        remaining=0,
        reset=int(NOW.timestamp()) + 1,
        used=10,
        refused=True,
        retry_after=1,
    )


def test_of_two_that_refuse_the_one_that_opens_last_is_told(
    at_now: time_machine.Traveller,
) -> None:
    limiter = InProcess({1: 2, 60: 2})
    limiter.take("alice")
    limiter.take("alice")
    assert limiter.take("alice").retry_after == 30


def test_a_window_begins_on_the_clock(at_now: time_machine.Traveller) -> None:
    limiter = InProcess({60: 1, 86_400: 3})
    assert not limiter.take("alice").refused
    at_now.move_to(NOW + timedelta(seconds=29, milliseconds=999))
    assert limiter.take("alice").retry_after == 1
    at_now.move_to(NOW + timedelta(seconds=30))
    assert not limiter.take("alice").refused
    at_now.move_to(NOW + timedelta(seconds=90))
    assert not limiter.take("alice").refused
    at_now.move_to(NOW + timedelta(seconds=150))
    assert limiter.take("alice") == Verdict(
        limit=3,
        remaining=0,
        reset=MIDNIGHT,
        used=3,
        refused=True,
        retry_after=MIDNIGHT - int(NOW.timestamp()) - 150,
    )
    at_now.move_to(datetime.fromtimestamp(MIDNIGHT, UTC))
    assert not limiter.take("alice").refused


def test_a_refused_request_consumes_nothing(at_now: time_machine.Traveller) -> None:
    limiter = InProcess({1: 5, 60: 20})
    assert [limiter.take("alice").refused for _ in range(50)] == [False] * 5 + [True] * 45
    at_now.shift(timedelta(seconds=1))
    assert limiter.take("alice").used == 6


def test_nor_does_one_that_redis_refuses(server: Valkey) -> None:
    limiter = Shared({60: 1_000_000, 3_600: 1_000_000, 86_400: 5}, server.url)
    assert [limiter.take("carol").refused for _ in range(50)] == [False] * 5 + [True] * 45
    assert [limiter.take("carol").used, limiter.take("carol").limit] == [5, 5]
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        kept = client.hgetall("parley:limits:carol")
    assert [kept[f"{seconds}:used"] for seconds in (60, 3_600, 86_400)] == ["5", "5", "5"]


def test_memory_is_bounded(at_now: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "_MAX_CALLERS", 3)
    limiter = InProcess({60: 10})
    assert [limiter.take(caller).used for caller in "abcabc"] == [1, 1, 1, 2, 2, 2]
    assert [limiter.take(caller).used for caller in "dbc"] == [1, 3, 3]
    assert limiter.take("a").used == 1


def test_no_flood_of_addresses_pushes_out_what_an_account_has_used(
    at_now: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "_MAX_CALLERS", 3)
    limiter = InProcess({60: 10})
    assert limiter.take("account:1").used == 1
    for number in range(20):
        limiter.take(f"address:192.0.2.{number}")
    assert limiter.take("account:1").used == 2


def test_exact_under_threads(make: Make) -> None:
    limiter = make(LONG)
    with ThreadPoolExecutor(20) as pool:
        verdicts = list(pool.map(lambda _: limiter.take("alice"), range(200)))
    passed = [verdict for verdict in verdicts if not verdict.refused]
    assert sorted(verdict.used for verdict in passed) == list(range(1, 51))
    assert all(verdict.used + verdict.remaining == verdict.limit for verdict in verdicts)
    assert all(verdict.retry_after >= 1 for verdict in verdicts if verdict.refused)


def test_processes_share_what_redis_counts(server: Valkey) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    one, other = Shared(LONG, server.url), Shared(LONG, server.url)
    assert [one.take("a").used, other.take("a").used, one.take("a").used] == [1, 2, 3]


def test_redis_forgets_with_the_longest_window(server: Valkey) -> None:
    Shared({60: 10, 3_600: 10}, server.url).take("a caller")
    with redis.Redis.from_url(server.url) as client:
        assert 3_500 < client.ttl("parley:limits:a caller") <= 3_600


def test_redis_is_asked_once_a_request(server: Valkey) -> None:
    limiter = Shared(LIMITS, server.url)
    limiter.take("alice")
    other = redis.Redis.from_url(server.url)
    other.ping()
    with redis.Redis.from_url(server.url) as client, client.monitor() as monitor:
        limiter.take("alice")
        other.echo("end")
        asked = []
        while (command := monitor.next_command())["command"] != "ECHO end":
            if command["client_type"] != "lua":
                asked.append(command["command"].split()[0])
    other.close()
    assert asked == ["EVALSHA"]


@pytest.mark.look
def test_without_redis_this_process_counts_alone(server: Valkey) -> None:
    limiter = Shared({60: 3, 86_400: 3}, server.url)
    limiter.take("nobody")
    server.stop(keep_data=False)
    try:
        with capture_logs() as logs:
            verdicts = [limiter.take("alice") for _ in range(5)]
    finally:
        server.start()
    assert [verdict.refused for verdict in verdicts] == [False] * 3 + [True] * 2
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("rate_limits_alone", "warning")
    ]


@pytest.mark.look
def test_redis_counts_again_when_it_is_back(server: Valkey) -> None:
    limiter = Shared(LONG, server.url)
    server.stop(keep_data=False)
    with capture_logs() as logs:
        assert [limiter.take("alice").used for _ in range(3)] == [1, 2, 3]
        server.start()
        deadline = time.monotonic() + 10
        while len(logs) < 2 and time.monotonic() < deadline:
            limiter.take("somebody else")
    assert [entry["event"] for entry in logs] == ["rate_limits_alone", "rate_limits_shared"]
    assert limiter.take("alice").used == 1


def test_a_redis_that_hangs_slows_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        accepted: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    accepted.append(silent.accept()[0])
            except OSError:
                pass

        thread = threading.Thread(target=accept)
        thread.start()
        limiter = Shared(LONG, f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        start = time.monotonic()
        assert [limiter.take("alice").used for _ in range(40)] == list(range(1, 41))
        elapsed = time.monotonic() - start
        silent.shutdown(socket.SHUT_RDWR)
        thread.join()
    # Each try waits a quarter of a second, and there is at most one a second.
    assert len(accepted) <= 1 + elapsed
    assert elapsed < 5
    for connection in accepted:
        connection.close()


@pytest.fixture
def five_a_day(request: pytest.FixtureRequest, settings: Settings, server: Valkey) -> None:
    """Allow five requests a day, counted in this process or in Redis."""
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    settings.REDIS_URL = server.url if request.param == "redis" else ""
    settings.API_RATE_LIMITS = {60: 1_000_000, 86_400: 5}


either = pytest.mark.parametrize("five_a_day", ["in process", "redis"], indirect=True)


@either
@pytest.mark.django_db
def test_ten_tokens_share_their_accounts_budget(
    client: Client, alice: User, bob: User, five_a_day: None
) -> None:
    statuses = [
        client.get(
            "/api/v1/users/me",
            headers={"Authorization": f"Bearer {factories.token(alice)}"},
        ).status_code
        for _ in range(10)
    ]
    assert statuses == [200] * 5 + [429] * 5
    assert factories.client(bob).get("/api/v1/users/me").status_code == 200


@either
@pytest.mark.django_db
def test_unknown_paths_and_refused_tokens_are_counted_by_address(
    client: Client, five_a_day: None
) -> None:
    paths = ["/api/v1/users/me", "/api/nothing", "/api/v3/meeting/create", "/api/schema"]
    assert [client.get(path).status_code for path in paths] == [401, 404, 401, 200]
    assert client.options("/api/v1/users/me").status_code == 204
    bad = {"Authorization": "Bearer pat_nonsense"}
    assert client.get("/api/v1/users/me", headers=bad).status_code == 429
    assert client.get("/api/v1/users/me", REMOTE_ADDR="192.0.2.1").status_code == 401


@either
@pytest.mark.django_db
def test_a_forged_address_is_not_believed(client: Client, five_a_day: None) -> None:
    statuses = [
        client.get("/api/v1/users/me", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2


@either
@pytest.mark.django_db
def test_the_address_that_a_trusted_proxy_names_is_believed(
    client: Client, settings: Settings, five_a_day: None
) -> None:
    settings.TRUSTED_PROXIES = 1
    statuses = [
        client.get(
            "/api/v1/users/me", headers={"X-Forwarded-For": f"192.0.2.{number}, 198.51.100.1"}
        ).status_code
        for number in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2


@pytest.mark.django_db
def test_what_a_refused_caller_reads(client: Client, settings: Settings, alice: User) -> None:
    settings.REDIS_URL = ""
    settings.API_RATE_LIMITS = {1: 1, 60: 100}
    headers = {"Authorization": f"Bearer {factories.token(alice)}"}
    with time_machine.travel(NOW, tick=False):
        first = client.get("/api/v1/users/me", headers=headers)
        second = client.get("/api/v1/users/me", headers=headers)
        third = client.get("/api/v3/meeting/list", headers=headers)
    names = ["Limit", "Remaining", "Reset", "Used"]
    end = int(NOW.timestamp())
    assert first.status_code == 200
    assert [first[f"X-RateLimit-{name}"] for name in names] == ["100", "99", str(end + 30), "1"]
    assert second.status_code == 429
    assert [second[f"X-RateLimit-{name}"] for name in names] == ["1", "0", str(end + 1), "1"]
    assert second["Retry-After"] == "1"
    assert second.json() == {
        "error": "rate_limit_exceeded",
        "message": "Too many requests. Try again later.",
        "status_code": 429,
        "timestamp": "2026-03-02T09:00:30Z",
    }
    assert third.status_code == 429
    assert third.json() == {"error": 429, "message": "Too many requests. Try again later."}

"""Production as compose.yaml starts it, on PostgreSQL and Redis, behind a proxy that speaks TLS.

The tests send the headers that the proxy would send.
"""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import recipes, services, wire
from tests.torture.deployment import (
    EMBEDDED_DATABASE,
    EMBEDDED_WORKER,
    Deployment,
    Running,
    deployed,
    zygote,
)
from tests.torture.served import Answer, Client, event, in_a_month

pytestmark = [
    pytest.mark.alone,
    pytest.mark.both,
    pytest.mark.skipif(
        EMBEDDED_DATABASE or EMBEDDED_WORKER, reason="compose.yaml has PostgreSQL and Redis"
    ),
]
SITE = "parley.example"


@pytest.fixture(scope="module")
def port() -> int:
    return services.free_port()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[wire.Endpoint]:
    """Yield the endpoint of the host's only webhook."""
    with wire.endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def mail_server() -> Iterator[wire.MailServer]:
    with wire.MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, mail_server: wire.MailServer
) -> Iterator[Deployment]:
    """Yield a deployment, migrated by the `migrate` service.

    Its static files lie outside, as in the image.
    """
    directory: Path = tmp_path_factory.mktemp("production")
    counts = directory / "counts"
    counts.mkdir()
    with deployed(
        directory,
        PUBLIC_URL=f"https://{SITE}",
        TRUSTED_PROXIES="1",
        STATIC_ROOT=str(directory / "collected"),
        EMAIL_URL=mail_server.url,
        WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8",
    ) as deployment:
        deployment.environment.pop("API_RATE_LIMITS", None)
        python, manage, *migrate = recipes.command("migrate")
        assert (python, manage) == ("python", "manage.py")
        deployment.manage(*migrate)
        deployment.manage("collectstatic", "--noinput", "--verbosity", "0")
        yield deployment


@pytest.fixture(scope="module")
def hosts(deployment: Deployment, endpoint: wire.Endpoint) -> list[dict[str, Any]]:
    """Return two hosts, each with a token and with a webhook to /hook/<number>."""
    with zygote(deployment) as forking:
        made = forking.do("set_up_hosts", endpoint.url, 2)
        for number, host in enumerate(made):
            (host["event_type"],) = forking.do(
                "offer", f"host{number}@example.com", [{"slug": "other"}]
            )
        return list(made)


@pytest.fixture
def host(hosts: list[dict[str, Any]]) -> dict[str, Any]:
    return hosts[0]


@contextmanager
def web(deployment: Deployment, port: int) -> Iterator[Running]:
    command = recipes.by_python(recipes.command("web"), port=port)
    counts = str(deployment.directory / "counts")
    with deployment.running(
        *command, PROMETHEUS_MULTIPROC_DIR=counts, GRANIAN_WORKERS="2"
    ) as server:
        # One that has only begun to start would miss the wish to stop.
        wire.until(
            lambda: server.output.count("runtime-1") == 2 and is_healthy(port),
            seconds=60,
            what="both of its processes",
        )
        yield server


@contextmanager
def workers(deployment: Deployment) -> Iterator[dict[str, Running]]:
    """Run one worker of each kind as compose.yaml starts it. Yield them by name."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                deployment.running(*recipes.by_python(recipes.command(name), port=0))
            )
            for name in ("mail", "deliveries", "sweeps")
        }


def is_healthy(port: int) -> bool:
    """Ask /healthz from this process, as the image's health check does. Tell whether it is 200."""
    try:
        with closing(Client(port)) as client:
            return client.ask("GET", "/healthz").status == 200
    except OSError:
        return False


def ask(
    port: int, path: str, *, scheme: str = "https", forwarded: str = "192.0.2.7", token: str = ""
) -> Answer:
    """Send a GET request as it arrives from the proxy."""
    with closing(Client(port, token)) as client:
        return client.ask(
            "GET", path, Host=SITE, X_Forwarded_Proto=scheme, X_Forwarded_For=forwarded
        )


def test_behind_a_proxy_that_speaks_tls(deployment: Deployment, port: int) -> None:
    with web(deployment, port) as server:
        # It is well, as its image finds.
        _python, *asking = recipes.health_check()
        own = [word.replace("8000", str(port)) for word in asking]
        assert subprocess.run([sys.executable, *own], check=False).returncode == 0

        # Plain HTTP is sent to HTTPS, however it comes.
        plain = ask(port, "/accounts/login/", scheme="http")
        assert (plain.status, plain.headers["Location"]) == (
            301,
            f"https://{SITE}/accounts/login/",
        )

        page = ask(port, "/accounts/login/")
        assert page.status == 200
        (cookie,) = page.headers.get_all("Set-Cookie", [])
        assert cookie.strip().startswith("__Host-csrftoken=")
        for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert f"; {word}" in cookie
        assert "Domain" not in cookie
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        # Whose version nobody need know.
        assert page.headers["Server"] == "granian"

        # Static files come from where they were collected, and may be kept for ever.
        style = page.body.decode().partition('rel="stylesheet" href="')[2].partition('"')[0]
        assert "immutable" in ask(port, style).headers["Cache-Control"]

        # A client that forges an address before the proxy's counts by its true address.
        used = [
            ask(port, "/api/v1/events", forwarded=forwarded).headers["X-RateLimit-Used"]
            for forwarded in ("192.0.2.8", "6.6.6.6, 192.0.2.8", "7.7.7.7, 192.0.2.8", "192.0.2.9")
        ]
        assert used == ["1", "2", "3", "1"]
        assert "Traceback" not in server.output, server.output

        # A request for another host is refused.
        with closing(Client(port)) as client:
            assert client.ask("GET", "/", Host="evil.example").status == 400


def test_a_request_in_hand_is_answered_before_the_web_ends(
    deployment: Deployment, port: int, host: dict[str, Any]
) -> None:
    body = event(host["event_type"], in_a_month())

    def book() -> Answer:
        with closing(Client(port, host["token"])) as client:
            return client.ask("POST", "/api/v1/events", body, Host=SITE, X_Forwarded_Proto="https")

    with (
        web(deployment, port) as server,
        psycopg.connect(deployment.environment["DATABASE_URL"]) as session,
        ThreadPoolExecutor(1) as pool,
    ):
        session.execute("SELECT 1 FROM accounts_user FOR UPDATE")
        answer = pool.submit(book)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wire.until(lambda: deployment.rows(waiting) == [(1,)], what="a request that waits")
        server.process.send_signal(signal.SIGTERM)
        wire.until(lambda: "Shutting down" in server.output, what="the wish to stop")
        assert server.process.poll() is None
        session.rollback()
        assert answer.result(timeout=20).status == 201
        assert server.process.wait(timeout=20) == 0
        assert server.survivors() == []


def test_a_task_in_hand_is_finished_before_its_worker_ends(
    deployment: Deployment, endpoint: wire.Endpoint
) -> None:
    go_on = threading.Event()
    endpoint.answer = lambda _call: (200 if go_on.wait(20) else 500, {}, b"")
    delivered = "SELECT count(*) FROM webhooks_delivery WHERE state = 'sent'"
    with workers(deployment) as running:
        endpoint.wait_for(1, seconds=60)  # of what the test before has booked
        deliveries = running["deliveries"].process
        deliveries.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            deliveries.wait(timeout=1)
        assert deployment.rows(delivered) == [(0,)]
        go_on.set()
        assert deliveries.wait(timeout=20) == 0
    assert deployment.rows(delivered) == [(1,)]
    assert len(endpoint.received) == 1
    assert json.loads(endpoint.received[0].body)["type"] == "booking.created"


def test_ten_webhooks_of_an_account_that_hang_delay_nobody_else(
    deployment: Deployment,
    endpoint: wire.Endpoint,
    mail_server: wire.MailServer,
    hosts: list[dict[str, Any]],
) -> None:
    released, (host, sick) = threading.Event(), hosts
    starts = [in_a_month() + timedelta(days=1, minutes=30 * number) for number in range(5)]

    def told() -> list[wire.Call]:
        return [call for call in endpoint.received if call.path == "/hook/0"]

    with ExitStack() as stack:
        hanging = stack.enter_context(wire.endpoint())
        stack.callback(released.set)
        hanging.answer = lambda _call: (200 if released.wait(60) else 500, {}, b"")
        endpoint.always(200)
        endpoint.received.clear()
        # Bookings are made without a proxy.
        plain = {**deployment.environment, "PUBLIC_URL": "http://localhost"}
        forking = stack.enter_context(zygote(replace(deployment, environment=plain)))
        forking.do("give_webhooks", "host1@example.com", hanging.url, 10)
        stack.enter_context(workers(deployment))
        for start in starts[:4]:
            forking.do("call_v1", sick["token"], "events", booking_of(sick, start), "")
        wire.until(lambda: hanging.received, seconds=60, what="the first that hangs")

        mails = len(mail_server.received)
        forking.do("call_v1", host["token"], "events", booking_of(host, starts[4]), "")
        wire.until(told, what="the delivery to the other host")
        wire.until(
            lambda: (
                ("host0@example.com",) in [mail.recipients for mail in mail_server.received[mails:]]
            ),
            what="the mail to the other host",
        )
        # Of new endpoints, half of an account's quarter of sixteen threads.
        assert len(hanging.received) <= 2


def booking_of(host: dict[str, Any], start: datetime) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event(host["event_type"], start))
    return body

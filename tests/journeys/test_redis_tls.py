"""Web and worker over `rediss://`: tasks run, and a certificate that proves nothing is refused."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import redis

from tests import services, wire
from tests.tls import Authority, in_front_of
from tests.torture.deployment import EMBEDDED_WORKER, WORKER, deployed
from tests.torture.served import Client, event, in_a_month, served

pytestmark = [
    pytest.mark.alone,
    pytest.mark.both,
    pytest.mark.skipif(EMBEDDED_WORKER, reason="without REDIS_URL there is no Redis"),
]
PASSWORD = "hunter2"


@contextmanager
def redis_over_tls(folder: Path, name: str = "localhost", **fault: Any) -> Iterator[str]:
    """Yield the URL of a Redis with a password, whose certificate has this name."""
    authority = Authority(folder)
    context, _asked = authority.serves(name, **fault)
    with services.valkey() as server:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("requirepass", PASSWORD)
        port = urlsplit(server.url).port
        assert port
        with in_front_of(port, context) as tls_port:
            address = f"rediss://:{PASSWORD}@localhost:{tls_port}/0"
            yield f"{address}?ssl_ca_certs={quote(str(authority.path))}"


def test_a_booking_is_mailed_and_the_web_is_ready(tmp_path: Path) -> None:
    sent = "SELECT count(*) FROM notifications_notification WHERE state = 'sent'"
    with (
        redis_over_tls(tmp_path) as url,
        served(tmp_path, offers=[{}], REDIS_URL=url) as parley,
        parley.deployment.running(*WORKER) as worker,
    ):
        with closing(Client(parley.ports[0], parley.cast["alice"])) as client:
            body = event(parley.event_types[0], in_a_month())
            assert client.ask("POST", "/api/v1/events", body).status == 201
            ready = client.ask("GET", "/readyz")
            assert ready.data["checks"]["broker"] == "ok"
        wire.until(lambda: parley.deployment.rows(sent) != [(0,)], seconds=60, what="a mail")
        outputs = [worker.output, *(server.output for server in parley.servers)]
    for output in outputs:
        for event_of_a_loss in ("cache_alone", "rate_limits_alone", "hint_lost", "Cannot connect"):
            assert event_of_a_loss not in output
        assert PASSWORD not in output


@pytest.mark.parametrize(
    ("name", "fault", "reason"),
    [
        ("localhost", {"self_signed": True}, "self-signed certificate"),
        ("cache.example", {}, "Hostname mismatch"),
        ("localhost", {"days": -1}, "certificate has expired"),
    ],
    ids=["another authority", "another name", "expired"],
)
def test_a_worker_says_why_it_takes_no_tasks(
    tmp_path: Path, name: str, fault: dict[str, Any], reason: str
) -> None:
    with (
        redis_over_tls(tmp_path, name, **fault) as url,
        deployed(tmp_path, migrated=True, REDIS_URL=url) as deployment,
        deployment.running(*WORKER) as worker,
    ):
        wire.until(lambda: "Cannot connect" in worker.output, seconds=60, what="its complaint")
        (line, *_again) = [each for each in worker.output.splitlines() if "Cannot connect" in each]
        assert reason in line
        assert PASSWORD not in worker.output

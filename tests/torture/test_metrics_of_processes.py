"""Metrics of several processes on one port: each process reports all of them."""

import re
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests import recipes, services, wire
from tests.torture.deployment import deployed
from tests.torture.served import Client, together

pytestmark = [pytest.mark.alone, pytest.mark.both]

_AT_ONCE = 16
_COUNTER = r'parley_requests_total\{method="GET",route="api/v1/users/me",status="401"\}'


def test_requests_are_added_up_over_the_processes(tmp_path: Path) -> None:
    port, folder = services.free_port(), tmp_path / "metrics"
    with deployed(
        tmp_path,
        migrated=True,
        METRICS_TOKEN="token",
        PROMETHEUS_MULTIPROC_DIR=str(folder),
        GRANIAN_WORKERS="2",
        REQUEST_THREADS="2",
    ) as deployment:
        command = recipes.by_python(recipes.command("web"), port=port)
        with deployment.running(*command, PORT=str(port)) as server:
            wire.until(lambda: _status(port, "/healthz") == 200, seconds=60, what=server.output)
            asked = 0

            def both_are_at_work() -> bool:
                """Send more calls at once than one process can take. Tell whether both work."""
                nonlocal asked
                statuses = together([partial(_status, port, "/api/v1/users/me")] * _AT_ONCE)
                assert set(statuses) == {401}
                asked += _AT_ONCE
                return len(list(folder.glob("counter_*.db"))) == 2

            wire.until(both_are_at_work, seconds=60, what="both at work")
            for _ in range(4):
                with closing(Client(port, "token")) as client:
                    page = client.ask("GET", "/metrics").body.decode()
                counted = re.findall(rf"^{_COUNTER} (.*)$", page, re.MULTILINE)
                assert [float(count) for count in counted] == [asked]
                assert "parley_database_up 1.0" in page


def _status(port: int, path: str) -> int:
    try:
        with closing(Client(port)) as client:
            return client.ask("GET", path).status
    except OSError:
        return 0

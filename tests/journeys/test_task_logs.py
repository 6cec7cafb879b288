"""Task logs: a worker's lines carry the number of the request that asked for the work."""

import json
import re

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from config.celery import app
from config.worker import EmbeddedWorker
from tests import wire
from tests.core.lines import written
from tests.torture.deployment import EMBEDDED_WORKER, WORKER, deployed

pytestmark = pytest.mark.django_db(transaction=True)

LOGGER = "tests.task"


@app.task(name="tests.say")
def say() -> None:
    structlog.get_logger(LOGGER).warning("said")


def test_a_task_carries_the_number_of_its_request_and_its_own(worker: EmbeddedWorker) -> None:
    with written(LOGGER, "json") as lines:
        with bound_contextvars(request_id="request-1"):
            asked = app.send_task("tests.say")
        wire.until(lambda: lines.getvalue().count("\n") == 1, what="the first line")
        alone = app.send_task("tests.say")
        wire.until(lambda: lines.getvalue().count("\n") == 2, what="the second")
    first, second = map(json.loads, lines.getvalue().splitlines())
    assert (first["task"], first["task_id"]) == ("tests.say", asked.id)
    assert first["request_id"] == "request-1"
    assert second["task_id"] == alone.id
    assert "request_id" not in second


@pytest.mark.alone
@pytest.mark.skipif(EMBEDDED_WORKER, reason="the worker is a part of what serves")
def test_a_worker_of_its_own_writes_lines_of_the_same_form(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with deployed(tmp_path_factory.mktemp("worker"), LOG_LEVEL="INFO") as deployment:
        # There are no tables, so every sweep fails.
        with deployment.running(*WORKER) as worker:
            wire.until(lambda: "Traceback" in worker.output, seconds=20, what="an error")
        lines = [line for line in worker.output.splitlines() if "Traceback" in line]
        assert all(re.match(r"timestamp=\S+Z level=error event=", line) for line in lines)

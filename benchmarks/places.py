"""Deployments to measure: they run as in production, with the data of `make_load`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from benchmarks.load import Server
from tests import recipes, services, wire
from tests.torture.deployment import EMBEDDED_DATABASE, EMBEDDED_WORKER, ROOT, Deployment, deployed
from tests.torture.served import answers

# Command that serves a stock project with as many threads as production has (`REQUEST_THREADS`).
STOCK_COMMAND = (
    "-m",
    "granian",
    "--interface",
    "wsgi",
    "--http",
    "1",
    "--blocking-threads",
    "8",
    "--blocking-threads-idle-timeout",
    "600",
    "--factory",
    "django.core.wsgi:get_wsgi_application",
)

_FILL_SECONDS = 1800
_START_SECONDS = 60


@contextmanager
def filled(*, bookings: int, hosts: int) -> Iterator[Deployment]:
    """Yield a deployment on PostgreSQL and Valkey with so many bookings and hosts."""
    from tests import environment  # noqa: F401  keys, and limits that are in nobody's way

    if EMBEDDED_DATABASE or EMBEDDED_WORKER:
        sys.exit("Needs PostgreSQL and Valkey: python -m tests.services -- python -m benchmarks...")
    with (
        TemporaryDirectory(prefix="parley-benchmark-") as name,
        deployed(Path(name), PROMETHEUS_MULTIPROC_DIR=f"{name}/metrics") as deployment,
    ):
        deployment.manage("migrate", "--verbosity", "0")
        deployment.manage("collectstatic", "--noinput", "--verbosity", "0")
        made = f"--bookings={bookings}", f"--hosts={hosts}"
        with deployment.running(str(ROOT / "manage.py"), "make_load", *made) as filling:
            filling.process.wait(_FILL_SECONDS)
            assert filling.process.returncode == 0, filling.output
        tidy(deployment)
        yield deployment


def tidy(deployment: Deployment) -> None:
    """Vacuum and analyze now. Otherwise autovacuum would do it later, during a measurement."""
    with psycopg.connect(deployment.environment["DATABASE_URL"], autocommit=True) as session:
        session.execute("VACUUM (ANALYZE)")


@contextmanager
def served(
    deployment: Deployment, *command: str, workers: int = 2, **environment: str
) -> Iterator[Server]:
    """Serve the deployment, by production's command unless another is given."""
    port = services.free_port()
    command = command or recipes.by_python(recipes.command("web"), port=port)
    own = {"PORT": str(port), "GRANIAN_PORT": str(port), "GRANIAN_WORKERS": str(workers)}
    with deployment.running(*command, **own, **environment) as running:
        try:
            wire.until(partial(answers, port), seconds=_START_SECONDS)
        except AssertionError as error:
            error.add_note(running.output)
            raise
        yield Server(port, running)


def do(deployment: Deployment, role: str, *arguments: object) -> Any:
    """Return the result of a function such as `roles.hosts`, run in a process of the deployment."""
    output = subprocess.run(
        [deployment.python, "-m", "benchmarks.inside", role, *map(json.dumps, arguments)],
        env=deployment.environment | {"LOG_LEVEL": "WARNING"},
        cwd=deployment.directory,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_FILL_SECONDS,
    ).stdout
    return json.loads(output.splitlines()[-1])  # django-appointment logs to the same stream

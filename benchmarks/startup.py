"""Benchmark of Parley's start: `python -m benchmarks.startup` prints a table.

It starts Parley as `make run` does: SQLite, no Redis, no settings. Each figure is the time of a
whole process, from its start to its end or to its first answer. The ratios are to a process that
loads only Django and REST framework. Every round starts each once, so a slowdown of the machine
affects all of them. The least time of each counts.

Bound: `make run` on a folder that is set up answers within 6 s.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.table import Row, finish
from tests import services, wire
from tests.torture.deployment import ROOT, Deployment
from tests.torture.served import answers

ROUNDS = 5
SERVE_SECONDS = 6.0
_START_SECONDS = 120

SERVE = "manage.py serve, set up, to the first answer"
BASE = "Django and REST framework alone"
STOCK = (
    "import django; from django.conf import settings; settings.configure(); django.setup();"
    "from rest_framework import views"
)
MANAGE = str(ROOT / "manage.py")
WHOLE = {
    BASE: ("-c", STOCK),
    "manage.py check": (MANAGE, "check"),
    # The threads of its worker would keep it from a clean end.
    "the web: config.wsgi": ("-c", "import os, config.wsgi; os._exit(0)"),
    "the worker: its tasks": (
        "-c",
        "from config.celery import app; app.loader.import_default_modules()",
    ),
}


def table() -> list[Row]:
    with TemporaryDirectory(prefix="parley-benchmark-") as name:
        deployment = _as_make_run_has_it(Path(name))
        acts: dict[str, Callable[[], float]] = {
            SERVE: partial(_serve, deployment),
            **{what: partial(_run, deployment, *command) for what, command in WHOLE.items()},
        }
        for act in acts.values():  # the first sets up, and all of them compile what is new
            act()
        best = dict.fromkeys(acts, float("inf"))
        for _ in range(ROUNDS):
            for what, act in acts.items():
                best[what] = min(best[what], act())
    return [
        Row(SERVE, best.pop(SERVE), "seconds", SERVE_SECONDS),
        *(Row(what, seconds, "seconds") for what, seconds in best.items()),
        *(
            Row(f"{what}, to {BASE}", seconds / best[BASE], "times")
            for what, seconds in best.items()
            if what != BASE
        ),
    ]


def _as_make_run_has_it(directory: Path) -> Deployment:
    """Return a deployment like that of `make run`, without this run's databases and settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(directory),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    return Deployment(directory, environment, valkey=None)


def _run(deployment: Deployment, *arguments: str) -> float:
    """Return the seconds until the process ends."""
    began = perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        env=deployment.environment,
        cwd=deployment.directory,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=_START_SECONDS,
    )
    return perf_counter() - began


def _serve(deployment: Deployment) -> float:
    """Return the seconds until its first answer."""
    port, began = services.free_port(), perf_counter()
    with deployment.running(MANAGE, "serve", "--no-demo", PORT=str(port)) as running:
        wire.until(
            lambda: running.process.poll() is not None or answers(port), seconds=_START_SECONDS
        )
        assert running.process.poll() is None, running.output
        return perf_counter() - began


if __name__ == "__main__":
    finish(table())

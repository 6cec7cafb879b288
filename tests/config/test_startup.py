"""Imports at the start of a process: no large module loads before its setting or first use."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each is loaded where it is first used: to push, to report, to trace, to send by a provider, to
# draw a code, to serve.
LATE = {
    "anymail.backends",
    "firebase_admin",
    "google.auth",
    "google.cloud",
    "granian",
    "grpc",
    "opentelemetry.exporter",
    "opentelemetry.instrumentation",
    "opentelemetry.proto",
    "qrcode",
    "sentry_sdk",
}
# Redis's client, and what it brings along.
REDIS = {"opentelemetry", "redis"}
# A sign that the process has come to the views, with which most of the rest is loaded.
VIEWS = {"config.urls"}
USED = VIEWS | (REDIS if os.environ.get("REDIS_URL") else set())

CHECK = """
import runpy, sys
sys.argv = ["manage.py", "check"]
runpy.run_path("manage.py", run_name="__main__")
"""
WEB = """
from config.worker import EmbeddedWorker
EmbeddedWorker.start = lambda worker: None
import config.wsgi, config.urls
"""
WORKER = """
from config.celery import app
app.loader.import_default_modules()
"""


@pytest.mark.both
@pytest.mark.parametrize("start", [CHECK, WEB, WORKER], ids=["check", "web", "worker"])
def test_a_start_loads_nothing_that_it_does_not_use(start: str) -> None:
    assert loaded(start) & (LATE | REDIS | VIEWS) == USED


def test_all_of_it_could_be_loaded() -> None:
    assert [name for name in LATE if find_spec(name) is None] == []


def loaded(start: str) -> set[str]:
    """Return the modules loaded in a new process after this start code."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{start}\nimport json, sys\nprint(json.dumps([*sys.modules]))"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stdout.splitlines()[-1]))

"""Backups by docs/deploy.md: taken during bookings, and restored in another place."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests import recipes, services, wire
from tests.torture.deployment import EMBEDDED_DATABASE, ROOT, Deployment, deployed
from tests.torture.served import Client, Served, answers, event, in_a_month, served

pytestmark = [pytest.mark.alone, pytest.mark.both]


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Served]:
    directory = tmp_path / "origin"
    directory.mkdir()
    with served(directory, offers=[{"duration": 15, "slot_interval": 15}]) as origin:
        yield origin


@contextmanager
def being_booked(origin: Served) -> Iterator[list[datetime]]:
    """Book one time after another in a thread. Yield the list of confirmed starts."""
    booked: list[datetime] = []
    ended = threading.Event()

    def book() -> None:
        with closing(Client(origin.ports[0], origin.cast["alice"])) as client:
            for number in range(200):
                if ended.is_set():
                    return
                start = in_a_month() + timedelta(minutes=15 * number)
                body = event(origin.event_types[0], start)
                assert client.ask("POST", "/api/v1/events", body).status == 201
                booked.append(start)

    thread = threading.Thread(target=book)
    thread.start()
    try:
        yield booked
    finally:
        ended.set()
        thread.join()


def shell(line: str, deployment: Deployment) -> None:
    """Run a shell line in the folder of the deployment, with PostgreSQL's programs on the path."""
    path = f"{services.postgresql_programs()}{os.pathsep}{os.environ['PATH']}"
    environment = deployment.environment | ({} if EMBEDDED_DATABASE else {"PATH": path})
    subprocess.run(["bash", "-c", line], env=environment, cwd=deployment.directory, check=True)


def back_up(deployment: Deployment) -> Path:
    """Make a backup and return its file."""
    if EMBEDDED_DATABASE:
        line = recipes.in_shell("Backups", ".venv/bin/python manage.py backup parley.sqlite3")
        line = recipes.python_as_here(line).replace("parley.sqlite3", "copy.sqlite3")
        shell(line, deployment)
        return deployment.directory / "copy.sqlite3"
    line = recipes.in_shell("Backups", ".venv/bin/python manage.py backup parley.dump")
    shell(recipes.python_as_here(line), deployment)
    return deployment.directory / "parley.dump"


def restore(backup: Path, deployment: Deployment) -> None:
    """Restore a backup into an empty deployment."""
    if EMBEDDED_DATABASE:
        shutil.copy(backup, deployment.directory / "parley.sqlite3")
        return
    shutil.copy(backup, deployment.directory)
    line = recipes.in_shell("Restoring", ".venv/bin/python manage.py restore")
    shell(recipes.python_as_here(line), deployment)


def test_a_backup_of_a_parley_at_work_starts_elsewhere(origin: Served, tmp_path: Path) -> None:
    with being_booked(origin) as booked:
        wire.until(lambda: len(booked) >= 5, what="some bookings")
        before = list(booked)
        backup = back_up(origin.deployment)
        wire.until(lambda: len(booked) > len(before), what="another booking")

    directory = tmp_path / "elsewhere"
    directory.mkdir()
    static = origin.deployment.environment["STATIC_ROOT"]  # collecting them takes a while
    with deployed(directory, STATIC_ROOT=static) as elsewhere:
        restore(backup, elsewhere)
        port = services.free_port()
        serve: tuple[str, ...] = (str(ROOT / "manage.py"), "serve", "--no-demo")
        if not EMBEDDED_DATABASE:
            elsewhere.manage("migrate", "--check")
            serve = recipes.by_python(recipes.command("web"), port=port)
        with elsewhere.running(*serve, PORT=str(port)) as server:
            wire.until(partial(answers, port), seconds=60, what=server.output)
            with closing(Client(port, origin.cast["alice"])) as client:
                path = f"/api/v1/event_types/{origin.event_types[0]}"
                assert client.ask("GET", path).status == 200
                # What somebody was told before is there, and taken.
                for start in before:
                    again = client.ask(
                        "POST", "/api/v1/events", event(origin.event_types[0], start)
                    )
                    assert again.status == 409
                later = event(origin.event_types[0], in_a_month() + timedelta(days=3))
                assert client.ask("POST", "/api/v1/events", later).status == 201

        # It is the state of one moment: to each booking what was written along with it.
        ((bookings, claimed),) = elsewhere.rows(
            "SELECT count(*), count(DISTINCT busy_time_id) FROM scheduling_booking"
        )
        ((busy,),) = elsewhere.rows("SELECT count(*) FROM calendars_busytime")
        assert bookings == claimed == busy
        assert len(before) < bookings

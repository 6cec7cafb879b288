"""Commands that the README and `make run` print, each run from its text by a shell.

The server's clock stands on the Saturday before a year ends. Only machine-dependent text changes:
the port, and the Python of the virtual environment.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import wire
from tests.services import free_port
from tests.torture.deployment import ROOT, Deployment, deployed

pytestmark = [
    pytest.mark.both,
    pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine"),
]

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
CLOCK = """
from datetime import UTC, datetime

import time_machine

time_machine.travel(datetime(2028, 12, 30, 23, 30, tzinfo=UTC)).start()
"""


@dataclass(frozen=True)
class Shell:
    """Shell in the project's folder, while `make run` serves."""

    port: int
    environment: dict[str, str]
    printed: str
    """The output of `make run`."""

    def run(self, commands: str, **variables: str) -> str:
        """Return the output of these commands. The first one that fails ends them and the test."""
        script = commands.replace("localhost:8000", f"localhost:{self.port}")
        script = script.replace(".venv/bin/python", sys.executable)
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=ROOT,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), script
        return done.stdout


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    directory: Path = tmp_path_factory.mktemp("readme")
    (directory / "sitecustomize.py").write_text(CLOCK)
    port = free_port()
    with deployed(directory) as deployment:
        deployment.environment.pop("PUBLIC_URL", None)
        path = deployment.environment["PYTHONPATH"]
        deployment.environment["PYTHONPATH"] = os.pathsep.join([str(directory), path])
        with deployment.running(str(ROOT / "manage.py"), "serve", PORT=str(port)) as server:
            wire.until(
                lambda: server.process.poll() is not None or answers(port, deployment),
                seconds=60,
                what="the first answer",
            )
            assert server.process.poll() is None, server.output
            yield Shell(port, deployment.environment, server.output)


def answers(port: int, deployment: Deployment) -> bool:
    asked = ["curl", "-s", "-o", os.devnull, f"http://localhost:{port}/healthz"]
    return not subprocess.run(asked, env=deployment.environment, check=False).returncode


def documents(text: str) -> list[Any]:
    """Return the JSON documents that stand one after another in a text."""
    decoder, found, text = json.JSONDecoder(), [], text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].strip()
    return found


def test_the_readme_begins_with_two_commands() -> None:
    assert README.startswith("# Parley\n\n    make run\n    make test\n")


def test_the_commands_of_the_readme(shell: Shell) -> None:
    """The commands share variables, so they run as one script, as if a reader pasted them."""
    kept = 'printf \'"%s"\\n"%s"\\n\' "$TOKEN" "$START"\n'
    asked, booked, token, start = documents(shell.run("".join(BLOCKS) + kept))
    assert (asked["booking_date"], asked["timezone"], asked["status"]) == (
        "2029-01-06 14:00:00",
        "Europe/London",
        "pending",
    )
    booking = booked["data"]
    assert (booking["start_time"], booking["status"]) == (start, "confirmed")
    assert booking["invitee"]["email"] == "john@example.com"

    # What the README says of other starts.
    [_assignment, book] = re.split(r"\n\n", BLOCKS[-1])
    (taken,) = documents(shell.run(book, TOKEN=token, START=start))
    assert (taken["status_code"], taken["reason"]) == (409, "busy")
    (never,) = documents(shell.run(book, TOKEN=token, START=start.replace(":00Z", ":01Z")))
    assert (never["status_code"], never["details"][0]["field"]) == (422, "start_time")


def test_every_inline_command_of_the_readme(shell: Shell) -> None:
    commands = re.findall(r"`(\.venv/bin/python [^`]+)`", README)
    assert len(commands) == 1
    for command in commands:
        assert re.fullmatch(r"pat_\w{46}\n", shell.run(command))


def test_the_commands_that_make_run_prints(shell: Shell) -> None:
    commands = re.findall(r"^ *curl (?:.*\\\n)*.*\n", shell.printed, re.MULTILINE)
    assert len(commands) == 2
    asked, free = documents(shell.run("".join(commands)))
    assert (asked["booking_date"], asked["status"]) == ("2029-01-03 14:00:00", "pending")
    assert all(slot["available"] for day in free["data"] for slot in day["slots"])
    assert free["data"]

"""docs/quickstart.md: each of its programs, as printed, books a start."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from scheduling.models import Booking
from tests import factories

DOCUMENT = (Path(__file__).parents[2] / "docs" / "quickstart.md").read_text()
SCOPES = ("event_types:read", "availability:read", "events:write")
# Where Debian's php-guzzlehttp-guzzle puts it.
GUZZLE = Path("/usr/share/php/GuzzleHttp/autoload.php")

pytestmark = pytest.mark.django_db(transaction=True)


def sample(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(found)


def books(command: Sequence[str], server: LiveServer, host: User, address: str = "{}") -> None:
    """Run a program and check the booking that it prints."""
    factories.event_type(host, name="Intro", duration=30)
    told = {
        "PARLEY_URL": address.format(server.url),
        "PARLEY_TOKEN": factories.token(host, *SCOPES),
        "NO_PROXY": "localhost,127.0.0.1",
    }
    done = subprocess.run(
        command, env=os.environ | told, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    booking = Booking.objects.get()
    assert (booking.host, booking.invitee_email) == (host, "john@example.com")
    start = f"{booking.start:%Y-%m-%dT%H:%M:%SZ}"
    assert done.stdout == f"{booking.uuid} confirmed {start}\n"


@pytest.mark.parametrize("address", ["{}", "{}/"])
def test_python(live_server: LiveServer, alice: User, tmp_path: Path, address: str) -> None:
    program = tmp_path / "quickstart.py"
    program.write_text(sample("python"))
    books([sys.executable, str(program)], live_server, alice, address)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not on PATH")
def test_javascript(live_server: LiveServer, alice: User, tmp_path: Path) -> None:
    program = tmp_path / "quickstart.mjs"
    program.write_text(sample("javascript"))
    books(["node", str(program)], live_server, alice)


@pytest.mark.skipif(
    not shutil.which("php") or not GUZZLE.exists(), reason="php or its Guzzle is not installed"
)
def test_php(live_server: LiveServer, alice: User, tmp_path: Path) -> None:
    program = tmp_path / "quickstart.php"
    program.write_text(sample("php"))
    (tmp_path / "vendor").mkdir()  # as Composer would make it
    (tmp_path / "vendor" / "autoload.php").write_text(f"<?php require '{GUZZLE}';")
    books(["php", str(program)], live_server, alice)


def test_php_keeps_the_path_before_version_1() -> None:
    """Guzzle drops the path of its `base_uri` before a path that begins with a slash."""
    program = sample("php")
    assert "'/api/v1/'" in program
    assert re.findall(r"call\('\w+', ['\"]/", program) == []


def test_the_command_gives_the_scopes_that_it_takes() -> None:
    assert f"--scopes {','.join(SCOPES)}\n" in DOCUMENT

"""API clients generated from the served document by other projects: unedited, they book a start.

`make clients` installs what they need. A generated client is compiled as strictly as its language
can. Its program in `flows/` runs the booking flow: event types, free starts, booking, reading.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from scheduling.models import Booking
from tests import factories

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
PROGRAMS = Path(sys.executable).parent

Table = list[tuple[str, ...]]

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]


@dataclass(frozen=True)
class Workshop:
    """Folder with the served document, in which a client is generated, compiled and run."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def document(self) -> Path:
        return self.folder / "openapi.json"

    @property
    def generated(self) -> Path:
        return self.folder / "generated"

    def run(self, *command: str | Path) -> str:
        """Run a command in the folder. It must succeed; return what it printed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
        return done.stdout

    def node(self, program: str, *arguments: str | Path) -> str:
        """Run a program of the installed npm packages."""
        return self.run(MODULES / ".bin" / program, *arguments)

    def flow(self, name: str) -> Path:
        """Copy a program of `flows/` beside the generated client."""
        return Path(shutil.copy(HERE / "flows" / name, self.folder))


@pytest.fixture
def workshop(
    tmp_path: Path, client: Client, live_server: LiveServer, alice: User, settings: Settings
) -> Workshop:
    settings.PUBLIC_URL = live_server.url
    (tmp_path / "openapi.json").write_bytes(client.get("/api/schema").content)
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    own = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "PARLEY_URL": live_server.url,
        "PARLEY_TOKEN": factories.token(alice),
        "NO_PROXY": "localhost,127.0.0.1",
        "DOCUMENT": str(tmp_path / "openapi.json"),
        "SERVER": live_server.url,
        "OUTPUT": str(tmp_path / "generated"),
        "PYTHONPATH": str(tmp_path),
        "REDOCLY_TELEMETRY": "off",
        "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    }
    return Workshop(tmp_path, os.environ | own)


def version_of(package: str) -> str:
    return str(json.loads((MODULES / package / "package.json").read_text())["version"])


def generate_types(workshop: Workshop) -> None:
    workshop.node("openapi-typescript", workshop.document, "-o", workshop.generated / "schema.d.ts")


def generate_hey_api(workshop: Workshop) -> None:
    workshop.node("openapi-ts", "-i", workshop.document, "-o", workshop.generated)


def generate_orval(workshop: Workshop) -> None:
    workshop.node("orval", "--config", HERE / "orval.config.cjs")


def generate_python(workshop: Workshop) -> None:
    said = workshop.run(
        *("openapi-python-client", "generate", "--fail-on-warning"),
        *("--path", workshop.document, "--meta", "none", "--output-path", workshop.generated),
    )
    assert "arning" not in said


def generate_php(workshop: Workshop) -> None:
    said = workshop.run(
        *("openapi-generator-cli", "generate", "-g", "php", "-i", workshop.document),
        *("-o", workshop.generated, "--invoker-package", "Parley"),
    )
    assert "FILEPATH_COLLISION" not in said


def compile_typescript(workshop: Workshop, name: str) -> list[str | Path]:
    workshop.node("tsc", "-p", workshop.folder, "--noEmit")
    bundled = workshop.folder / "flow.mjs"
    workshop.node(
        "esbuild",
        *(workshop.folder / f"{name}.ts", "--bundle", "--platform=node", "--format=esm"),
        f"--outfile={bundled}",
    )
    return ["node", bundled]


def compile_python(workshop: Workshop, name: str) -> list[str | Path]:
    workshop.run(sys.executable, "-m", "compileall", "-q", workshop.generated)
    return [sys.executable, workshop.folder / f"{name}.py"]


def compile_php(workshop: Workshop, name: str) -> list[str | Path]:
    for file in workshop.generated.glob("lib/**/*.php"):
        workshop.run("php", "-l", file)
    return ["php", "-d", "error_reporting=E_ALL", workshop.folder / f"{name}.php"]


TYPESCRIPT = {
    "openapi-typescript": ("openapi-typescript", generate_types),
    "hey-api": ("@hey-api/openapi-ts", generate_hey_api),
    "orval": ("orval", generate_orval),
}


def books(workshop: Workshop, command: list[str | Path]) -> None:
    """Run a flow. Check that it printed the booked event and the error code of a 404."""
    said = json.loads(workshop.run(*command))
    booking = Booking.objects.get()
    assert (booking.invitee_name, booking.custom_field_values) == (
        "John Doe",
        {"company": "ACME Corp"},
    )
    uuid, status, start, missing = said
    assert (uuid, status, missing) == (booking.uuid, "confirmed", "not_found")
    assert start == f"{booking.start:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("name", [*TYPESCRIPT, "openapi-python-client", "openapi-generator"])
def test_a_client_books_a_free_start(
    workshop: Workshop, alice: User, table: Table, name: str
) -> None:
    factories.event_type(alice, name="Intro", duration=30)
    generate: Any
    compile_: Any
    if name in TYPESCRIPT:
        package, generate = TYPESCRIPT[name]
        number, compile_, suffix = version_of(package), compile_typescript, "ts"
    elif name == "openapi-python-client":
        number, generate, compile_, suffix = version(name), generate_python, compile_python, "py"
    else:
        number = version("openapi-generator-cli")
        generate, compile_, suffix = generate_php, compile_php, "php"
    begun = time.monotonic()
    generate(workshop)
    generated = time.monotonic()
    workshop.flow(f"{name}.{suffix}")
    command = compile_(workshop, name)
    compiled = time.monotonic()
    books(workshop, command)
    seconds = (f"{generated - begun:.1f} s", f"{compiled - generated:.1f} s")
    table.append((name, number, *seconds, "booked"))


def test_redocly_finds_no_error(workshop: Workshop, table: Table) -> None:
    said = json.loads(workshop.node("redocly", "lint", workshop.document, "--format=json"))
    assert said["totals"]["errors"] == 0
    found = f"0 errors, {said['totals']['warnings']} warnings"
    table.append(("redocly", version_of("@redocly/cli"), "", "", found))


def test_spectral_finds_no_error(workshop: Workshop, table: Table) -> None:
    said = workshop.node(
        *("spectral", "lint", workshop.document, "--ruleset", HERE / "spectral.yaml"),
        *("--format", "json", "--quiet"),
    )
    found = json.loads(said or "[]")
    assert [each for each in found if each["severity"] == 0] == []
    number = version_of("@stoplight/spectral-cli")
    table.append(("spectral", number, "", "", f"0 errors, {len(found)} warnings"))

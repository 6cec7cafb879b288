"""One version, that of `pyproject.toml`, wherever Parley names its own."""

import re
import tomllib
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from core.ops.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.look


def test_it_is_that_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_document_of_the_api_has_it(client: Client) -> None:
    document = client.get("/api/schema", headers={"Accept": "application/json"}).json()
    assert document["info"]["version"] == VERSION


def test_the_command_that_serves_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("serve", "--version")
    assert capsys.readouterr().out == f"{VERSION}\n"


def test_the_changelog_begins_with_it_or_with_what_is_not_released() -> None:
    [newest, *_older] = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest == "Unreleased" or newest.split()[0] == VERSION

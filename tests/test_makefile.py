"""Makefile: `make help` and the README name its targets."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.look


@pytest.fixture(scope="module")
def targets() -> set[str]:
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    return set(phony[1].replace("\\", "").split())


def test_help_names_every_target(targets: set[str]) -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^make (\w+) ", done.stdout, re.MULTILINE)) == targets


def test_the_readme_names_no_other(targets: set[str]) -> None:
    named = set(re.findall(r"make (\w+)", (ROOT / "README.md").read_text()))
    assert {"run", "test", "check", "quick", "help"} <= named
    assert named <= targets


def test_ci_is_the_checks_and_the_tests() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make check", "make test"]

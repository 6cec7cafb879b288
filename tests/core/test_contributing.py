"""Names of files in CONTRIBUTING.md and in the files for editors."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
pytestmark = pytest.mark.look


def test_its_files_are_there() -> None:
    named = set(re.findall(r"`([\w./-]+\.(?:py|html|json|toml|yaml|md)|[\w./-]+/)`", TEXT))
    assert len(named) > 25
    folders = (ROOT, ROOT / "tests/scheduling")
    assert [path for path in named if not any((each / path).exists() for each in folders)] == []
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_its_targets_are_those_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"\bmake ([a-z]+)", TEXT))
    assert [name for name in targets if not re.search(rf"^#   make {name} ", makefile, re.M)] == []


def test_hooks_before_a_commit_run_what_is_installed_here() -> None:
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    checks = (ROOT / "Makefile").read_text()
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].removesuffix(" --force-exclude") in checks


def test_the_container_of_developers_has_the_python_of_the_project() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = project["requires-python"].removeprefix(">=")
    assert container["image"].startswith(f"python:{version}-")
    target = container["postCreateCommand"].removeprefix("make ")
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()

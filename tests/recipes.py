"""Readers of the deployment files: the image, the compose file, the units and their guide."""

import json
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
GUIDE = (ROOT / "docs" / "deploy.md").read_text()
UNITS = {path.name: path.read_text() for path in sorted((ROOT / "deploy").glob("*.service"))}


@cache
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def steps() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their arguments. Continued lines are joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    words = (line.partition(" ") for line in joined.splitlines() if line.strip())
    return [(name, rest.strip()) for name, _blank, rest in words]


def last_stage() -> list[tuple[str, str]]:
    found = steps()
    return found[max(number for number, (name, _) in enumerate(found) if name == "FROM") :]


def command(service: str) -> list[str]:
    """Return the command of a service of the compose file."""
    told = compose()["services"][service]
    (image,) = [json.loads(rest) for name, rest in last_stage() if name == "CMD"]
    return [str(word) for word in told.get("command", image)]


def option(service: str, name: str) -> str:
    """Return the value of an option in a service's command."""
    words = command(service)
    return words[words.index(name) + 1]


def health_check() -> list[str]:
    """Return the command of the image's health check."""
    (found,) = re.findall(r"CMD (\[.*\])$", dict(last_stage())["HEALTHCHECK"])
    return [str(word) for word in json.loads(found)]


def by_python(words: Sequence[str], *, port: int) -> tuple[str, ...]:
    """Return this command for the Python of this run, on another port and on loopback only."""
    own = [word.replace("0.0.0.0", "127.0.0.1").replace("8000", str(port)) for word in words]
    return tuple(own[1:] if own[0] == "python" else ["-m", *own])


def in_shell(part: str, starts: str) -> str:
    """Return the one command that starts so in a part of the guide. Continued lines are joined."""
    _before, _heading, text = GUIDE.partition(f"\n## {part}\n")
    text = re.sub(r"\\\n\s*", "", text.partition("\n## ")[0])
    (found,) = [line.strip() for line in text.splitlines() if line.startswith(f"    {starts}")]
    return found


def python_as_here(line: str) -> str:
    """Return the line with this run's interpreter and this checkout's management commands."""
    return line.replace(".venv/bin/python", sys.executable).replace(
        "manage.py", str(ROOT / "manage.py")
    )

"""What the files for deployment say: the image, the compose file, the units and their guide."""

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
    """The Dockerfile's instructions and what follows each, lines that go on joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    words = (line.partition(" ") for line in joined.splitlines() if line.strip())
    return [(name, rest.strip()) for name, _blank, rest in words]


def last_stage() -> list[tuple[str, str]]:
    found = steps()
    return found[max(number for number, (name, _) in enumerate(found) if name == "FROM") :]


def command(service: str) -> list[str]:
    """What a service of the compose file runs."""
    told = compose()["services"][service]
    (image,) = [json.loads(rest) for name, rest in last_stage() if name == "CMD"]
    return [str(word) for word in told.get("command", image)]


def option(service: str, name: str) -> str:
    """The value of an option of such a command."""
    words = command(service)
    return words[words.index(name) + 1]


def health_check() -> list[str]:
    """What the image asks itself."""
    (found,) = re.findall(r"CMD (\[.*\])$", dict(last_stage())["HEALTHCHECK"])
    return [str(word) for word in json.loads(found)]


def by_python(words: Sequence[str], *, port: int) -> tuple[str, ...]:
    """Such a command for Python of this run, at another port and on loopback alone."""
    own = [word.replace("0.0.0.0", "127.0.0.1").replace("8000", str(port)) for word in words]
    return tuple(own[1:] if own[0] == "python" else ["-m", *own])


def in_shell(part: str, starts: str) -> str:
    """The one command of a part of the guide that starts so; lines that go on joined."""
    _before, _heading, text = GUIDE.partition(f"\n## {part}\n")
    text = re.sub(r"\\\n\s*", "", text.partition("\n## ")[0])
    (found,) = [line.strip() for line in text.splitlines() if line.startswith(f"    {starts}")]
    return found


def python_as_here(line: str) -> str:
    """With the interpreter of this run, and the management commands of this checkout."""
    return line.replace(".venv/bin/python", sys.executable).replace(
        "manage.py", str(ROOT / "manage.py")
    )

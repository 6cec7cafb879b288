"""Calendar objects for all readers, and the programs that read them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.pages import Making
from tests.readers import objects
from tests.readers.objects import Object
from tests.readers.python import python

FOLDER = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def sent(making: Making) -> dict[str, Object]:
    with making(**objects.SETTINGS):
        return objects.build()


@pytest.fixture(scope="module")
def environment() -> Path:
    return python()


def read(program: list[str | Path], sent: dict[str, Object]) -> dict[str, Any]:
    """Have a program read all objects, and return what it found in each."""
    done = subprocess.run(
        program,
        input=json.dumps({name: each.text for name, each in sent.items()}),
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def expected(sent: dict[str, Object]) -> dict[str, Any]:
    return {name: each.as_read() for name, each in sent.items()}

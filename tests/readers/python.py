"""The Python whose packages are those of requirements.txt beside this file."""

from pathlib import Path

import pytest

_PYTHON = Path(__file__).resolve().parent.parent.parent / ".venv/readers/bin/python"


def python() -> Path:
    """Return its path, or skip the test that asks."""
    if not _PYTHON.exists():
        pytest.skip("make test installs the readers")
    return _PYTHON

"""Reader of the settings as at a start, without a new process."""

import os
import runpy
from pathlib import Path
from unittest.mock import patch

import pytest

SETTINGS = Path(__file__).resolve().parents[2] / "config/settings.py"


def refusal(**variables: str) -> str:
    """Read the settings in this process, with these variables and nothing of the suite's own.

    Return the line that stops the start: `sys.exit` prints it, and ends the process with 1.
    """
    with (
        patch.dict(os.environ, variables, clear=True),
        pytest.raises(SystemExit) as stopped,
    ):
        runpy.run_path(str(SETTINGS))
    return str(stopped.value)

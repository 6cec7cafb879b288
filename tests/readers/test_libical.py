"""libical, which GNOME and Thunderbird use, reads every calendar object where it is installed."""

import subprocess
from pathlib import Path

import pytest

from tests.readers.conftest import expected, read
from tests.readers.objects import Object

pytestmark = [pytest.mark.django_db, pytest.mark.look]

# Debian's packages `python3-gi` and `gir1.2-ical-3.0` belong to this one.
PYTHON = Path("/usr/bin/python3")
_IMPORT = "import gi; gi.require_version('ICalGLib', '3.0'); import gi.repository.ICalGLib"


@pytest.fixture
def python() -> Path:
    if (
        not PYTHON.exists()
        or subprocess.run([PYTHON, "-c", _IMPORT], capture_output=True, check=False).returncode
    ):
        pytest.skip("libical is not installed (apt-get install python3-gi gir1.2-ical-3.0)")
    return PYTHON


def test_it_reads_what_was_sent(python: Path, sent: dict[str, Object]) -> None:
    assert read([python, "read_with_libical.py"], sent) == expected(sent)

"""The npm package `ical.js` reads every calendar object."""

import shutil

import pytest

from tests.readers.conftest import FOLDER, expected, read
from tests.readers.objects import Object

pytestmark = [pytest.mark.django_db, pytest.mark.look]


@pytest.fixture
def node() -> str:
    program = shutil.which("node")
    if not program or not (FOLDER / "node_modules/ical.js").is_dir():
        pytest.skip("node or ical.js is not installed")
    return program


def test_it_reads_what_was_sent(node: str, sent: dict[str, Object]) -> None:
    assert read([node, "read_with_icaljs.js"], sent) == expected(sent)

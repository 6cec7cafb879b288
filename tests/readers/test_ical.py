"""The PyPI package `ical` reads every calendar object."""

from pathlib import Path

import pytest

from tests.readers.conftest import expected, read
from tests.readers.objects import Object

pytestmark = [pytest.mark.django_db, pytest.mark.look]


def test_it_reads_what_was_sent(environment: Path, sent: dict[str, Object]) -> None:
    assert read([environment, "read_with_ical.py"], sent) == expected(sent)

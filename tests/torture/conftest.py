"""Sizes of torture tests, and the table of their results."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

FULL = os.environ.get("TORTURE") == "full"
_COLUMNS = ("test", "size", "seconds", "result")


def sized(full: int) -> int:
    """Return the full size in `make torture`, and a tenth of it (at least 2) elsewhere."""
    return full if FULL else max(full // 10, 2)


@dataclass
class Report:
    """Lines of the table at the end of the run."""

    lines: list[tuple[str, str, str, str]] = field(default_factory=list)

    @contextmanager
    def line(self, test: str, size: str) -> Iterator[dict[str, object]]:
        """Measure a test. The test puts its results into the yielded dictionary."""
        findings: dict[str, object] = {}
        began, result = time.monotonic(), "FAILED"
        try:
            yield findings
            result = "ok"
        finally:
            words = [result, *(f"{name} {value}" for name, value in findings.items())]
            seconds = f"{time.monotonic() - began:.1f}"
            self.lines.append((test, size, seconds, ", ".join(words)))


_REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORT] = Report()


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    return pytestconfig.stash[_REPORT]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    rows = config.stash[_REPORT].lines
    if not rows:
        return
    from django.conf import settings

    database = "SQLite" if settings.EMBEDDED_DATABASE else "PostgreSQL"
    broker = "Redis" if settings.REDIS_URL else "no broker"
    size = "full size" if FULL else "a tenth of the size"
    terminalreporter.section(f"torture: {database}, {broker}, {size}")
    widths = [max(len(cell) for cell in column) for column in zip(_COLUMNS, *rows, strict=True)]
    for row in (_COLUMNS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line("  ".join(cells).rstrip())

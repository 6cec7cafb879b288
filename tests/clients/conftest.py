"""Results table at the end of `make clients`."""

from typing import Any

import pytest

ROWS = pytest.StashKey[list[tuple[str, ...]]]()
_HEADINGS = ("tool", "version", "generated", "compiled", "result")


@pytest.fixture
def table(pytestconfig: pytest.Config) -> list[tuple[str, ...]]:
    return pytestconfig.stash.setdefault(ROWS, [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = [_HEADINGS, *config.stash.get(ROWS, [])]
    if len(rows) > 1:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            terminalreporter.write_line(f"| {' | '.join(cells)} |")

"""`make bench`, or of the benchmarks only those named: `python -m benchmarks lists growth`."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

from benchmarks.table import Row, finish

_ALL = (
    "slots",
    "lists",
    "bookings",
    "flow",
    "mails",
    "growth",
    "retention",
    "webhooks",
    "calendars",
    "startup",
)


def rows(names: Sequence[str]) -> Iterator[Row]:
    for name in names:
        yield from import_module(f"benchmarks.{name}").table()


if __name__ == "__main__":
    wanted = sys.argv[1:] or _ALL
    if unknown := [name for name in wanted if name not in _ALL]:
        sys.exit(f"There is no benchmark {unknown[0]}: use {', '.join(_ALL)}.")
    finish(rows(wanted))

"""Table of measured figures and their bounds."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True)
class Row:
    """A figure and its bound: the most, or with `least` the least, that is allowed.

    None: no bound.
    """

    name: str
    figure: float
    unit: str
    bound: float | None = None
    least: bool = False

    @property
    def is_kept(self) -> bool:
        if self.bound is None:
            return True
        return self.figure >= self.bound if self.least else self.figure <= self.bound

    @property
    def _verdict(self) -> tuple[str, str]:
        if self.bound is None:
            return "", ""
        bound = f"{'at least' if self.least else 'at most'} {self.bound:g}"
        return bound, "ok" if self.is_kept else "MISSED"

    def __str__(self) -> str:
        bound, verdict = self._verdict
        return f"{self.name:<58}{self.figure:>10.2f}  {self.unit:<12}{bound:<14}{verdict}".rstrip()


def finish(rows: Iterable[Row]) -> NoReturn:
    """Print each row at once. End with 1 if a row misses its bound."""
    kept = True
    print(f"{'':<58}{'figure':>10}  {'unit':<12}{'bound':<14}", flush=True)
    for row in rows:
        print(row, flush=True)
        kept = kept and row.is_kept
    sys.exit(0 if kept else 1)

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo


class ShownAs(StrEnum):
    BUSY = "busy"
    TENTATIVE = "tentative"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Occurrence:
    recurrence_id: str
    start: int
    end: int
    title: str
    shown_as: ShownAs
    is_all_day: bool


@dataclass(frozen=True)
class Window:
    since: int
    until: int


class Unreadable(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def expand(
    text: str, *, window: Window, zone: ZoneInfo, owner: frozenset[str], until: float
) -> Sequence[Occurrence]:
    return []

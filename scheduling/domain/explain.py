"""Explanation of closed slots: what takes the time. It is for the host alone."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from calendars.models import BusyTime
from core.db.prepared import Prepared
from scheduling.models import EventType
from scheduling.rules.slots import Reason, Slot

_CLAIMS = Prepared(
    lambda host, since, until: (
        BusyTime.objects.filter(user=host, start__lt=until, end__gt=since)
        .order_by("start", "id")
        .values_list("start", "end", "booking__id", "hold__id", "entry__calendar__name")
    )
)


@dataclass(frozen=True)
class _Claim:
    """A stretch of the host's time, in epoch seconds (half-open), and what claimed it."""

    start: int
    end: int
    source: str


class _Claims:
    """Claims by their start, and for each the one that ends last among it and all before it."""

    def __init__(self, claims: Sequence[_Claim]) -> None:
        self._starts = [claim.start for claim in claims]
        self._last: list[_Claim] = list(accumulate(claims, _later))

    def meeting(self, start: int, end: int) -> str:
        """Return the source of a claim that meets this interval, or an empty text."""
        before = bisect_left(self._starts, end)
        if before and self._last[before - 1].end > start:
            return self._last[before - 1].source
        return ""


def _later(one: _Claim, other: _Claim) -> _Claim:
    return other if other.end > one.end else one


def sources(event_type: EventType, slots: Iterable[Slot]) -> Mapping[int, str]:
    """Return by start what closes these slots: those that are busy, or whose buffers are.

    A source is `booking`, `meeting`, or `calendar: ` and the name of a calendar. Where a booking or
    a meeting stands in the way as well as a calendar, it is the one that is named. A slot whose
    time has become free since is left out. One query is enough.
    """
    terms = event_type.terms
    taken: dict[int, tuple[int, int]] = {}
    for slot in slots:
        if slot.reason is Reason.BUSY:
            taken[slot.start] = slot.start, slot.end
        elif slot.reason is Reason.BUFFER:
            taken[slot.start] = slot.start - terms.before, slot.end + terms.after
    if not taken:
        return {}
    ours: list[_Claim] = []
    outside: list[_Claim] = []
    since, until = min(start for start, _ in taken.values()), max(end for _, end in taken.values())
    for start, end, booking, hold, calendar in _CLAIMS.rows(
        host=event_type.host_id, since=since, until=until
    ):
        if calendar is None:
            ours.append(_Claim(start, end, "booking" if booking or hold else "meeting"))
        else:
            outside.append(_Claim(start, end, f"calendar: {calendar}"))
    by_us, by_calendars = _Claims(ours), _Claims(outside)
    found = {
        slot: by_us.meeting(start, end) or by_calendars.meeting(start, end)
        for slot, (start, end) in taken.items()
    }
    return {slot: source for slot, source in found.items() if source}

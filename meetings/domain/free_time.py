"""Times at which two people could meet: their hours, without what is taken of either.

A requester learns of a team mate's time whether it is open, and never what closes it.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import User
from calendars.models import BusyTime
from meetings.domain.services import DURATION
from scheduling.models import DateOverride, WeeklyAvailability
from scheduling.rules import slots
from scheduling.rules.slots import Hours, Interval, Offer, Query, Terms

HORIZON = timedelta(days=60)
_LENGTH = DURATION // timedelta(seconds=1)
_TERMS = Terms(duration=_LENGTH, step=_LENGTH // 2, horizon=HORIZON.days)
_NO_HOURS = Hours(ZoneInfo("UTC"), {})


@dataclass(frozen=True)
class Fit:
    """Facts about a start: whether both are free, and whether it is in the recipient's hours."""

    is_free: bool
    is_in_hours: bool


@dataclass(frozen=True)
class _Facts:
    hours: Mapping[int, Hours]
    busy: Collection[Interval]


def open_starts(
    *, requester: User, recipient: User, zone: ZoneInfo, first: date, last: date, now: datetime
) -> dict[int, Fit]:
    """Return the starts (epoch seconds) at which both are free, in order.

    They are on these dates of a clock in `zone`, at most `HORIZON` away, in the hours of either
    person. It takes three queries, whatever is taken.
    """
    query = Query(zone, max(first, now.astimezone(zone).date()), last)
    if query.first > query.last:
        return {}
    facts = _facts(requester, recipient, query)
    # A request for the present second is refused.
    soonest = math.floor(now.timestamp()) + 1

    def open_in_hours_of(person: User) -> set[int]:
        offer = Offer(facts.hours[person.pk], _TERMS, facts.busy, {}, soonest)
        return {slot.start for slot in slots.find_slots(offer, query) if not slot.reason}

    theirs, own = open_in_hours_of(recipient), open_in_hours_of(requester)
    return {start: Fit(True, start in theirs) for start in sorted(theirs | own)}


def fit_of(*, requester: User, recipient: User, start: datetime) -> Fit:
    """Return the facts about any start."""
    day = start.date()
    facts = _facts(requester, recipient, Query(ZoneInfo("UTC"), day, day))
    since = int(start.timestamp())
    until = since + _LENGTH
    return Fit(
        is_free=not any(taken[0] < until and taken[1] > since for taken in facts.busy),
        is_in_hours=slots.is_working(facts.hours[recipient.pk], since, until),
    )


def _facts(requester: User, recipient: User, query: Query) -> _Facts:
    """Read the default hours of both people, and what is taken of their time, by three queries."""
    people = [requester.pk, recipient.pk]
    dates = query.first - timedelta(days=2), query.last + timedelta(days=3)
    overrides: dict[int, dict[date, Collection[Interval]]] = {pk: {} for pk in people}
    for other in DateOverride.objects.filter(user__in=people, date__range=dates):
        overrides[other.user_id][other.date] = other.windows
    weekly = WeeklyAvailability.objects.filter(user__in=people).select_related("default")
    since, until = query.reach(_TERMS)
    taken = BusyTime.objects.filter(user__in=people, start__lt=until, end__gt=since)
    hours = {
        each.user_id: Hours(each.zone, each.default.windows, overrides[each.user_id])
        for each in weekly
    }
    return _Facts(
        # An account that was imported may have no hours.
        hours={pk: hours.get(pk, _NO_HOURS) for pk in people},
        busy=list(taken.values_list("start", "end")),
    )

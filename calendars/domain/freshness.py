"""A last look at people's calendars, before something is booked with them."""

import time
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from calendars.domain import reading
from calendars.models import Calendar, CalendarAccount
from calendars.models.accounts import known_as_of
from core.db.outbox import unleased
from core.db.prepared import Prepared
from core.ops import shares

# Calendars that were read so lately are believed.
_FRESH = timedelta(seconds=60)
SECONDS = 3.0
# Of the threads of a process that answer requests, and of these for the calendars of one person.
_PLACES, _PLACES_OF_PERSON = 2, 1

_BLOCKING = Prepared(
    lambda user: Calendar.objects.closing(user).values_list(
        "account", "account__read_at", "read_at"
    )
)


def freshen(people: Collection[int], *, now: datetime) -> datetime | None:
    """Read the calendars of these people again that were not read within a minute.

    It takes three seconds at most, and is not called in a transaction. Return None if all that is
    known is fresh. Otherwise the caller goes on by what was known at the moment returned; a
    calendar that was never read counts as of `now`, since nothing is known of it.
    """
    stale = _stale(people, now)
    if not stale:
        return None
    if not transaction.get_connection().in_atomic_block:
        of_people = {f"calendar freshening of {each}": _PLACES_OF_PERSON for each in people}
        with shares.held({"calendar freshening": _PLACES, **of_people}) as is_held:
            if is_held:
                _read(list(stale), now)
                stale = _stale(people, now)
    return min(stale.values(), default=None)


def _stale(people: Collection[int], now: datetime) -> dict[int, datetime]:
    """Return the accounts of these people that are not fresh, and as of when each is known."""
    known: dict[int, datetime] = {}
    for person in people:
        for account, of_account, of_calendar in _BLOCKING.rows(user=person):
            as_of = known_as_of(of_calendar, of_account)
            if as_of is None or as_of < now - _FRESH:
                known[account] = min(known.get(account, now), as_of or now)
    return known


def _read(accounts: list[int], now: datetime) -> None:
    until = time.monotonic() + SECONDS
    # One that fails is not asked before its delay is over: each booking would wait for it anew.
    sound = Calendar.objects.filter(account=OuterRef("pk"), blocks=True, error="").filter(
        Q(read_at=None) | Q(read_at__lt=now - _FRESH)
    )
    is_hopeful = Q(state=CalendarAccount.State.OK) | Q(due_at__lte=now) | Q(Exists(sound))
    for account in accounts:
        seconds = until - time.monotonic()
        if seconds <= 0:
            return
        claimed = reading.claim(
            account, condition=unleased(now) & is_hopeful, now=now, seconds=seconds
        )
        if claimed is not None:
            reading.read(claimed, now=now, is_brief=True)

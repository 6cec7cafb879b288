"""Celery tasks that read outside calendars and write to them."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from celery import shared_task
from django.db.models import Min
from django.utils import timezone

from calendars.domain import accounts, publishing, pushing, reading
from calendars.models import CalendarAccount, Push
from core.db import outbox
from core.ops import shares

# Of all places for calendars, those that the calendars of one person may hold.
_PERSON_PART = 0.25
# A sweep looks at so many accounts, and hands out so many, two of a person at most.
_LOOKED_AT, _HINTS_PER_SWEEP, _OF_A_PERSON = 500, 32, 2


@shared_task
def read(account_id: int, user_id: int) -> None:
    """Read one account, if it is due."""
    now = timezone.now()
    with shares.held(_share(account_id, user_id)) as is_held:
        if is_held:
            claimed = reading.claim(
                account_id, condition=reading.due(now), now=now, seconds=reading.SECONDS
            )
            if claimed is not None:
                reading.read(claimed, now=now)


@shared_task
def write(account_id: int, user_id: int) -> None:
    """Write what is due to the calendars of one account."""
    with shares.held(_share(account_id, user_id)) as is_held:
        if is_held:
            pushing.write(account_id, now=timezone.now())


def _share(account_id: int, user_id: int) -> dict[str, int]:
    """Return the shares that work for this account needs a place of.

    One account is read and written by turns: its server gets one request at a time.
    """
    of_person = shares.places(shares.CALENDARS, _PERSON_PART)
    return {f"calendar account {account_id}": 1, f"calendars of {user_id}": of_person}


@shared_task
def sweep_calendars() -> None:
    """Hand out the accounts that are due, and delete those that have been disconnected."""
    now = timezone.now()
    for task, rows in (
        (publishing.WRITE, _to_write(now)),
        (accounts.READ, _to_read(now)),
    ):
        for account, user in _shared_out(rows):
            outbox.send_hint(task, account, user)
    accounts.end_disconnected()


def _to_read(now: datetime) -> Iterable[tuple[int, int]]:
    rows = CalendarAccount.objects.filter(reading.due(now)).order_by("due_at", "pk")
    return rows.values_list("pk", "user")[:_LOOKED_AT]


def _to_write(now: datetime) -> Iterable[tuple[int, int]]:
    rows = Push.objects.filter(pushing.due(now)).order_by()
    of_accounts = rows.values_list("calendar__account", "calendar__user")
    found = of_accounts.annotate(first=Min("due_at")).order_by("first", "calendar__account")
    return [(account, user) for account, user, _first in found[:_LOOKED_AT]]


def _shared_out(rows: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield some of these accounts in their order, few of each person."""
    counts: dict[int, int] = {}
    for account, user in rows:
        if sum(counts.values()) >= _HINTS_PER_SWEEP:
            return
        if counts.get(user, 0) < _OF_A_PERSON:
            counts[user] = counts.get(user, 0) + 1
            yield account, user

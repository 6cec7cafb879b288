"""Publishing of bookings and meetings to outside calendars, in the transaction that changes them.

A row of the outbox only names the booking. When it is sent, the calendar gets what holds then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.db.models import FilteredRelation, Q

from calendars.domain import entries
from calendars.models import Calendar, Push
from core.db import outbox
from core.db.outbox import OutboxState
from core.db.prepared import Prepared

WRITE = "calendars.tasks.write"

_CHOSEN = Prepared(
    lambda user, uid: (
        Calendar.objects.annotate(own=FilteredRelation("pushes", condition=Q(pushes__uid=uid)))
        .filter(Q(writes=True) | Q(own__isnull=False), user=user, account__is_ending=False)
        .values_list("pk", "account", "own__pk", "writes")
    )
)


class _Place(NamedTuple):
    """A calendar in which a row stands, or is to stand."""

    calendar: int
    account: int
    push: int | None
    is_chosen: bool


@dataclass(frozen=True)
class Shown:
    """A row of an upper app that stands, or stood, in its people's calendars."""

    source: str
    number: int
    uid: str
    ends_at: datetime


def put(shown: Shown, *, owners: Collection[int], now: datetime) -> None:
    """Have the chosen calendars of these people show the present state of this row."""
    _change(shown, owners=owners, now=now, is_new=True)


def remove(shown: Shown, *, owners: Collection[int], now: datetime) -> None:
    """Have this row vanish from the calendars into which it was written."""
    _change(shown, owners=owners, now=now, is_new=False)


def renew(uids: Collection[str], *, owners: Collection[int], now: datetime) -> None:
    """Have the calendars of these people show what may be known of these rows from now on.

    What was read of them is deleted, since its title may name somebody who is erased.
    """
    rows = Push.objects.filter(uid__in=uids)
    places = set(rows.values_list("calendar__account", "calendar__user"))
    again(rows, now=now)
    for account, owner in sorted(places):
        outbox.hint(WRITE, account, owner)
    entries.drop_own(uids, owners=owners)


def _change(shown: Shown, *, owners: Collection[int], now: datetime, is_new: bool) -> None:
    for owner in sorted(owners):  # each by the index on their own calendars
        places = [_Place(*row) for row in _CHOSEN.rows(user=owner, uid=shown.uid)]
        written = [place.push for place in places if place.push]
        if written:
            again(Push.objects.filter(pk__in=written), now=now, ends_at=shown.ends_at)
        elif is_new:
            Push.objects.bulk_create(
                row_of(shown, calendar_id=place.calendar, now=now)
                for place in places
                if place.is_chosen
            )
        for account in {place.account for place in places}:
            outbox.hint(WRITE, account, owner)


def row_of(shown: Shown, *, calendar_id: int, now: datetime) -> Push:
    """Return the row, not saved, that has this calendar show what it is about."""
    return Push(
        calendar_id=calendar_id,
        source=shown.source,
        number=shown.number,
        uid=shown.uid,
        ends_at=shown.ends_at,
        due_at=now,
        created_at=now,
    )


def again(rows: "models.QuerySet[Push, Push]", *, now: datetime, **values: datetime) -> int:
    """Have these rows sent anew, those under way too: what is being sent may be out of date."""
    return rows.update(
        state=OutboxState.WAITING,
        attempts=0,
        due_at=now,
        lease="",
        lease_until=None,
        settled_at=None,
        last_error="",
        **values,
    )

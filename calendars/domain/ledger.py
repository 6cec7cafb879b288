"""Claims on people's time. Only this module writes `BusyTime`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from calendars.domain import overlap
from calendars.models import BusyTime
from core.db.inserting import insert
from core.db.prepared import Prepared
from core.errors import PersonGone, TimeTaken

# Outside entries may overlap each other, so many of them fit into one hour.
_MOST_CONFLICTS = 1_000

_LOCKED = Prepared[User](
    lambda person: User.objects.select_for_update(no_key=True).filter(pk=person).values_list("pk")
)
_LOCKED_IF_FREE = Prepared[User](
    lambda person: (
        User.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk=person)
        .values_list("pk")
    )
)


def lock_people(ids: Iterable[int]) -> list[User]:
    """Lock these people until the transaction ends, in ascending order, and return them.

    `no_key` does not block foreign-key checks of other transactions. A plain FOR UPDATE would
    deadlock with them.
    """
    people = User.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return list(people)


def lock_person(person_id: int, *, waits: bool) -> bool:
    """Lock one person as `lock_people` does. False if the lock is not free, unless it `waits`."""
    if waits:
        _LOCKED.rows(person=person_id)
        return True
    return bool(_LOCKED_IF_FREE.rows(person=person_id))


def lock_active(people: Iterable[User]) -> None:
    """Lock these people as `lock_people` does. PersonGone if one of them is deactivated."""
    for person in lock_people(person.pk for person in people):
        if not person.is_active:
            raise PersonGone(_("The account of %(name)s is closed.") % {"name": person.name})


def conflicts(*, user: User, start: datetime, end: datetime) -> Sequence[BusyTime]:
    """Return the claims that overlap this person's time from `start` to `end` (half-open)."""
    first, last = int(start.timestamp()), int(end.timestamp())
    return list(BusyTime.objects.filter(user=user, start__lt=last, end__gt=first))


def conflicts_of_each(
    *, user: User, spans: Sequence[tuple[datetime, datetime]]
) -> list[list[BusyTime]]:
    """Return `conflicts` of each span of this person's time, in the order given, by one query.

    Entries of outside calendars come with their claims, and after all other claims. Of all spans
    together there are a thousand claims at most.
    """
    seconds = [(int(start.timestamp()), int(end.timestamp())) for start, end in spans]
    if not seconds:
        return []
    any_of_them = Q()
    for first, last in seconds:
        any_of_them |= Q(start__lt=last, end__gt=first)
    found = BusyTime.objects.filter(any_of_them, user=user).select_related("entry__calendar")
    rows = list(found.order_by("-exclusive", "start", "pk")[:_MOST_CONFLICTS])
    return [
        [row for row in rows if row.start < last and row.end > first] for first, last in seconds
    ]


def claim(*, user: User, start: datetime, end: datetime, over_blocking: bool = False) -> BusyTime:
    """Claim this person's time, or raise TimeTaken. The caller holds the lock of `lock_people`.

    `over_blocking` is for a person who was shown what their own calendar has at that time, and
    wants it all the same. An exclusive claim stays in the way. The reason of a clash with outside
    entries alone is `calendar`.
    """
    found = conflicts(user=user, start=start, end=end)
    if any(row.exclusive for row in found):
        raise TimeTaken(_("That time is no longer free."), reason="busy")
    if found and not over_blocking:
        raise TimeTaken(_("Your own calendar has something at that time."), reason="calendar")
    return claim_free(user=user, start=start, end=end)


def claim_free(*, user: User, start: datetime, end: datetime) -> BusyTime:
    """Claim time that the caller has found free since it locked this person.

    A constraint of the database is the backstop: TimeTaken, which ends the transaction.
    """
    claimed = BusyTime(user=user, start=int(start.timestamp()), end=int(end.timestamp()))
    try:
        insert(claimed)
    except IntegrityError as error:
        if overlap.NAME not in str(error):
            raise
        raise TimeTaken(_("That time is no longer free."), reason="busy") from error
    return claimed


def claim_outside(*, user_id: int, spans: Sequence[tuple[int, int]]) -> list[BusyTime]:
    """Claim these spans, in epoch seconds, for entries of outside calendars, in their order.

    Such claims may overlap each other and any other claim, so nobody need be locked.
    """
    rows = [BusyTime(user_id=user_id, start=a, end=b, exclusive=False) for a, b in spans]
    return BusyTime.objects.bulk_create(rows, batch_size=500)


def release(ids: Iterable[int]) -> None:
    """Delete these claims, so that the time is free again."""
    BusyTime.objects.filter(pk__in=list(ids)).delete()

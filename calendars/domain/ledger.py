"""Claims on people's time. Only this module writes `BusyTime`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from calendars.domain import overlap
from calendars.models import BusyTime
from core.errors import PersonGone, TimeTaken


def lock_people(ids: Iterable[int]) -> list[User]:
    """Lock these people until the transaction ends, in ascending order, and return them.

    `no_key` does not block foreign-key checks of other transactions. A plain FOR UPDATE would
    deadlock with them.
    """
    people = User.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return list(people)


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
    """Return `conflicts` of each span of this person's time, in the order given, by one query."""
    seconds = [(int(start.timestamp()), int(end.timestamp())) for start, end in spans]
    if not seconds:
        return []
    any_of_them = Q()
    for first, last in seconds:
        any_of_them |= Q(start__lt=last, end__gt=first)
    rows = list(BusyTime.objects.filter(any_of_them, user=user))
    return [
        [row for row in rows if row.start < last and row.end > first] for first, last in seconds
    ]


def claim(*, user: User, start: datetime, end: datetime) -> BusyTime:
    """Claim this person's time, or raise TimeTaken. The caller holds the lock of `lock_people`.

    It looks for other claims first. A constraint of the database guards against the rest.
    """
    if conflicts(user=user, start=start, end=end):
        raise TimeTaken(_("That time is no longer free."), reason="busy")
    try:
        with transaction.atomic():
            return BusyTime.objects.create(
                user=user, start=int(start.timestamp()), end=int(end.timestamp())
            )
    except IntegrityError as error:
        if overlap.NAME not in str(error):
            raise
        raise TimeTaken(_("That time is no longer free."), reason="busy") from error


def release(ids: Iterable[int]) -> None:
    """Delete these claims, so that the time is free again."""
    BusyTime.objects.filter(pk__in=list(ids)).delete()

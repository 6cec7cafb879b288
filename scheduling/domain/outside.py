"""Bookings that a change of hours would leave outside the hours.

The host sees these bookings before the change is saved. The bookings themselves stay unchanged:
nobody is notified, and nothing is moved.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.domain.services import lock
from accounts.models import User
from scheduling.domain import services
from scheduling.domain.services import DayChange
from scheduling.models import Booking, DateOverride, WeeklyAvailability
from scheduling.models.enums import Status
from scheduling.rules import hours
from scheduling.rules.hours import WindowText
from scheduling.rules.slots import Hours, is_working

_OPEN = (Status.PENDING, Status.CONFIRMED)


def left_outside(bookings: Iterable[Booking], *, before: Hours, after: Hours) -> list[Booking]:
    """Return the bookings that lie within the hours `before`, but not wholly within `after`.

    The rule is the slot rule's working time: every minute must be working. Buffers may lie outside.
    """
    spans = ((each, int(each.start.timestamp()), int(each.end.timestamp())) for each in bookings)
    return [
        booking
        for booking, start, end in spans
        if not is_working(after, start, end) and is_working(before, start, end)
    ]


def mark(booking: Booking) -> str:
    """Return a mark of the booking's present version.

    Any change of status or time gives another mark.
    """
    return f"{booking.pk}.{booking.sequence}"


@transaction.atomic
def set_hours(
    *,
    user: User,
    days: Mapping[str, DayChange],
    timezone: str,
    agreed: Collection[str],
    now: datetime,
) -> list[Booking]:
    """Change the weekly hours, unless that leaves bookings outside that the host has not seen.

    In that case, return all bookings that would be left outside, and save nothing. An empty list
    means that the change is saved. `agreed` are the marks of the bookings that the host has seen.
    Raise Invalid as in `services.set_hours`.
    """
    weekly, before = _locked(user, now)
    services.change_hours(weekly, days=days, timezone=timezone)
    after = replace(before, zone=weekly.zone, weekly=weekly.windows)
    left = left_outside(_coming(user, now), before=before, after=after)
    if _unheard_of(left, agreed):
        return left
    services.set_hours(user=user, days=days, timezone=timezone)
    return []


@transaction.atomic
def set_override(
    *,
    user: User,
    day: date,
    windows: Sequence[WindowText] | None,
    agreed: Collection[str],
    now: datetime,
) -> list[Booking]:
    """Change the hours of one date in the same way. None means its weekday's hours (again)."""
    _weekly, before = _locked(user, now)
    others = {other: found for other, found in before.overrides.items() if other != day}
    if windows is not None:
        others[day] = hours.windows(windows, field="windows")
    after = replace(before, overrides=others)
    left = left_outside(_coming(user, now), before=before, after=after)
    if _unheard_of(left, agreed):
        return left
    if windows is not None:
        services.set_override(user=user, day=day, windows=windows)
    elif day in before.overrides:
        services.delete_override(user=user, day=day)
    return []


def _locked(user: User, now: datetime) -> tuple[WeeklyAvailability, Hours]:
    """Lock the host and return their hours.

    Until the transaction ends nobody can book this host, so no booking is missed.
    """
    lock(user.pk)
    weekly = WeeklyAvailability.objects.get(user=user)
    # Future bookings may be on dates that are a day behind UTC's.
    overrides = DateOverride.objects.filter(user=user, date__gte=now.date() - timedelta(days=2))
    return weekly, Hours(
        zone=weekly.zone,
        weekly=weekly.windows,
        overrides=dict(overrides.values_list("date", "windows")),
    )


def _coming(user: User, now: datetime) -> Iterable[Booking]:
    rows = Booking.objects.visible_to(user).filter(status__in=_OPEN, start__gt=now)
    return rows.with_people().order_by("start", "id")


def _unheard_of(left: Iterable[Booking], agreed: Collection[str]) -> bool:
    return not {mark(booking) for booking in left} <= set(agreed)

"""Bookings that a change of hours would leave outside the hours.

The host sees these bookings before the change is saved. The bookings themselves stay unchanged:
nobody is notified, and nothing is moved.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.domain.services import lock
from accounts.models import User
from scheduling.domain import services
from scheduling.domain.services import DayChange
from scheduling.models import Booking, DateOverride, EventType, Schedule, WeeklyAvailability
from scheduling.models.enums import Status
from scheduling.rules import hours
from scheduling.rules.hours import WindowText
from scheduling.rules.slots import Hours, Interval, is_working

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


@dataclass(frozen=True)
class _HostHours:
    """Hours of a host: the weeks by the number of their schedule, and what all schedules share."""

    zone: ZoneInfo
    default: int
    weeks: Mapping[int, Mapping[int, Sequence[Interval]]]
    overrides: Mapping[date, Sequence[Interval]]

    def of(self, event_type: EventType) -> Hours:
        """Return the hours of the schedule that the event type follows."""
        weekly = self.weeks[event_type.schedule_id or self.default]
        return Hours(zone=self.zone, weekly=weekly, overrides=self.overrides)


@transaction.atomic
def set_hours(
    *,
    schedule: Schedule,
    days: Mapping[str, DayChange],
    timezone: str,
    agreed: Collection[str],
    now: datetime,
) -> list[Booking]:
    """Change a schedule, unless that leaves bookings outside that the host has not seen.

    In that case, return all bookings that would be left outside, and save nothing. An empty list
    means that the change is saved. `agreed` are the marks of the bookings that the host has seen.
    Each booking is judged by the schedule that its event type follows. Raise Invalid and NotFound
    as in `services.set_hours`.
    """
    user = lock(schedule.user_id)
    before = _hours_of(user, now)
    changed = services.find_schedule(key=str(schedule.pk), user=user)
    services.change_days(changed, days)
    after = replace(before, weeks={**before.weeks, changed.pk: changed.windows})
    if timezone:
        services.require_zone(timezone)
        after = replace(after, zone=ZoneInfo(timezone))
    left = _left_outside(user, before, after, now)
    if _unheard_of(left, agreed):
        return left
    services.set_hours(user=user, days=days, timezone=timezone, schedule=changed)
    return []


@transaction.atomic
def make_default(*, schedule: Schedule, agreed: Collection[str], now: datetime) -> list[Booking]:
    """Make it the default schedule, in the same way."""
    user = lock(schedule.user_id)
    before = _hours_of(user, now)
    found = services.find_schedule(key=str(schedule.pk), user=user)
    left = _left_outside(user, before, replace(before, default=found.pk), now)
    if _unheard_of(left, agreed):
        return left
    services.make_default(schedule=found)
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
    lock(user.pk)
    before = _hours_of(user, now)
    others = {other: found for other, found in before.overrides.items() if other != day}
    if windows is not None:
        others[day] = hours.windows(windows, field="windows")
    left = _left_outside(user, before, replace(before, overrides=others), now)
    if _unheard_of(left, agreed):
        return left
    if windows is not None:
        services.set_override(user=user, day=day, windows=windows)
    elif day in before.overrides:
        services.delete_override(user=user, day=day)
    return []


def _hours_of(user: User, now: datetime) -> _HostHours:
    """Return the hours of this host, whom the caller has locked.

    Until the transaction ends nobody can book this host, so no booking is missed.
    """
    weekly = WeeklyAvailability.objects.get(user=user)
    # Future bookings may be on dates that are a day behind UTC's.
    overrides = DateOverride.objects.filter(user=user, date__gte=now.date() - timedelta(days=2))
    return _HostHours(
        zone=weekly.zone,
        default=weekly.default_id,
        weeks={each.pk: each.windows for each in Schedule.objects.visible_to(user)},
        overrides=dict(overrides.values_list("date", "windows")),
    )


def _left_outside(
    user: User, before: _HostHours, after: _HostHours, now: datetime
) -> list[Booking]:
    rows = Booking.objects.visible_to(user).filter(status__in=_OPEN, start__gt=now)
    return [
        booking
        for booking in rows.with_people().order_by("start", "id")
        if left_outside(
            [booking], before=before.of(booking.event_type), after=after.of(booking.event_type)
        )
    ]


def _unheard_of(left: Iterable[Booking], agreed: Collection[str]) -> bool:
    return not {mark(booking) for booking in left} <= set(agreed)

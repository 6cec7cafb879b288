"""Future bookings of a host who is deactivated. See `core.people.departures`."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core.people.departures import Coming
from scheduling.domain import bookings, lifecycle
from scheduling.models import Booking
from scheduling.models.bookings import BookingQuerySet
from scheduling.models.enums import Role


def coming(*, person_id: int, now: datetime, most: int) -> list[Coming]:
    return [
        Coming(
            name=_("%(what)s with %(name)s")
            % {"what": booking.event_type.name, "name": booking.invitee},
            start=booking.start,
            url=reverse("admin:scheduling_booking_change", args=[booking.pk]),
        )
        for booking in _open(person_id, now)[:most]
    ]


def call_off(*, person_id: int, staff_id: int, now: datetime, most: int) -> int:
    actor = bookings.Actor(Role.STAFF, User.objects.get(pk=staff_id))
    return lifecycle.move_each(
        _open(person_id, now)[:most],
        lambda booking: bookings.cancel(booking=booking, actor=actor, now=now),
    )


def hold_team(*, person_id: int, team_id: int) -> None:
    """Do nothing: no booking belongs to a team."""


def leave_team(*, person_id: int, team_id: int, now: datetime) -> None:
    """Do nothing: no booking belongs to a team."""


def _open(person_id: int, now: datetime) -> BookingQuerySet:
    found = Booking.objects.filter(host=person_id).open_at(now)
    return found.with_people().order_by("start", "pk")

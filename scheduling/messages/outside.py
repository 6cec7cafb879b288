"""Bookings as they stand in their hosts' own calendars."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q
from django.utils import translation

from accounts.models import User
from calendars.domain import sources
from calendars.domain.sources import Upcoming
from calendars.messages import icalendar
from calendars.messages.icalendar import Entry, Person
from scheduling.messages.entries import entry_of, guests_for
from scheduling.messages.parties import parties
from scheduling.models import Booking
from scheduling.models.enums import OPEN, STANDING, Status
from scheduling.models.lifecycle import L, LifecycleQuerySet

# Those that hold the host's time, or have taken it.
_SHOWN = {Status.PENDING, *STANDING}


class BookingSource(sources.Source):
    """A pending booking stands in the calendar as tentative, since it holds its time."""

    def own(self, uids: Collection[str], *, user: User) -> set[str]:
        names = [uid.partition("@")[0] for uid in uids]  # by which there is an index
        rows = Booking.objects.filter(host=user, uuid__in=names, calendar_uid__in=uids)
        return set(rows.values_list("calendar_uid", flat=True))

    def text(self, number: int, *, user: User, now: datetime) -> str | None:
        booking = Booking.objects.with_people().filter(pk=number, host=user).first()
        if booking is None or booking.status_at(now) not in _SHOWN:
            return None
        with translation.override(user.mail_language):
            host, invitee = parties(booking)
            people = [Person(each.name, each.email) for each in (host, invitee)]
            people += guests_for(booking, host)
            return icalendar.stored(entry_in_calendar(booking, now), attendees=people)

    def upcoming(self, *, user: User, now: datetime, most: int) -> Sequence[Upcoming]:
        rows = Booking.objects.filter(host=user, status__in=OPEN, start__gt=now)
        found = rows.order_by("start", "pk").values_list("pk", "calendar_uid", "end")[:most]
        return [Upcoming(*row) for row in found]

    def pieces(
        self, *, user: User, since: datetime, now: datetime, shows_titles: bool, most: int
    ) -> Iterator[bytes]:
        rows = Booking.objects.with_people().filter(host=user, status__in=_SHOWN)
        for booking in first_standing(rows, since=since, now=now, most=most):
            yield icalendar.piece(
                as_busy(entry_in_calendar(booking, now), shows_titles=shows_titles)
            )


def entry_in_calendar(booking: Booking, now: datetime) -> Entry:
    host, _invitee = parties(booking)
    entry = entry_of(booking, host, booking.updated_at)
    is_open = booking.status_at(now) == Status.PENDING
    return replace(entry, status="TENTATIVE" if is_open else "CONFIRMED")


def first_standing(
    rows: LifecycleQuerySet[L], *, since: datetime, now: datetime, most: int
) -> Iterator[L]:
    """Yield the rows of a feed in the order of time: at most so many, without what has expired."""
    over = Q(status=Status.PENDING, start__lte=now)
    ordered = rows.filter(end__gt=since).exclude(over).order_by("start", "pk")
    return ordered[:most].iterator()


def as_busy(entry: Entry, *, shows_titles: bool) -> Entry:
    """Return the entry with its title alone, or one that only says that the time is taken.

    Anybody who has the address of a feed can read it: notes, answers, numbers and links stay out.
    """
    summary = entry.summary if shows_titles else translation.gettext("Busy")
    return replace(entry, summary=summary, description="", url="", location="")


sources.register("booking", BookingSource())

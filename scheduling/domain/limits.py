"""Limits on how often anybody can book. They keep public pages from sending mail to a victim.

The pages and the API apply these limits; `bookings.book` and `bookings.reschedule` do not know
them. These two only call the function that they get, with the host or the booking locked. So
simultaneous requests cannot together pass a limit of one host or one booking. Simultaneous requests
to several hosts can pass a limit for all hosts, by as many requests as are answered at once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Count, Min, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain import windows
from accounts.domain.windows import Window
from accounts.models import User
from core.text import mailboxes, times
from notifications.models import Notification
from scheduling.models import Booking, Guest, Hold
from scheduling.models.enums import Change, Role, Status

M = TypeVar("M", Booking, Guest, Hold)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_A_HOUR = Window(
    "bookings_hour",
    HOUR,
    _("With one address you can book %(count)d times an hour. You can book again from %(until)s."),
)
_A_DAY = Window(
    "bookings_day",
    DAY,
    _("With one address you can book %(count)d times a day. You can book again from %(until)s."),
)
_OPEN = Window(
    "bookings_open",
    timedelta(0),
    _(
        "You have %(count)d bookings with this host, which is as many as there can be. Cancel one,"
        " or book again from %(until)s, when the next one is over."
    ),
)
_BY_API = Window(
    "bookings_api",
    DAY,
    _(
        "You can book %(count)d times a day for one address. You can book for it again from"
        " %(until)s."
    ),
)
_GUESTS = Window(
    "guests_day",
    DAY,
    _(
        "With one address you can invite %(count)d guests a day. You can invite guests again from"
        " %(until)s."
    ),
)
_GUEST_HOUR = Window(
    "bookings_hour",
    HOUR,
    _("“%(address)s” can be invited %(count)d times an hour, and again from %(until)s."),
)
_GUEST_DAY = Window(
    "bookings_day",
    DAY,
    _("“%(address)s” can be invited %(count)d times a day, and again from %(until)s."),
)
_GUEST_BY_API = Window("bookings_api", DAY, _GUEST_DAY.refusal)
_HOLDS = Window(
    "holds",
    timedelta(0),
    _(
        "%(count)d bookings wait for this address to be confirmed. Follow the link in one of the"
        " emails, or book again from %(until)s."
    ),
)
_HOLDS_OF_HOST = Window(
    "holds_host",
    timedelta(0),
    _("Too many bookings wait to be confirmed right now. You can book again from %(until)s."),
)
_MOVES = Window(
    "reschedules",
    DAY,
    _(
        "You can reschedule a booking %(count)d times a day. You can reschedule it again from"
        " %(until)s, or cancel it now."
    ),
)
_MOVES_BY_HOST = Window("reschedules_host", DAY, _MOVES.refusal)


_LINKS = Window(
    "reschedules_host",
    DAY,
    _(
        "You can change the link of a booking %(count)d times a day. You can change it again from"
        " %(until)s."
    ),
)


def admit_invitee(
    *, host: User, email: str, guests: Sequence[str] = (), now: datetime, reader: times.Reader
) -> None:
    """Raise Busy if one more booking on a public page is too many for one of these addresses."""
    made = _made_by(Role.INVITEE, email)
    for window in (_A_HOUR, _A_DAY):
        windows.require_room(window, _since(now - window.length, made), now=now, reader=reader)
    if _OPEN.most:
        pending = Q(status=Status.PENDING, start__gt=now)
        to_come = made.filter(pending | Q(status=Status.CONFIRMED, end__gt=now), host=host)
        ends = list(to_come.order_by("end").values_list("end", flat=True)[: _OPEN.most])
        if len(ends) == _OPEN.most:
            raise windows.refused(_OPEN, until=ends[0], now=now, reader=reader)
    if guests:
        public = Guest.objects.filter(booking__made_by=Role.INVITEE)
        brought = public.filter(booking__invitee_mailbox=mailboxes.digest(email))
        moments = _since(now - _GUESTS.length, brought)
        windows.require_room(_GUESTS, moments, now=now, reader=reader, more=len(guests))
        for window in (_GUEST_HOUR, _GUEST_DAY):
            _admit_guests(window, guests, public, now=now, reader=reader)


def admit_hold(
    *, host: User, email: str, guests: Sequence[str] = (), now: datetime, reader: times.Reader
) -> None:
    """Raise Busy if one more hold is too much for one of these addresses, or for the host.

    Each sends a mail, so those that nobody confirmed have limits as large as those of bookings.
    """
    admit_invitee(host=host, email=email, guests=guests, now=now, reader=reader)
    own = Hold.objects.filter(mailbox=mailboxes.digest(email), booking=None)
    for window in (_A_HOUR, _A_DAY):
        windows.require_room(window, _since(now - window.length, own), now=now, reader=reader)
    for limit, holds in ((_HOLDS, own), (_HOLDS_OF_HOST, Hold.objects.filter(host=host))):
        waiting = holds.filter(is_waiting=True, expires_at__gt=now).order_by("expires_at")
        ends = list(waiting.values_list("expires_at", flat=True)[: limit.most])
        if limit.most and len(ends) == limit.most:
            raise windows.refused(limit, until=ends[0], now=now, reader=reader)


def admit_by_host(*, host: User, email: str, guests: Sequence[str] = (), now: datetime) -> None:
    """Raise Busy if a host has booked for one of these addresses as often as one can in a day."""
    made = _made_by(Role.HOST, email).filter(host=host)
    moments = _since(now - _BY_API.length, made)
    windows.require_room(_BY_API, moments, now=now, reader=host)
    if guests:
        invited = Guest.objects.filter(booking__host=host, booking__made_by=Role.HOST)
        _admit_guests(_GUEST_BY_API, guests, invited, now=now, reader=host)


def _admit_guests(
    window: Window,
    addresses: Sequence[str],
    guests: QuerySet[Guest, Guest],
    *,
    now: datetime,
    reader: times.Reader,
) -> None:
    """Raise Busy, which names the address, if one was invited too often within the window."""
    if not window.most:
        return
    named = {mailboxes.digest(address): address for address in addresses}
    lately = guests.filter(mailbox__in=named, created_at__gt=now - window.length)
    often = lately.order_by().values("mailbox").annotate(count=Count("pk"), first=Min("created_at"))
    for row in often.filter(count__gte=window.most)[:1]:
        raise windows.refused(
            window,
            until=row["first"] + window.length,
            now=now,
            reader=reader,
            address=named[row["mailbox"]],
        )


def admit_move(*, booking: Booking, role: Role, now: datetime, reader: times.Reader) -> None:
    """Raise Busy if this party has rescheduled the booking as often as it can in a day."""
    moved = booking.history.filter(change=Change.RESCHEDULED, role=role)
    moments = moved.order_by("-at").values_list("at", flat=True)
    window = _MOVES if role is Role.INVITEE else _MOVES_BY_HOST
    windows.require_room(window, moments, now=now, reader=reader)


def admit_link(*, booking: Booking, now: datetime, reader: times.Reader) -> None:
    """Raise Busy if the link of this booking has changed as often as it can in a day.

    Each change sends a mail to the invitee: the one to nobody's account.
    """
    told = Notification.objects.filter(topic=booking.topic, kind="booking_linked", user=None)
    moments = told.order_by("-created_at").values_list("created_at", flat=True)
    windows.require_room(_LINKS, moments, now=now, reader=reader)


def _made_by(role: Role, email: str) -> QuerySet[Booking, Booking]:
    return Booking.objects.filter(invitee_mailbox=mailboxes.digest(email), made_by=role)


def _since(since: datetime, made: QuerySet[M, M]) -> QuerySet[M, datetime]:
    """Return when these rows were made, after `since` and the newest first."""
    lately = made.filter(created_at__gt=since).order_by("-created_at")
    return lately.values_list("created_at", flat=True)

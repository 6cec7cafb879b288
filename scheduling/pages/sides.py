"""The tabs of a host's bookings."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from scheduling.models import Booking
from scheduling.models.enums import Status


@dataclass(frozen=True)
class Side:
    """How one tab of a host's bookings presents itself, also when there is nothing in it."""

    tab: str
    status: Status
    title: Promise
    empty: Promise
    hint: Promise
    order: tuple[str, ...]


_SOONEST, _LATEST = ("start", "id"), ("-start", "-id")
UPCOMING = Side(
    "upcoming",
    Status.CONFIRMED,
    _("Upcoming"),
    _("Nothing is booked yet"),
    _(
        "Share the address of your public page. What people book there stands here, and you get"
        " an email about each."
    ),
    _SOONEST,
)
SIDES = {
    side.tab: side
    for side in (
        UPCOMING,
        Side(
            "pending",
            Status.PENDING,
            _("Waiting for you"),
            _("Nothing waits for you"),
            _(
                "Where an event type asks for your approval, a booking stands here until you"
                " approve or decline it. Until then its time is kept."
            ),
            _SOONEST,
        ),
        Side(
            "completed",
            Status.COMPLETED,
            _("Completed"),
            _("No booking behind you"),
            _("Bookings move here when they have taken place."),
            _LATEST,
        ),
        Side(
            "rejected",
            Status.REJECTED,
            _("Declined"),
            _("Nothing was declined"),
            _("Bookings that you said no to stand here, with the reason you gave."),
            _LATEST,
        ),
        Side(
            "cancelled",
            Status.CANCELLED,
            _("Cancelled"),
            _("Nothing was cancelled"),
            _(
                "Bookings that you or your invitees called off stand here. Their time is free"
                " again."
            ),
            _LATEST,
        ),
        Side(
            "expired",
            Status.EXPIRED,
            _("Expired"),
            _("Nothing has expired"),
            _("A booking that was not approved before its time came ends here by itself."),
            _LATEST,
        ),
    )
}
_OF_STATUS = {side.status: side for side in SIDES.values()}


def side_of(status: Status) -> Side:
    """Where a host finds the bookings in this status."""
    return _OF_STATUS[status]


def counts_of_sides(user: User, now: datetime) -> dict[str, int]:
    """How many bookings each tab holds, in one query."""
    rows = Booking.objects.visible_to(user)
    counts: dict[str, int] = rows.aggregate(
        **{
            side.tab: Count("pk", filter=Q(pk__in=rows.in_status(side.status, now).values("pk")))
            for side in SIDES.values()
        }
    )
    return counts

"""Choices of event types and bookings, and the transitions of a booking."""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Weekday(models.IntegerChoices):
    """Weekdays by their ISO 8601 numbers. The API uses the lower-case names (`name.lower()`)."""

    MONDAY = 1, _("Monday")
    TUESDAY = 2, _("Tuesday")
    WEDNESDAY = 3, _("Wednesday")
    THURSDAY = 4, _("Thursday")
    FRIDAY = 5, _("Friday")
    SATURDAY = 6, _("Saturday")
    SUNDAY = 7, _("Sunday")

    @classmethod
    def week(cls, start: int) -> list["Weekday"]:
        """Return all seven weekdays, from the one on which a person's week begins."""
        return [cls((start - 1 + place) % 7 + 1) for place in range(7)]


class Location(models.TextChoices):
    ZOOM_MEETING = "zoom_meeting", _("Zoom Call")
    GOOGLE_MEET = "google_meet", _("Google Meet")
    PHONE_CALL = "phone_call", _("Phone Call")
    IN_PERSON = "in_person", _("In Person")
    CUSTOM = "custom", _("Custom")


# The locations at which people meet by a link.
ONLINE = frozenset({Location.ZOOM_MEETING, Location.GOOGLE_MEET, Location.CUSTOM})


class PaymentMethod(models.TextChoices):
    ON_SITE = "on_site", _("on site")
    INVOICE = "invoice", _("by invoice")


class Status(models.TextChoices):
    PENDING = "pending", _("pending")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    COMPLETED = "completed", _("completed")


# Statuses in which somebody can still cancel, that hold on to their time, that give it back.
OPEN = (Status.PENDING, Status.CONFIRMED)
STANDING = (Status.CONFIRMED, Status.COMPLETED)
FREED = (Status.REJECTED, Status.CANCELLED, Status.EXPIRED)
OVER = (*FREED, Status.COMPLETED)


class Change(models.TextChoices):
    """Changes of a booking or a meeting request, as histories and webhook events name them."""

    CREATED = "created", _("created")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    CANCELLED = "cancelled", _("cancelled")
    RESCHEDULED = "rescheduled", _("rescheduled")
    EXPIRED = "expired", _("expired")
    COMPLETED = "completed", _("completed")


class Method(StrEnum):
    """Methods of a calendar object (RFC 5546)."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


class Role(models.TextChoices):
    """Capacity in which somebody, or the passing of time, changes a booking."""

    HOST = "host", _("host")
    INVITEE = "invitee", _("invitee")
    STAFF = "staff", _("staff")
    CLOCK = "clock", _("time")


# The statuses in which each change may happen, and the roles that may make it there. A change leads
# to the status of its name. RESCHEDULED keeps the status, or goes back to pending if the host must
# approve.
TRANSITIONS: dict[Change, dict[Status, set[Role]]] = {
    Change.CONFIRMED: {Status.PENDING: {Role.HOST}},
    Change.REJECTED: {Status.PENDING: {Role.HOST}},
    Change.CANCELLED: {
        Status.PENDING: {Role.HOST, Role.INVITEE, Role.STAFF},
        Status.CONFIRMED: {Role.HOST, Role.INVITEE, Role.STAFF},
    },
    Change.RESCHEDULED: {
        Status.PENDING: {Role.HOST, Role.INVITEE},
        Status.CONFIRMED: {Role.HOST, Role.INVITEE},
    },
    Change.EXPIRED: {Status.PENDING: {Role.CLOCK}},
    Change.COMPLETED: {Status.CONFIRMED: {Role.CLOCK}},
}

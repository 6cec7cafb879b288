"""Tabs and roles of meeting requests, and their transitions."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from scheduling.models.enums import Change, Status


class Tab(models.TextChoices):
    """Tabs of a person's meetings, by their names in addresses and in the API."""

    PENDING = "pending-meeting", _("needs your answer")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    SENT = "sent", _("sent by you")


class Role(models.TextChoices):
    """Capacity in which somebody, or the passing of time, changes a meeting."""

    REQUESTER = "requester", _("requester")
    RECIPIENT = "recipient", _("recipient")
    STAFF = "staff", _("staff")
    # One of the two has left the team in which it was asked for.
    TEAM = "team", _("team")
    CLOCK = "clock", _("time")


TRANSITIONS: dict[Change, dict[Status, set[Role]]] = {
    Change.CONFIRMED: {Status.PENDING: {Role.RECIPIENT}},
    Change.REJECTED: {Status.PENDING: {Role.RECIPIENT}},
    Change.CANCELLED: {
        Status.PENDING: {Role.REQUESTER, Role.STAFF, Role.TEAM},
        Status.CONFIRMED: {Role.REQUESTER, Role.RECIPIENT, Role.STAFF},
    },
    Change.EXPIRED: {Status.PENDING: {Role.CLOCK}},
    Change.COMPLETED: {Status.CONFIRMED: {Role.CLOCK}},
}

"""The states of a meeting request, who may move it, and where to."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    PENDING = "pending", _("pending")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    COMPLETED = "completed", _("completed")


def status_at(status: str, start: datetime, end: datetime, now: datetime) -> Status:
    """The status that is true at `now`: time expires and completes without waiting for us."""
    if status == Status.PENDING and start <= now:
        return Status.EXPIRED
    if status == Status.CONFIRMED and end <= now:
        return Status.COMPLETED
    return Status(status)


class Tab(models.TextChoices):
    """The sides of a person's meetings, by their names in addresses and in the API."""

    PENDING = "pending-meeting", _("waiting for you")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    SENT = "sent", _("sent by you")


class Role(models.TextChoices):
    """In what capacity somebody, or the passing of time, moves a meeting."""

    REQUESTER = "requester", _("requester")
    RECIPIENT = "recipient", _("recipient")
    STAFF = "staff", _("staff")
    # One of the two has left the team in which it was asked for.
    TEAM = "team", _("team")
    CLOCK = "clock", _("time")


# From a status to the ones that may follow, and who may bring each about.
TRANSITIONS: dict[Status, dict[Status, set[Role]]] = {
    Status.PENDING: {
        Status.CONFIRMED: {Role.RECIPIENT},
        Status.REJECTED: {Role.RECIPIENT},
        Status.CANCELLED: {Role.REQUESTER, Role.STAFF, Role.TEAM},
        Status.EXPIRED: {Role.CLOCK},
    },
    Status.CONFIRMED: {
        Status.CANCELLED: {Role.REQUESTER, Role.RECIPIENT, Role.STAFF},
        Status.COMPLETED: {Role.CLOCK},
    },
}

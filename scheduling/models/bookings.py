"""Bookings and their history."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import DELETED_PERSON, TIME_FORMATS, User
from calendars.models import BusyTime
from core.db.ids import named, public_id
from core.text.links import LONGEST as LONGEST_LINK
from core.text.mailboxes import MailboxField
from core.text.zones import validate_zone, zone_of
from scheduling.models.enums import STANDING, TRANSITIONS, Change, Role, Status
from scheduling.models.event_types import EventType
from scheduling.models.lifecycle import Lifecycle, LifecycleEntry, LifecycleQuerySet

# Statuses of a booking whose time is not approved, or was not.
_UNCONFIRMED = {Status.PENDING, Status.REJECTED, Status.EXPIRED}


def new_booking_uuid() -> str:
    return public_id("evt")


def name_of_invitee(name: str, erased_at: datetime | None) -> str:
    """Return the name to show for an invitee."""
    return str(DELETED_PERSON) if erased_at else name


def link_to_join(own: str, shared: str) -> str:
    """Return the link of a booking, else that of its event type."""
    return own or shared


class BookingQuerySet(LifecycleQuerySet["Booking"]):
    related = ("event_type", "host")

    def visible_to(self, user: User) -> Self:
        """Bookings with this host; team mates see none of them."""
        return self.filter(host=user)

    def named(self, key: str) -> Self:
        """Return the bookings with this number or uuid: one or none."""
        return self.filter(named(key))


class Booking(Lifecycle):
    """Booking of a time with a host: an *event* of the API.

    It holds its ledger row, buffers included, while it is pending, confirmed or completed. So the
    bookings that count towards a daily limit are those with a row.
    """

    uuid = models.CharField(max_length=30, unique=True, default=new_booking_uuid, editable=False)
    event_type = models.ForeignKey(EventType, models.PROTECT, related_name="bookings")
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="bookings", db_index=False
    )
    invitee_name = models.CharField(_("invitee"), max_length=200)
    invitee_email = models.EmailField(_("invitee's email address"))
    # Limits count by it. An erased booking keeps it for a day: else erasing would start anew.
    invitee_mailbox = MailboxField(of="invitee_email", default="")
    invitee_phone = models.CharField(_("phone"), max_length=40, blank=True)
    # The invitee's. Their emails show times in it.
    timezone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    # The invitee's, if they have chosen one. Their emails use it.
    language = models.CharField(
        _("language"), max_length=5, blank=True, choices=settings.LANGUAGES, editable=False
    )
    time_format = models.CharField(
        max_length=20,
        default="HH:mm",
        choices=[(text, text) for text in TIME_FORMATS],
        editable=False,
    )
    notes = models.TextField(_("notes"), max_length=5000, blank=True)
    custom_field_values: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(
        _("answers"), default=dict, blank=True
    )
    # Where its people join, if not at the link of the event type.
    join_url = models.CharField(_("link to join"), max_length=LONGEST_LINK, blank=True)
    # What the program that booked wants to find again.
    metadata: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(
        default=dict, blank=True
    )
    # The newest entry of the history, and the time before the last reschedule. Lists show them.
    last_change = models.CharField(max_length=12, choices=Change.choices, editable=False)
    last_by = models.CharField(max_length=10, choices=Role.choices, editable=False)
    last_reason = models.CharField(max_length=500, blank=True, editable=False)
    last_at = models.DateTimeField(editable=False)
    previous_start = models.DateTimeField(null=True, editable=False)
    previous_end = models.DateTimeField(null=True, editable=False)
    busy_time = models.OneToOneField(
        BusyTime, models.SET_NULL, null=True, related_name="booking", editable=False
    )
    # Who made it: its invitee on a public page, or its host. Empty: it is older than this column.
    made_by = models.CharField(max_length=10, choices=Role.choices, blank=True, editable=False)
    # When the host noted that the invitee did not come.
    no_show_at = models.DateTimeField(_("no-show"), null=True, editable=False)
    # Since when a mail server refuses messages to the invitee.
    undelivered_at = models.DateTimeField(null=True, editable=False)
    # Since when nothing is known of its invitee.
    erased_at = models.DateTimeField(null=True, editable=False)

    transitions = TRANSITIONS
    refusal = _("This event is %(status)s.")
    topic_prefix = "booking"
    objects: ClassVar[models.Manager["Booking"]] = BookingQuerySet.as_manager()

    class Meta(Lifecycle.Meta):
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        indexes = [
            *Lifecycle.Meta.indexes,
            models.Index(fields=["host", "status", "start"], name="booking_hosted"),
            models.Index(fields=["host", "start", "id"], name="booking_hosted_by_time"),
            models.Index(fields=["host", "updated_at", "id"], name="booking_hosted_by_change"),
            models.Index(fields=["end"], condition=Q(erased_at=None), name="booking_unerased"),
            models.Index(fields=["invitee_mailbox", "created_at"], name="booking_by_mailbox"),
            models.Index(
                fields=["created_at"],
                condition=Q(erased_at__isnull=False) & ~Q(invitee_mailbox=""),
                name="booking_erased_mailbox",
            ),
        ]

    def __str__(self) -> str:
        # Not by who booked: the audit log names it so, and must not know them longer than the row.
        return f"{self.uuid}, {self.start:%Y-%m-%d %H:%M} UTC"

    @property
    def is_public(self) -> bool:
        """Return whether a stranger may have typed its texts, on a public page, for any address."""
        return self.made_by != Role.HOST

    @property
    def invitee(self) -> str:
        return name_of_invitee(self.invitee_name, self.erased_at)

    @property
    def link(self) -> str:
        """Return the link to join it, or empty: it follows, or people meet without one."""
        return link_to_join(self.join_url, self.event_type.location_link)

    @property
    def zone(self) -> ZoneInfo:
        """Return the invitee's time zone."""
        return zone_of(self.timezone)

    def has_begun(self, now: datetime) -> bool:
        """Return whether it takes place or has, so that its host knows who came."""
        return self.start <= now and self.status_at(now) in STANDING

    @property
    def minutes(self) -> int:
        """Return its own length. Its event type may have another one by now."""
        return (self.end - self.start) // timedelta(minutes=1)

    @property
    def changeable_until(self) -> datetime | None:
        """Return until when its invitee may reschedule or cancel it. None: while it is open.

        The notice is the present one of its event type.
        """
        notice = self.event_type.cancellation_notice
        return self.start - timedelta(minutes=notice) if notice else None

    def given_up(self) -> tuple[datetime, datetime] | None:
        """Return the start and end that were confirmed until the invitee asked for others."""
        if not self.sequence or self.status not in _UNCONFIRMED:
            return None
        stood = (
            self.history.filter(to_status=Status.CONFIRMED, sequence__lt=self.sequence)
            .order_by("sequence")
            .last()
        )
        return (stood.start, stood.end) if stood else None

    @property
    def invited(self) -> list["Guest"]:
        """Return its guests, in the order in which they were named, unless they were erased."""
        return [guest for guest in self.guests.all() if guest.email]


class Guest(models.Model):
    """Person whom the invitee brings along: they are mailed and invited, and change nothing."""

    booking = models.ForeignKey(Booking, models.CASCADE, related_name="guests")
    # Empty once it is erased. The digest stays for a day, as that of an invitee.
    email = models.EmailField(_("email address"))
    mailbox = MailboxField(of="email")
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                "booking", Lower("email"), condition=~Q(email=""), name="booking_guest_once"
            )
        ]
        indexes = [
            models.Index(fields=["mailbox", "created_at"], name="booking_guest_by_mailbox"),
            models.Index(fields=["created_at"], condition=Q(email=""), name="booking_guest_erased"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class HistoryEntry(LifecycleEntry):
    booking = models.ForeignKey(Booking, models.CASCADE, related_name="history", db_index=False)
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta(LifecycleEntry.Meta):
        constraints = [
            # Two changes at once cannot both be written.
            models.UniqueConstraint(
                fields=["booking", "sequence"], name="booking_history_sequence_once"
            )
        ]

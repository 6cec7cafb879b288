"""Bookings and their history."""

from datetime import datetime
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import DELETED_PERSON, TIME_FORMATS, User
from calendars.models import BusyTime
from core.db.ids import named, public_id
from core.text.mailboxes import MailboxField
from core.text.zones import validate_zone, zone_of
from scheduling.models.enums import Change, Role, Status, status_at
from scheduling.models.event_types import EventType

# What a booking is while its time is not approved, or when it was not.
_UNCONFIRMED = {Status.PENDING, Status.REJECTED, Status.EXPIRED}


def new_booking_uuid() -> str:
    return public_id("evt")


def name_of_invitee(name: str, erased_at: datetime | None) -> str:
    """As it is shown."""
    return str(DELETED_PERSON) if erased_at else name


class BookingQuerySet(models.QuerySet["Booking"]):
    def visible_to(self, user: User) -> Self:
        """What was booked of this person; team mates are strangers here."""
        return self.filter(host=user)

    def named(self, key: str) -> Self:
        """The one of this number or uuid."""
        return self.filter(named(key))

    def in_status(self, status: Status, now: datetime) -> Self:
        """The bookings that are in this status at `now`, whether or not the sweep wrote it down."""
        match status:
            case Status.PENDING:
                return self.filter(status=status, start__gt=now)
            case Status.EXPIRED:
                return self.filter(Q(status=status) | Q(status=Status.PENDING, start__lte=now))
            case Status.CONFIRMED:
                return self.filter(status=status, end__gt=now)
            case Status.COMPLETED:
                return self.filter(Q(status=status) | Q(status=Status.CONFIRMED, end__lte=now))
        return self.filter(status=status)

    def overdue(self, now: datetime) -> Self:
        """The bookings that time has moved on and nobody has written it down yet."""
        return self.filter(
            Q(status=Status.PENDING, start__lte=now) | Q(status=Status.CONFIRMED, end__lte=now)
        )

    def with_people(self) -> Self:
        return self.select_related("event_type", "host")


class Booking(models.Model):
    """Somebody's place in a host's calendar: an *event* of the API.

    It holds its row of the ledger, buffers included, while it is pending, confirmed or completed;
    so the bookings that count towards a daily limit are those with a row.
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
    # The invitee's: their emails tell times in it.
    timezone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    # And in it they read them, if they have said so.
    language = models.CharField(
        _("language"), max_length=5, blank=True, choices=settings.LANGUAGES, editable=False
    )
    time_format = models.CharField(
        max_length=20,
        default="HH:mm",
        choices=[(text, text) for text in TIME_FORMATS],
        editable=False,
    )
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    notes = models.TextField(_("notes"), max_length=5000, blank=True)
    custom_field_values: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(
        _("answers"), default=dict, blank=True
    )
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING, editable=False
    )
    # Rises with every change. Calendars go by it (RFC 5545), and links are bound to it.
    sequence = models.PositiveIntegerField(default=0, editable=False)
    busy_time = models.OneToOneField(
        BusyTime, models.SET_NULL, null=True, related_name="booking", editable=False
    )
    # Who made it: its invitee on a public page, or its host. Empty: it is older than this column.
    made_by = models.CharField(max_length=10, choices=Role.choices, blank=True, editable=False)
    # Since when nothing is known of whoever booked it.
    erased_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects: ClassVar[models.Manager["Booking"]] = BookingQuerySet.as_manager()

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        ordering = ("start", "id")
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="booking_not_empty"),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="booking_known_status"
            ),
        ]
        indexes = [
            models.Index(fields=["host", "status", "start"], name="booking_hosted"),
            models.Index(fields=["host", "start", "id"], name="booking_hosted_by_time"),
            models.Index(fields=["host", "updated_at", "id"], name="booking_hosted_by_change"),
            # What time moves on. One for each status: SQLite does not see that a list has it.
            models.Index(
                fields=["start"], condition=Q(status=Status.PENDING), name="booking_pending"
            ),
            models.Index(
                fields=["end"], condition=Q(status=Status.CONFIRMED), name="booking_confirmed"
            ),
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
        """Whether a stranger may have typed what it says: on a public page, for any address."""
        return self.made_by != Role.HOST

    @property
    def invitee(self) -> str:
        return name_of_invitee(self.invitee_name, self.erased_at)

    @property
    def zone(self) -> ZoneInfo:
        """The invitee's."""
        return zone_of(self.timezone)

    def status_at(self, now: datetime) -> Status:
        """The status that is true at `now` (aware)."""
        return status_at(self.status, self.start, self.end, now)

    def given_up(self) -> tuple[datetime, datetime] | None:
        """Return the start and end that were confirmed until the invitee asked for others."""
        if not self.sequence or self.status not in _UNCONFIRMED:
            return None
        stood = self.history.filter(to_status=Status.CONFIRMED).order_by("sequence").last()
        return (stood.start, stood.end) if stood else None


class HistoryEntry(models.Model):
    """One change of a booking: what, by whom (nobody: an invitee, or time), when and why."""

    booking = models.ForeignKey(Booking, models.CASCADE, related_name="history", db_index=False)
    # The booking's when this had come about.
    sequence = models.PositiveIntegerField()
    change = models.CharField(_("change"), max_length=12, choices=Change.choices)
    from_status = models.CharField(max_length=10, choices=Status.choices, blank=True)
    to_status = models.CharField(max_length=10, choices=Status.choices)
    # The booking's time from then on.
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    role = models.CharField(max_length=10, choices=Role.choices)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("history entry")
        verbose_name_plural = _("history")
        ordering = ("sequence",)
        constraints = [
            # Two changes at once cannot both be written.
            models.UniqueConstraint(
                fields=["booking", "sequence"], name="booking_history_sequence_once"
            )
        ]
        indexes = [models.Index(fields=["at"], name="booking_history_age")]

    def __str__(self) -> str:
        return f"{self.get_change_display()} {self.at:%Y-%m-%d %H:%M} UTC"

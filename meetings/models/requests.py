"""Meeting requests and what became of them."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from calendars.models import BusyTime
from meetings.models.enums import Role, Status, Tab, status_at


class MeetingQuerySet(models.QuerySet["MeetingRequest"]):
    def visible_to(self, user: User) -> Self:
        """The meetings that a person asked for or was asked for."""
        return self.filter(Q(requester=user) | Q(recipient=user))

    def in_status(self, status: Status, now: datetime) -> Self:
        """The meetings that are in this status at `now`, whether or not the sweep wrote it down."""
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

    def in_tab(self, tab: Tab, user: User, now: datetime) -> Self:
        """One side of a person's meetings; `sent` is all that they asked for, in any status."""
        match tab:
            case Tab.PENDING:
                return self.filter(recipient=user).in_status(Status.PENDING, now)
            case Tab.SENT:
                return self.filter(requester=user)
        return self.visible_to(user).in_status(Status(tab.value), now)

    def overdue(self, now: datetime) -> Self:
        """The meetings that time has moved on and nobody has written it down yet."""
        return self.filter(
            Q(status=Status.PENDING, start__lte=now) | Q(status=Status.CONFIRMED, end__lte=now)
        )

    def with_people(self) -> Self:
        return self.select_related("requester", "recipient", "team")


class MeetingRequest(models.Model):
    """One person asks a team mate for an hour. Asking claims no time; confirming does, of both."""

    booking_number = models.CharField(_("number"), max_length=30, unique=True, editable=False)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="meetings_asked",
        verbose_name=_("from"),
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="meetings_received",
        verbose_name=_("to"),
    )
    team = models.ForeignKey(Team, models.PROTECT, related_name="meetings")
    # The zone in which the date was read: the recipient's, at that time.
    timezone = models.CharField(_("time zone"), max_length=64)
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    link = models.URLField(_("meeting link"), max_length=1000, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING, editable=False
    )
    # Rises with every transition; links in emails are bound to the one they were written for.
    version = models.PositiveSmallIntegerField(default=0, editable=False)
    busy_times = models.ManyToManyField(BusyTime, related_name="+", editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects: ClassVar[models.Manager["MeetingRequest"]] = MeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting request")
        verbose_name_plural = _("meeting requests")
        ordering = ("start", "id")
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="meeting_not_empty"),
            models.CheckConstraint(
                condition=~Q(requester=F("recipient")),
                name="meeting_not_with_oneself",
                violation_error_message=_("You cannot ask yourself for a meeting."),
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="meeting_known_status"
            ),
        ]
        indexes = [
            models.Index(fields=["recipient", "status", "start"], name="meeting_received"),
            models.Index(fields=["requester", "status", "start"], name="meeting_asked"),
            # How often one person has asked another lately.
            models.Index(fields=["requester", "recipient", "created_at"], name="meeting_between"),
            # What time moves on. One for each status: SQLite does not see that a list has it.
            models.Index(
                fields=["start"], condition=Q(status=Status.PENDING), name="meeting_pending"
            ),
            models.Index(
                fields=["end"], condition=Q(status=Status.CONFIRMED), name="meeting_confirmed"
            ),
        ]

    def __str__(self) -> str:
        return self.booking_number

    def status_at(self, now: datetime) -> Status:
        """The status that is true at `now` (aware)."""
        return status_at(self.status, self.start, self.end, now)

    def role_of(self, user: User) -> Role:
        """In which capacity a party to this meeting acts."""
        return Role.RECIPIENT if user.pk == self.recipient_id else Role.REQUESTER

    def other_party(self, user: User) -> User:
        return self.requester if user.pk == self.recipient_id else self.recipient


class HistoryEntry(models.Model):
    """One transition: from what to what, by whom (nobody: time), when and why."""

    meeting = models.ForeignKey(MeetingRequest, models.CASCADE, related_name="history")
    from_status = models.CharField(max_length=10, choices=Status.choices, blank=True)
    to_status = models.CharField(max_length=10, choices=Status.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    role = models.CharField(max_length=10, choices=Role.choices)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("history entry")
        verbose_name_plural = _("history")
        ordering = ("at", "id")
        constraints = [
            # A status is entered once, so two transitions at once cannot both be written.
            models.UniqueConstraint(
                fields=["meeting", "to_status"], name="history_status_entered_once"
            )
        ]
        indexes = [models.Index(fields=["at"], name="meeting_history_age")]

    def __str__(self) -> str:
        return f"{self.get_to_status_display()} {self.at:%Y-%m-%d %H:%M} UTC"


class DayCounter(models.Model):
    """The last booking number given out on a day (UTC)."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.last}"

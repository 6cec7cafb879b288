"""Meeting requests and their history."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from calendars.models import BusyTime
from meetings.models.enums import TRANSITIONS, Role, Tab
from scheduling.models.enums import Status
from scheduling.models.lifecycle import Lifecycle, LifecycleEntry, LifecycleQuerySet


class MeetingQuerySet(LifecycleQuerySet["MeetingRequest"]):
    related = ("requester", "recipient", "team")

    def visible_to(self, user: User) -> Self:
        """Return the meetings that this person asked for or was asked for."""
        return self.filter(Q(requester=user) | Q(recipient=user))

    def in_tab(self, tab: Tab, user: User, now: datetime) -> Self:
        """One tab of a person's meetings; `sent` is all that they asked for, in any status."""
        match tab:
            case Tab.PENDING:
                return self.filter(recipient=user).in_status(Status.PENDING, now)
            case Tab.SENT:
                return self.filter(requester=user)
        return self.visible_to(user).in_status(Status(tab.value), now)


class MeetingRequest(Lifecycle):
    """Request to a team mate for an hour. Only a confirmation claims time: that of both people."""

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
    link = models.URLField(_("meeting link"), max_length=1000, blank=True)
    busy_times = models.ManyToManyField(BusyTime, related_name="+", editable=False)

    transitions = TRANSITIONS
    refusal = _("This meeting is %(status)s.")
    topic_prefix = "meeting"
    objects: ClassVar[models.Manager["MeetingRequest"]] = MeetingQuerySet.as_manager()

    class Meta(Lifecycle.Meta):
        verbose_name = _("meeting request")
        verbose_name_plural = _("meeting requests")
        constraints = [
            *Lifecycle.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(requester=F("recipient")),
                name="meeting_not_with_oneself",
                violation_error_message=_("You cannot ask yourself for a meeting."),
            ),
        ]
        indexes = [
            *Lifecycle.Meta.indexes,
            models.Index(fields=["recipient", "status", "start"], name="meeting_received"),
            models.Index(fields=["requester", "status", "start"], name="meeting_asked"),
            # How often one person has asked another lately.
            models.Index(fields=["requester", "recipient", "created_at"], name="meeting_between"),
        ]

    def __str__(self) -> str:
        return self.booking_number

    def role_of(self, user: User) -> Role:
        """Return the capacity in which a party to this meeting acts."""
        return Role.RECIPIENT if user.pk == self.recipient_id else Role.REQUESTER

    def other_party(self, user: User) -> User:
        return self.requester if user.pk == self.recipient_id else self.recipient


class HistoryEntry(LifecycleEntry):
    meeting = models.ForeignKey(
        MeetingRequest, models.CASCADE, related_name="history", db_index=False
    )
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta(LifecycleEntry.Meta):
        constraints = [
            # Two changes at once cannot both be written.
            models.UniqueConstraint(
                fields=["meeting", "sequence"], name="meeting_history_sequence_once"
            )
        ]


class DayCounter(models.Model):
    """Last booking number given out on a day (UTC)."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.last}"

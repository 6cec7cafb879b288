"""The life that bookings and meeting requests share: its columns, its history and its clock."""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, ClassVar, Self, TypeAlias, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Min, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from scheduling.models.enums import Change, Status

L = TypeVar("L", bound="Lifecycle")

Transitions: TypeAlias = Mapping[Change, Mapping[Status, Set[str]]]
"""From a change to the statuses in which it may happen, and the roles that may make it there."""


def status_at(status: str, start: datetime, end: datetime, now: datetime) -> Status:
    """Return the status that is true at `now`. Time expires and completes before the sweep does.

    `LifecycleQuerySet.in_status` and `overdue` say the same in SQL.
    """
    if status == Status.PENDING and start <= now:
        return Status.EXPIRED
    if status == Status.CONFIRMED and end <= now:
        return Status.COMPLETED
    return Status(status)


def sender_address() -> str:
    """Return the address from which Parley sends at present."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def calendar_uid_of(name: str) -> str:
    """Return the UID of calendar objects for a row of this unique name, by the present host."""
    return f"{name}@{settings.PUBLIC_HOST}"


class LifecycleQuerySet(models.QuerySet[L]):
    """Rows by the status that is true at a moment, whether or not the sweep has recorded it."""

    related: ClassVar[tuple[str, ...]] = ()
    """Relations that every reader of a row needs."""

    def in_status(self, status: Status, now: datetime) -> Self:
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

    def open_at(self, now: datetime) -> Self:
        """Rows that somebody can still cancel."""
        return self.in_status(Status.PENDING, now) | self.in_status(Status.CONFIRMED, now)

    def overdue(self, now: datetime) -> Self:
        """Rows that time has moved on and that the sweep has not recorded."""
        return self.filter(
            Q(status=Status.PENDING, start__lte=now) | Q(status=Status.CONFIRMED, end__lte=now)
        )

    def behind(self, now: datetime) -> timedelta:
        """Return for how long the oldest overdue row waits for the sweep.

        It asks status by status, since each has an index and the two together have none.
        """
        pending = self.order_by().filter(status=Status.PENDING, start__lte=now)
        confirmed = self.order_by().filter(status=Status.CONFIRMED, end__lte=now)
        since = [
            pending.aggregate(since=Min("start"))["since"],
            confirmed.aggregate(since=Min("end"))["since"],
        ]
        return max((now - each for each in since if each), default=timedelta(0))

    def with_people(self) -> Self:
        return self.select_related(*self.related)

    def lock(self, pk: int) -> L:
        """Lock one row until the transaction ends, and return its present state."""
        return self.with_people().select_for_update(of=("self",), no_key=True).get(pk=pk)


class Lifecycle(models.Model):
    """Base of what is asked for, confirmed and over: a time, a status and a history.

    Concrete models have a `history` of `LifecycleEntry` rows.
    """

    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING, editable=False
    )
    # Rises with every change. Calendars order by it (RFC 5545), and links are bound to it.
    sequence = models.PositiveIntegerField(default=0, editable=False)
    # Of its calendar objects. Kept with the row: a calendar takes others for another entry.
    calendar_uid = models.CharField(max_length=320, editable=False)
    organizer = models.CharField(max_length=320, default=sender_address, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    transitions: ClassVar[Transitions]
    refusal: ClassVar[Promise]
    """Text for a change that the present `status` does not allow."""
    topic_prefix: ClassVar[str]

    class Meta:
        abstract = True
        ordering = ("start", "id")
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="%(class)s_not_empty"),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="%(class)s_known_status"
            ),
        ]
        indexes = [
            # Overdue rows. One for each status: SQLite does not see that a list has it.
            models.Index(
                fields=["start"], condition=Q(status=Status.PENDING), name="%(class)s_pending"
            ),
            models.Index(
                fields=["end"], condition=Q(status=Status.CONFIRMED), name="%(class)s_confirmed"
            ),
        ]

    def status_at(self, now: datetime) -> Status:
        """Return the status that is true at `now` (aware)."""
        return status_at(self.status, self.start, self.end, now)

    @property
    def topic(self) -> str:
        """Topic of all messages and webhook events about this row, except reminders."""
        return f"{self.topic_prefix}:{self.pk}"

    @property
    def reminder_topic(self) -> str:
        return f"{self.topic}:reminders"

    @classmethod
    def topics_of(cls, ids: Iterable[int]) -> list[str]:
        """Return all topics of these rows."""
        topics = [f"{cls.topic_prefix}:{pk}" for pk in ids]
        return [name for topic in topics for name in (topic, f"{topic}:reminders")]

    def allows(self, change: Change, role: str, status: Status) -> bool:
        """Return whether this role may make the change in this status."""
        return role in self.transitions[change].get(status, ())


class LifecycleEntry(models.Model):
    """Base of a history: one change, who made it (nobody: an invitee, or time), when and why.

    Concrete models add the row that it belongs to, and the `role`.
    """

    # The row's from then on, like its time.
    sequence = models.PositiveIntegerField()
    change = models.CharField(_("change"), max_length=12, choices=Change.choices)
    from_status = models.CharField(max_length=10, choices=Status.choices, blank=True)
    to_status = models.CharField(max_length=10, choices=Status.choices)
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # As of when outside calendars were known, where they could not be read right before.
    calendars_as_of = models.DateTimeField(null=True, editable=False)
    at = models.DateTimeField()

    class Meta:
        abstract = True
        verbose_name = _("history entry")
        verbose_name_plural = _("history")
        ordering = ("sequence",)
        indexes = [models.Index(fields=["at"], name="%(app_label)s_history_age")]

    def __str__(self) -> str:
        return f"{self.get_change_display()} {self.at:%Y-%m-%d %H:%M} UTC"


def history_of(row: Lifecycle) -> Any:
    """Return the manager of a row's history, which its concrete model declares."""
    return row.history  # type: ignore[attr-defined]  # a reverse relation of each concrete model

"""The outbox of writes to outside calendars."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from calendars.models.accounts import Calendar
from core.db.outbox import OutboxRow


class Push(OutboxRow):
    """A booking or a meeting that stands in an outside calendar, or is to be written to it.

    A change of the booking makes the row wait again. When it is sent, the calendar gets what holds
    then: the present entry, or none. `source` and `number` name the booking, `href` and `etag` the
    object on the server; empty as long as nothing is written.
    """

    DELAYS: ClassVar[Sequence[timedelta]] = (
        timedelta(seconds=30),
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=6),
        timedelta(hours=12),
        timedelta(hours=24),
        timedelta(hours=24),
    )

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="pushes", db_index=False)
    source = models.CharField(max_length=20, editable=False)
    number = models.BigIntegerField(editable=False)
    uid = models.CharField(_("UID"), max_length=320, editable=False)
    # When the booking is over: until then the row is kept.
    ends_at = models.DateTimeField(editable=False)
    href = models.TextField(blank=True, editable=False)
    etag = models.TextField(blank=True, editable=False)

    class Meta(OutboxRow.Meta):
        verbose_name = _("write to a calendar")
        verbose_name_plural = _("writes to calendars")
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["calendar", "uid"], name="push_once")]
        indexes = [
            *OutboxRow.Meta.indexes,
            models.Index(fields=["uid"], name="push_of_uid"),
            models.Index(fields=["settled_at"], name="push_settled"),
        ]

    def __str__(self) -> str:
        return self.uid

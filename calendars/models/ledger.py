"""The ledger: whose time is taken."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class BusyTime(models.Model):
    """A stretch of a person's time that is taken, by whatever claimed it.

    `start` and `end` are epoch seconds, half-open. No two *exclusive* rows of a person overlap: the
    database itself refuses it (see the first migration). The row does not know who claimed it; the
    claimer points at the row.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="busy_times", db_index=False
    )
    start = models.BigIntegerField(_("start"))
    end = models.BigIntegerField(_("end"))
    exclusive = models.BooleanField(_("exclusive"), default=True)

    class Meta:
        verbose_name = _("busy time")
        verbose_name_plural = _("busy times")
        ordering = ("start", "id")
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="busy_time_not_empty")
        ]
        indexes = [models.Index(fields=["user", "start", "end"], name="busy_time_range")]

    def __str__(self) -> str:
        return f"{self.start_at:%Y-%m-%d %H:%M}-{self.end_at:%H:%M} UTC"

    @property
    def start_at(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def end_at(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)

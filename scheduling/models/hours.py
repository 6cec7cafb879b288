"""Working hours of a person: by the week, and on single dates."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.text.zones import validate_zone, zone_of
from scheduling.rules.hours import Day, usual_week
from scheduling.rules.slots import Interval


class WeeklyAvailability(models.Model):
    """Weekly hours of a person, on the clock of `timezone`, which is *the host's zone*.

    They are created with the account, in the person's zone of that moment. A later change of the
    profile's zone does not change the hours that others can book.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="weekly_availability"
    )
    timezone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    days: "models.JSONField[dict[str, Day], dict[str, Day]]" = models.JSONField(
        _("days"), default=usual_week
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("weekly availability")
        verbose_name_plural = _("weekly availability")

    def __str__(self) -> str:
        return f"{self.user}, {self.timezone}"

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.timezone)

    @property
    def windows(self) -> Mapping[int, list[Interval]]:
        """Return the hours of each ISO weekday that is enabled."""
        return {int(number): day["windows"] for number, day in self.days.items() if day["enabled"]}


class DateOverride(models.Model):
    """Date-specific hours: the hours of one date, in place of its weekday's.

    No windows mean a day off.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="date_overrides", db_index=False
    )
    date = models.DateField(_("date"))
    windows: "models.JSONField[list[Interval], list[Interval]]" = models.JSONField(
        _("windows"), default=list, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("date override")
        verbose_name_plural = _("date overrides")
        ordering = ("date",)
        constraints = [models.UniqueConstraint(fields=["user", "date"], name="date_override_once")]

    def __str__(self) -> str:
        return f"{self.date}, {self.user}"

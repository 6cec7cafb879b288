"""Working hours of a person: schedules by the week, and the hours of single dates."""

from collections.abc import Mapping
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.db.ids import public_id
from core.text.lines import validate_line
from core.text.zones import validate_zone, zone_of
from scheduling.rules.hours import Day, usual_week
from scheduling.rules.slots import Interval

LONGEST_NAME = 60


def new_schedule_uuid() -> str:
    return public_id("sch")


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def visible_to(self, user: User) -> Self:
        """Return the schedules of this host."""
        return self.filter(user=user)

    def chosen(self) -> Self:
        """Return the schedules that active event types name."""
        return self.filter(event_types__is_active=True).distinct()


class Schedule(models.Model):
    """Weekly hours with a name. An event type follows one of its host's schedules.

    The hours are those of a clock in the host's zone, which all schedules share.
    """

    uuid = models.CharField(max_length=30, unique=True, default=new_schedule_uuid, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="schedules", db_index=False
    )
    name = models.CharField(_("name"), max_length=LONGEST_NAME, validators=[validate_line])
    days: "models.JSONField[dict[str, Day], dict[str, Day]]" = models.JSONField(
        _("days"), default=usual_week
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["Schedule"]] = ScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ("id",)
        constraints = [models.UniqueConstraint("user", Lower("name"), name="schedule_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_default(self) -> bool:
        return self.user.weekly_availability.default_id == self.pk

    @property
    def windows(self) -> Mapping[int, list[Interval]]:
        """Return the hours of each ISO weekday that is enabled."""
        return {int(number): day["windows"] for number, day in self.days.items() if day["enabled"]}


class WeeklyAvailability(models.Model):
    """Host's zone, and the schedule of event types that name none.

    It is created with the account, in the person's zone of that moment. A later change of the
    profile's zone does not change the hours that others can book.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="weekly_availability"
    )
    timezone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    default = models.OneToOneField(
        Schedule, models.RESTRICT, related_name="+", verbose_name=_("default schedule")
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

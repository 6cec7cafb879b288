"""Event types, and the slugs that they gave up."""

import hashlib
import re
from copy import copy
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from core.db.ids import named, public_id
from core.text import money, times
from core.text.lines import validate_line
from core.text.links import LONGEST as LONGEST_LINK
from core.text.links import validate_destination
from core.text.names import validate_title
from core.text.zones import validate_zone, zone_of
from scheduling.models.enums import ONLINE, Location, PaymentMethod, Weekday
from scheduling.models.hours import Schedule
from scheduling.rules.custom_fields import CustomField
from scheduling.rules.slots import Terms

_MINUTE = 60
_HOUR = 60 * _MINUTE
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def new_event_type_uuid() -> str:
    return public_id("et")


MOST_REMINDERS, SHORTEST_REMINDER, LONGEST_REMINDER = 5, 5, 28 * 24 * 60
MOST_DURATIONS, SHORTEST_DURATION, LONGEST_DURATION = 6, 15, 480
LONGEST_CANCELLATION_NOTICE = 28 * 24 * 60


def every_day() -> list[int]:
    return list(Weekday.values)


def location_in_words(location: str, custom: str) -> str:
    """Return the place to meet, in words."""
    return custom or str(Location(location).label)


def link_is_later(location: str, link: str) -> bool:
    """Return whether people meet by a link that the event type does not have."""
    return location in ONLINE and not link


def usual_reminders() -> list[int]:
    """Return a day and a quarter of an hour, in minutes."""
    return [1440, 15]


def validate_reminders(minutes: list[int]) -> None:
    """Refuse more reminders, or earlier or later ones, than anybody needs."""
    if len(minutes) > MOST_REMINDERS or not all(
        SHORTEST_REMINDER <= each <= LONGEST_REMINDER for each in minutes
    ):
        message = _(
            "Use up to %(count)d reminders, %(least)d to %(most)d minutes before the start."
        )
        values = {"count": MOST_REMINDERS, "least": SHORTEST_REMINDER, "most": LONGEST_REMINDER}
        raise ValidationError(message, params=values)


def validate_durations(minutes: list[int]) -> None:
    """Refuse more durations than fit beside each other, and any that `duration` could not be."""
    if len(minutes) > MOST_DURATIONS or not all(
        SHORTEST_DURATION <= each <= LONGEST_DURATION for each in minutes
    ):
        message = _("Offer up to %(count)d durations of %(least)d to %(most)d minutes.")
        values = {"count": MOST_DURATIONS, "least": SHORTEST_DURATION, "most": LONGEST_DURATION}
        raise ValidationError(message, params=values)


class EventTypeQuerySet(models.QuerySet["EventType"]):
    def visible_to(self, user: User) -> Self:
        """Return the event types of this host. Team mates have no access to them."""
        return self.filter(host=user)

    def named(self, key: str) -> Self:
        """Return the event types with this number or uuid: one or none."""
        return self.filter(named(key))

    def with_hours(self) -> Self:
        """Load the host, the host's default schedule and the event type's own too."""
        return self.select_related("host__weekly_availability__default", "schedule")

    def listed(self) -> Self:
        """Return the event types that their host's public page shows."""
        return self.filter(is_active=True, is_hidden=False)

    def bookable(self) -> Self:
        """Return the event types that can be booked now, with their hours."""
        return self.with_hours().filter(is_active=True, host__is_active=True)


class EventType(models.Model):
    """Meeting that people can book with a host: its length, its days and its terms."""

    uuid = models.CharField(max_length=30, unique=True, default=new_event_type_uuid, editable=False)
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="event_types", db_index=False
    )
    name = models.CharField(_("name"), max_length=120, validators=[validate_line, validate_title])
    slug = models.CharField(
        _("address"),
        max_length=80,
        validators=[RegexValidator(rf"^{SLUG.pattern}\Z", _("Use a-z, 0-9 and single hyphens."))],
    )
    description = models.TextField(_("description"), max_length=5000, blank=True)
    color = models.CharField(
        _("color"),
        max_length=7,
        default="#4F46E5",
        validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}\Z", _("Use a color such as #4F46E5."))],
    )
    duration = models.PositiveSmallIntegerField(
        _("duration in minutes"),
        validators=[MinValueValidator(SHORTEST_DURATION), MaxValueValidator(LONGEST_DURATION)],
    )
    # Minutes, the shortest first: what an invitee chooses from. It includes `duration`, which is
    # chosen for them at first. Empty: there is nothing to choose.
    durations: "models.JSONField[list[int], list[int]]" = models.JSONField(
        _("durations to choose from"),
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        validators=[validate_durations],
    )
    location = models.CharField(
        _("location"), max_length=20, choices=Location.choices, default=Location.ZOOM_MEETING
    )
    location_custom = models.CharField(_("where, or how to get there"), max_length=500, blank=True)
    # Where people join. Empty for a location at which people meet by a link: it follows.
    location_link = models.CharField(_("link to join"), max_length=LONGEST_LINK, blank=True)
    timezone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_zone]
    )
    is_active = models.BooleanField(_("active"), default=True)
    # Not listed on the host's public page. Its own page books.
    is_hidden = models.BooleanField(_("hidden"), default=False, db_default=False)
    requires_approval = models.BooleanField(_("requires approval"), default=False)
    # A public booking is made once the invitee has followed a link to their address.
    confirm_email = models.BooleanField(
        _("invitees confirm their address"), default=False, db_default=False
    )
    buffer_time_before = models.PositiveSmallIntegerField(
        _("buffer before, in minutes"), default=0, validators=[MaxValueValidator(1440)]
    )
    buffer_time_after = models.PositiveSmallIntegerField(
        _("buffer after, in minutes"), default=0, validators=[MaxValueValidator(1440)]
    )
    min_advance_booking = models.PositiveSmallIntegerField(
        _("notice in hours"), default=0, validators=[MaxValueValidator(8760)]
    )
    max_advance_booking = models.PositiveSmallIntegerField(
        _("horizon in days"), default=60, validators=[MaxValueValidator(730)]
    )
    # None: the host's default schedule.
    schedule = models.ForeignKey(
        Schedule,
        models.RESTRICT,
        related_name="event_types",
        null=True,
        blank=True,
        verbose_name=_("schedule"),
    )
    # ISO weekdays.
    available_days: "models.JSONField[list[int], list[int]]" = models.JSONField(
        _("available days"), default=every_day
    )
    slot_interval = models.PositiveSmallIntegerField(
        _("distance of starts in minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(1440)],
    )
    daily_limit = models.PositiveSmallIntegerField(
        _("bookings a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    # In an ISO week of the host.
    weekly_limit = models.PositiveSmallIntegerField(
        _("bookings a week"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    # Until so long before the start its invitee may cancel or reschedule.
    cancellation_notice = models.PositiveIntegerField(
        _("cancellation notice in minutes"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(LONGEST_CANCELLATION_NOTICE)],
    )
    # Where the browser goes after a booking. Empty: to Parley's own page.
    redirect_url = models.CharField(
        _("page after booking"),
        max_length=LONGEST_LINK,
        blank=True,
        db_default="",
        validators=[validate_destination],
    )
    # Minutes before the start, the earliest first.
    reminders: "models.JSONField[list[int], list[int]]" = models.JSONField(
        _("reminders"), default=usual_reminders, blank=True, validators=[validate_reminders]
    )
    price = models.DecimalField(
        _("price"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Use a code such as USD (ISO 4217)."))],
    )
    payment_method = models.CharField(
        _("paid"), max_length=10, choices=PaymentMethod.choices, blank=True
    )
    custom_fields: "models.JSONField[list[CustomField], list[CustomField]]" = models.JSONField(
        _("custom fields"), default=list, blank=True
    )
    sort_order = models.SmallIntegerField(
        _("position"),
        default=0,
        validators=[MinValueValidator(-1000), MaxValueValidator(1000)],
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["EventType"]] = EventTypeQuerySet.as_manager()

    class Meta:
        verbose_name = _("event type")
        verbose_name_plural = _("event types")
        ordering = ("sort_order", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["host", "slug"],
                name="event_type_slug_once",
                violation_error_message=_("You have an event type with this address already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """Return the event type's zone.

        The API reads times without an offset and groups slots in it, unless a request names a zone.
        """
        return zone_of(self.timezone)

    @property
    def schedule_followed(self) -> Schedule:
        """Return its schedule, or the host's default schedule if it has none."""
        return self.schedule or self.host.weekly_availability.default

    @property
    def lengths(self) -> list[int]:
        """Return the minutes to choose from, the shortest first: one at least."""
        return self.durations or [self.duration]

    @property
    def step(self) -> int:
        """Return the minutes between starts. Every duration has the grid of the shortest."""
        shortest = min(self.lengths)
        return self.slot_interval or shortest + self.buffer_time_before + self.buffer_time_after

    def lasting(self, minutes: int) -> Self:
        """Return a copy that lasts so long, with starts on the same grid."""
        other = copy(self)
        other.duration, other.slot_interval = minutes, self.step
        return other

    @property
    def duration_in_words(self) -> str:
        """Return `30 minutes`, or `30, 60 minutes` where there are several to choose from."""
        said = ", ".join(map(str, self.lengths))
        words = ngettext("%(minutes)s minute", "%(minutes)s minutes", self.lengths[-1])
        return words % {"minutes": said}

    @property
    def terms(self) -> Terms:
        """Return the terms for the slot engine: in seconds, with the booking window in days."""
        return Terms(
            duration=self.duration * _MINUTE,
            step=self.step * _MINUTE,
            before=self.buffer_time_before * _MINUTE,
            after=self.buffer_time_after * _MINUTE,
            notice=self.min_advance_booking * _HOUR,
            horizon=self.max_advance_booking,
            daily_limit=self.daily_limit,
            weekly_limit=self.weekly_limit,
        )

    @property
    def terms_digest(self) -> str:
        """Return the digest of the terms to which an invitee agrees.

        Forms carry the digest that was shown. The link is none of the terms: it is not shown before
        the booking.
        """
        price = None if self.price is None else f"{self.price:.2f}"
        shown = (
            self.duration,
            self.location,
            self.location_custom,
            self.requires_approval,
            price,
            self.currency if price else "",
            self.payment_method if price else "",
            *([self.cancellation_notice] if self.cancellation_notice else []),
        )
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]

    @property
    def price_in_words(self) -> str:
        """Return the price and how it is paid, in the active language; empty if it is free."""
        if not self.price:
            return ""
        price = money.in_words(self.price, self.currency)
        how = self.get_payment_method_display()
        return f"{price}, {how}" if how else price

    @property
    def cancellation_notice_in_words(self) -> str:
        return times.length(timedelta(minutes=self.cancellation_notice))

    @property
    def location_display(self) -> str:
        return location_in_words(self.location, self.location_custom)

    @property
    def is_online(self) -> bool:
        return self.location in ONLINE

    @property
    def link_later(self) -> bool:
        return link_is_later(self.location, self.location_link)

    @property
    def scheduling_url(self) -> str:
        return f"{self.host.username}/{self.slug}"


class FormerSlug(models.Model):
    """Slug that an event type gave up. It leads to the present slug.

    Retention deletes it (`usernames.RESERVED`).
    """

    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )
    event_type = models.ForeignKey(EventType, models.CASCADE, related_name="former_slugs")
    slug = models.CharField(max_length=80)
    given_up_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("former address")
        verbose_name_plural = _("former addresses")
        ordering = ("-given_up_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=["host", "slug"], name="former_slug_once"),
        ]

    def __str__(self) -> str:
        return self.slug

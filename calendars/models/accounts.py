"""Accounts at calendar servers, and the calendars of each."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calendars.rules.expansion import ShownAs
from core.db.crypto import EncryptedTextField
from core.db.ids import named, public_id
from core.text.lines import validate_line
from core.text.zones import zone_of


def new_account_uuid() -> str:
    return public_id("cac")


def new_calendar_uuid() -> str:
    return public_id("cal")


def known_as_of(read_at: datetime | None, account_read_at: datetime | None) -> datetime | None:
    """Return when a calendar was read last, by its own column and that of its account.

    A reading that finds nothing new is noted at the account alone. None for a calendar that was
    never read.
    """
    if read_at is None or account_read_at is None:
        return read_at
    return max(read_at, account_read_at)


class AccountQuerySet(models.QuerySet["CalendarAccount"]):
    def visible_to(self, user: User) -> Self:
        """Return this person's own accounts, without those that are being disconnected."""
        return self.filter(user=user, is_ending=False)

    def named(self, key: str) -> Self:
        """Return the account of this number or uuid."""
        return self.filter(named(key))


class CalendarAccount(models.Model):
    """Access to a person's calendars on one server: an address, and what opens it.

    The address is encrypted together with the credentials, since the address of an ICS feed is a
    secret itself. All calendars of an account are read in one go, under a lease.
    """

    class Provider(models.TextChoices):
        ICS = "ics", _("Calendar address (ICS)")
        CALDAV = "caldav", _("CalDAV")

    class State(models.TextChoices):
        OK = "ok", _("connected")
        FAILING = "failing", _("cannot be read")
        REVOKED = "revoked", _("access refused")

    uuid = models.CharField(max_length=30, unique=True, default=new_account_uuid, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_accounts"
    )
    provider = models.CharField(_("kind"), max_length=10, choices=Provider.choices)
    name = models.CharField(_("name"), max_length=120, validators=[validate_line])
    sealed_secret = EncryptedTextField()
    # The server's name, to tell accounts apart without their secret.
    host = models.CharField(_("server"), max_length=260, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.OK, editable=False
    )
    state_since = models.DateTimeField(editable=False)
    # An error class of the provider, and how many readings have failed since the last good one.
    error = models.CharField(max_length=40, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    # When its owner was told that it fails. Empty again after the message about its recovery.
    told_at = models.DateTimeField(null=True, editable=False)
    # When all its calendars were read last, and when they were read whole.
    read_at = models.DateTimeField(_("read"), null=True, editable=False)
    whole_at = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(editable=False)
    lease = models.CharField(max_length=22, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    # It is disconnected as soon as what was written to it is taken away.
    is_ending = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects: ClassVar[models.Manager["CalendarAccount"]] = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar account")
        verbose_name_plural = _("calendar accounts")
        ordering = ("id",)
        indexes = [models.Index(fields=["due_at"], name="calendar_account_due")]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> dict[str, str]:
        """Return `url`, and for CalDAV `username` and `password`."""
        values: dict[str, str] = json.loads(self.sealed_secret)
        return values

    @secret.setter
    def secret(self, values: Mapping[str, str]) -> None:
        self.sealed_secret = json.dumps(dict(values))


class CalendarQuerySet(models.QuerySet["Calendar"]):
    def visible_to(self, user: User) -> Self:
        """Return the calendars of this person's own accounts."""
        return self.filter(account__user=user, account__is_ending=False)

    def closing(self, user_id: int) -> Self:
        """Return this person's calendars whose entries close time."""
        return self.filter(user=user_id, blocks=True, account__is_ending=False)

    def named(self, key: str) -> Self:
        """Return the calendar of this number or uuid."""
        return self.filter(named(key))


class Calendar(models.Model):
    """One calendar of an account. Its busy entries close time where it `blocks`."""

    uuid = models.CharField(max_length=30, unique=True, default=new_calendar_uuid, editable=False)
    account = models.ForeignKey(
        CalendarAccount, models.CASCADE, related_name="calendars", db_index=False
    )
    # The owner again, so that the database can refuse a second calendar that is written to.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", editable=False
    )
    href = models.CharField(max_length=1000, editable=False)
    name = models.CharField(_("name"), max_length=200, editable=False)
    color = models.CharField(_("color"), max_length=7, blank=True, editable=False)
    # Of floating times and all-day entries. Empty: the owner's.
    timezone = models.CharField(_("time zone"), max_length=64, blank=True, editable=False)
    is_writable = models.BooleanField(default=False, editable=False)
    blocks = models.BooleanField(_("closes time"), default=False)
    blocks_tentative = models.BooleanField(_("tentative entries close time"), default=True)
    blocks_all_day = models.BooleanField(_("all-day entries close time"), default=True)
    writes = models.BooleanField(_("bookings are written to it"), default=False)
    # What the server wants to know to tell only what has changed.
    token = models.TextField(blank=True, editable=False)
    read_at = models.DateTimeField(null=True, editable=False)
    # An error class of the last reading; and of the last writing.
    error = models.CharField(max_length=40, blank=True, editable=False)
    write_error = models.CharField(max_length=40, blank=True, editable=False)
    # Since when a whole reading lacks so many entries that a second one must confirm it.
    doubted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["Calendar"]] = CalendarQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ("account", "id")
        constraints = [
            models.UniqueConstraint(fields=["account", "href"], name="calendar_once"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(writes=True), name="calendar_written_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def as_of(self) -> datetime | None:
        """Return when this calendar was read last. None: never."""
        return known_as_of(self.read_at, self.account.read_at)

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of floating times and all-day entries."""
        return zone_of(self.timezone) if self.timezone else self.account.user.zone

    def closes(self, shown_as: str, *, is_all_day: bool) -> bool:
        """Return whether such an entry closes time."""
        if not self.blocks or shown_as == ShownAs.FREE:
            return False
        if shown_as == ShownAs.TENTATIVE and not self.blocks_tentative:
            return False
        return self.blocks_all_day or not is_all_day

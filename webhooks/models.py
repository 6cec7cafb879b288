"""Webhooks, the events they receive, their deliveries and the attempts of each delivery."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Max, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.db.crypto import EncryptedTextField
from core.db.ids import named, public_id
from core.db.outbox import OutboxRow
from core.text.lines import validate_line


def new_webhook_uuid() -> str:
    return public_id("wh")


def new_message_id() -> str:
    return public_id("msg")


def new_delivery_uuid() -> str:
    return public_id("del")


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, user: User) -> Self:
        """Return this person's own webhooks."""
        return self.filter(owner=user)

    def named(self, key: str) -> Self:
        """Return the webhook of this number or uuid."""
        return self.filter(named(key))

    def with_stats(self) -> Self:
        """Add the counts and times of the attempts that are kept. Oldest webhook first."""
        good, bad = (
            Q(deliveries__attempt_rows__succeeded=succeeded) for succeeded in (True, False)
        )
        found = self.annotate(
            success_count=Count("deliveries__attempt_rows", filter=good),
            failure_count=Count("deliveries__attempt_rows", filter=bad),
            last_success_at=Max("deliveries__attempt_rows__at", filter=good),
            last_failure_at=Max("deliveries__attempt_rows__at", filter=bad),
        )
        return found.order_by("id")  # grouping has removed the model's own order


class Webhook(models.Model):
    """An endpoint that receives its owner's events. Secrets and header values are encrypted."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        INACTIVE = "inactive", _("inactive")

    class DisabledReason(models.TextChoices):
        """The reason why Parley itself stopped this webhook."""

        GONE = "gone", _("the endpoint answered 410 Gone")
        FAILING = "failing", _("nothing was delivered for five days")

    uuid = models.CharField(max_length=30, unique=True, default=new_webhook_uuid, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhooks")
    name = models.CharField(_("name"), max_length=120, validators=[validate_line])
    url = models.CharField(_("address"), max_length=2000)
    events: "models.JSONField[list[str], list[str]]" = models.JSONField(_("events"), default=list)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE
    )
    disabled_reason = models.CharField(
        max_length=10, choices=DisabledReason.choices, blank=True, editable=False
    )
    secret = EncryptedTextField()
    # It also signs until then, so that receivers can change over.
    previous_secret = EncryptedTextField(default="", blank=True)
    previous_secret_until = models.DateTimeField(null=True, editable=False)
    sealed_headers = EncryptedTextField(default="{}")
    timeout_seconds = models.PositiveSmallIntegerField(
        _("timeout in seconds"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
    )
    max_retries = models.PositiveSmallIntegerField(
        _("retries"), default=3, validators=[MaxValueValidator(9)]
    )
    verify_ssl = models.BooleanField(_("check certificates"), default=True)
    # Since when every attempt has failed.
    failing_since = models.DateTimeField(null=True, editable=False)
    # True if the last attempt succeeded quickly. All other webhooks share half of the threads.
    is_prompt = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["Webhook"]] = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that are sent beside Parley's own headers."""
        values: dict[str, str] = json.loads(self.sealed_headers)
        return values

    @headers.setter
    def headers(self, values: dict[str, str]) -> None:
        self.sealed_headers = json.dumps(values)

    def secrets_at(self, now: datetime) -> list[str]:
        """Return the secrets that sign at `now`: two during a rotation."""
        in_grace = self.previous_secret_until is not None and now < self.previous_secret_until
        return [self.secret, *([self.previous_secret] if in_grace else [])]


class OwnerCounter(models.Model):
    """Last `owner_sequence` that an event of this owner got. It outlives the owner's webhooks."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    last = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("counter of webhook events")
        verbose_name_plural = _("counters of webhook events")

    def __str__(self) -> str:
        return f"{self.pk}: {self.last}"


class WebhookEvent(models.Model):
    """An event, with the exact text that is sent. The text is written once.

    It is encrypted, since it can hold links that act for their reader.
    """

    message_id = models.CharField(
        max_length=30, unique=True, default=new_message_id, editable=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhook_events"
    )
    type = models.CharField(_("type"), max_length=40)
    body = EncryptedTextField(_("body"))
    # The publisher's name for the object of the event, by which the event can be forgotten.
    topic = models.CharField(_("topic"), max_length=120, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["topic"], name="webhook_event_topic"),
            models.Index(fields=["created_at"], name="webhook_event_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"


class Delivery(OutboxRow):
    """One event on its way to one webhook."""

    DELAYS: ClassVar[Sequence[timedelta]] = (
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
    )

    uuid = models.CharField(max_length=30, unique=True, default=new_delivery_uuid, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, models.CASCADE, related_name="deliveries")

    class Meta(OutboxRow.Meta):
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-id",)
        indexes = [
            *OutboxRow.Meta.indexes,
            # The state first, by which SQLite finds what is due: with parameters it does not see
            # that the index on what waits would do.
            models.Index(fields=["state", "webhook", "created_at"], name="delivery_of_webhook"),
            models.Index(fields=["settled_at"], name="delivery_settled"),
        ]

    def __str__(self) -> str:
        return self.uuid


class Attempt(models.Model):
    """One attempt of a delivery, with its result."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_rows")
    at = models.DateTimeField(_("sent"))
    succeeded = models.BooleanField(_("succeeded"))
    # `http_500`, or an error class of the HTTP client. Empty for success.
    error = models.CharField(_("error"), max_length=40, blank=True)
    response_code = models.PositiveSmallIntegerField(_("answer"), null=True)
    response_time_ms = models.PositiveIntegerField(_("milliseconds"))
    # The beginning of the answer. Only for staff: users must not read an internal host's answer.
    response_body = models.TextField(_("body of the answer"), blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("id",)
        indexes = [models.Index(fields=["at"], name="attempt_age")]

    def __str__(self) -> str:
        return self.error or str(self.response_code)

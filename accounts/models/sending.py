"""Where people are reached, what is on its way to them, and answers that are given twice."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from config.crypto import DigestField, EncryptedTextField
from config.ids import public_id
from config.outbox import OutboxRow


class PushDevice(models.Model):
    """A phone or browser that Firebase can reach. One that Firebase no longer knows is inactive."""

    class Platform(models.TextChoices):
        ANDROID = "android", "Android"
        IOS = "ios", "iOS"
        WEB = "web", "Web"

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    token = EncryptedTextField(_("registration token"))
    digest = DigestField(of="token", unique=True)
    platform = models.CharField(_("platform"), max_length=10, choices=Platform.choices)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("push device")
        verbose_name_plural = _("push devices")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name or f"{self.get_platform_display()} device"


def new_message_id() -> str:
    return public_id("ntf")


class Notification(OutboxRow):
    """One message to one address: what `channel` sends, when it is due.

    `content` is JSON in the channel's own shape (see `accounts.channels`), encrypted because it
    carries links that act for whoever holds them. `topic` is the caller's name for what it is
    about, by which rows are withdrawn and forgotten together. It is withdrawn if `user` or `about`
    is deactivated when it is due.
    """

    # Between one attempt and the next.
    DELAYS: ClassVar[Sequence[timedelta]] = (
        timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10),
        timedelta(minutes=30), timedelta(hours=1), timedelta(hours=3), timedelta(hours=8),
        timedelta(hours=24),
    )  # fmt: skip

    class Channel(models.TextChoices):
        EMAIL = "email", _("email")
        PUSH = "push", _("push message")

    message_id = models.CharField(
        max_length=30, unique=True, default=new_message_id, editable=False
    )
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="notifications")
    # The person without whom it is pointless: it reminds somebody of a time with them.
    about = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", db_index=False)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    # An email address; of a device its digest, since its token is nobody else's to read.
    address = models.CharField(_("address"), max_length=320)
    kind = models.CharField(_("kind"), max_length=60)
    topic = models.CharField(_("topic"), max_length=120, blank=True)
    content = EncryptedTextField()

    class Meta(OutboxRow.Meta):
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ("-id",)
        indexes = [
            *OutboxRow.Meta.indexes,
            models.Index(fields=["topic"], name="notification_topic"),
            models.Index(fields=["settled_at"], name="notification_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"


class IdempotencyRecord(models.Model):
    """The first answer to a request that carried an Idempotency-Key, kept to be given again.

    `topic` is the caller's name for what it is about, by which it is forgotten: then it is empty.
    """

    user = models.ForeignKey(User, models.CASCADE)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = EncryptedTextField(default="")
    topic = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "method", "path", "key"], name="idempotency_once"
            )
        ]
        indexes = [
            models.Index(fields=["topic"], name="idempotency_topic"),
            models.Index(fields=["created_at"], name="idempotency_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

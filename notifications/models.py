"""Devices of people, and the messages that are on their way to people."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.crypto import DigestField, EncryptedTextField
from core.db.ids import public_id
from core.db.outbox import OutboxRow


class PushDevice(models.Model):
    """A phone or browser that Firebase can reach. One that Firebase no longer knows is inactive."""

    class Platform(models.TextChoices):
        ANDROID = "android", "Android"
        IOS = "ios", "iOS"
        WEB = "web", "Web"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="devices")
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
    """One message to one recipient: its kind and facts, sent by `channel` when it is due.

    `content` is JSON: the facts of the event that cannot be read later. The worker writes the
    text when it sends (see `notifications.domain.kinds`). With `is_written`, `content` is the
    message itself, in the channel's shape (`notifications.domain.channels`). It is encrypted.

    The recipient is `user`, or `address`, or a person whom the kind knows. A push message without
    an address is for all devices of `user`; it becomes one row a device when it is due. `topic` is
    the caller's name for what it is about, by which rows are withdrawn and forgotten together. It
    is withdrawn if `user` or `about` is deactivated when it is due.
    """

    # Between one attempt and the next.
    DELAYS: ClassVar[Sequence[timedelta]] = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(minutes=30),
        timedelta(hours=1),
        timedelta(hours=3),
        timedelta(hours=8),
        timedelta(hours=24),
    )

    class Channel(models.TextChoices):
        EMAIL = "email", _("email")
        PUSH = "push", _("push message")

    message_id = models.CharField(
        max_length=30, unique=True, default=new_message_id, editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="notifications"
    )
    # The person without whom it is pointless: it reminds somebody of a time with them.
    about = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", db_index=False
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    # An email address; of a device its digest, since its token is nobody else's to read.
    address = models.CharField(_("address"), max_length=320, blank=True)
    kind = models.CharField(_("kind"), max_length=60)
    topic = models.CharField(_("topic"), max_length=120, blank=True)
    content = EncryptedTextField()
    is_written = models.BooleanField(default=False, editable=False)

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


class OptOut(models.Model):
    """Messages that a person has switched off, by one channel (`notifications.domain.choices`)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="opt_outs", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=60)
    channel = models.CharField(_("channel"), max_length=10, choices=Notification.Channel.choices)

    class Meta:
        verbose_name = _("switched-off message")
        verbose_name_plural = _("switched-off messages")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "channel"], name="opt_out_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"

"""Times that are held until an invitee has confirmed their address."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calendars.models import BusyTime
from core.db.crypto import EncryptedTextField
from scheduling.models.bookings import Booking
from scheduling.models.event_types import EventType


class Hold(models.Model):
    """A start of a host that nobody else can book until the hold expires.

    Neither the API nor webhooks show it. It has its facts until it is confirmed or swept. The row
    stays for a day, since limits count it and the link leads to the booking.
    """

    event_type = models.ForeignKey(EventType, models.CASCADE, related_name="holds")
    host = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    busy_time = models.OneToOneField(
        BusyTime, models.SET_NULL, null=True, related_name="hold", editable=False
    )
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    # Of the address to confirm, as `core.text.mailboxes` makes it.
    mailbox = models.CharField(max_length=32, editable=False)
    # Of the text in the link. The text itself is in the email alone.
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    # What the form said, as JSON, while it waits to be confirmed.
    facts = EncryptedTextField(default="", editable=False)
    is_waiting = models.BooleanField(_("waits to be confirmed"), default=True, editable=False)
    booking = models.OneToOneField(
        Booking, models.SET_NULL, null=True, related_name="hold", editable=False
    )
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(_("expires"), editable=False)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["mailbox", "created_at"], name="hold_by_mailbox"),
            models.Index(fields=["host", "expires_at"], name="hold_by_host"),
            models.Index(fields=["expires_at"], condition=Q(is_waiting=True), name="hold_unswept"),
            models.Index(fields=["created_at"], condition=Q(is_waiting=False), name="hold_swept"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}, {self.start:%Y-%m-%d %H:%M} UTC"

    @property
    def topic(self) -> str:
        """Topic of the email with its link."""
        return f"hold:{self.pk}"

    def is_open(self, now: datetime) -> bool:
        """Return whether it can be confirmed at this moment."""
        return self.is_waiting and now < self.expires_at

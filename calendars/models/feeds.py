"""Private addresses at which people's other calendars read their bookings."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.crypto import DigestField, EncryptedTextField


class Feed(models.Model):
    """A person's feed. The token in its address opens it, so the token is encrypted."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="calendar_feed"
    )
    token = EncryptedTextField()
    digest = DigestField(of="token", unique=True)
    shows_titles = models.BooleanField(_("shows titles"), default=True)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")

    def __str__(self) -> str:
        return f"{self.pk}"

"""Objects of outside calendars, and the entries that they make."""

import hashlib
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from calendars.models.accounts import Calendar
from calendars.models.ledger import BusyTime
from calendars.rules.expansion import ShownAs
from core.db.crypto import EncryptedTextField


def key_of(href: str) -> str:
    """Return the key of an object with this address: of a length that an index takes."""
    return hashlib.sha256(href.encode(errors="surrogatepass")).hexdigest()


class Item(models.Model):
    """One object of a calendar, as its server holds it: an entry, or a series of them.

    `href` and `etag` are the server's names of the object and of its version. `error` says why its
    present text could not be read; then its entries are those of an earlier text.
    """

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="items", db_index=False)
    key = models.CharField(max_length=64, editable=False)
    href = models.TextField(editable=False)
    etag = models.TextField(blank=True, editable=False)
    uid = models.TextField(editable=False)
    # A booking or a meeting of its owner, which has a claim of its own.
    is_own = models.BooleanField(default=False, editable=False)
    error = models.CharField(max_length=40, blank=True, editable=False)

    class Meta:
        verbose_name = _("calendar object")
        verbose_name_plural = _("calendar objects")
        constraints = [models.UniqueConstraint(fields=["calendar", "key"], name="item_once")]

    def __str__(self) -> str:
        return self.key


class Entry(models.Model):
    """One occurrence of an object within the window, `start` and `end` in epoch seconds.

    It has a claim, which is not exclusive, while it closes time.
    """

    item = models.ForeignKey(Item, models.CASCADE, related_name="entries", db_index=False)
    # Again that of the item: entries are counted and shown by it.
    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="entries", db_index=False)
    recurrence_id = models.CharField(max_length=40, blank=True, editable=False)
    start = models.BigIntegerField(_("start"))
    end = models.BigIntegerField(_("end"))
    title = EncryptedTextField(blank=True)
    shown_as = models.CharField(max_length=10, choices=[(each, each) for each in ShownAs])
    is_all_day = models.BooleanField(default=False)
    busy_time = models.OneToOneField(
        BusyTime, models.SET_NULL, null=True, related_name="entry", editable=False
    )

    objects: ClassVar[models.Manager["Entry"]] = models.Manager()

    class Meta:
        verbose_name = _("calendar entry")
        verbose_name_plural = _("calendar entries")
        ordering = ("start", "id")
        constraints = [models.UniqueConstraint(fields=["item", "recurrence_id"], name="entry_once")]
        indexes = [
            models.Index(fields=["calendar", "start"], name="entry_of_calendar"),
            models.Index(fields=["end"], name="entry_end"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

"""Limits on how often something can be done within a time: `settings.LIMITS`; 0 is no limit.

The database counts actions that leave rows (`require_room`). Emails to mailboxes leave no rows that
stay, so the cache counts them (`accounts.domain.account_mails`). django-ratelimit counts requests
(`core.web.pages.limited`).
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django_stubs_ext import StrPromise

from core.errors import Busy
from core.text import times


@dataclass(frozen=True)
class Window:
    """A limit: its name in `settings.LIMITS`, the length of its window, and the refusal.

    The refusal has placeholders `%(count)d` and `%(until)s`, and those that `refused` gets.
    """

    name: str
    length: timedelta
    refusal: StrPromise

    @property
    def most(self) -> int:
        limit: int = settings.LIMITS[self.name]
        return limit


def require_room(
    window: Window,
    moments: QuerySet[Any, datetime],
    *,
    now: datetime,
    reader: times.Reader,
    more: int = 1,
) -> None:
    """Raise Busy if the window before `now` has no room for so many `more`.

    `moments` are the times of earlier actions, the newest first. The caller holds a lock that no
    two requests hold together.
    """
    if not window.most:
        return
    if more > window.most:  # never
        raise refused(window, until=now + window.length, now=now, reader=reader)
    oldest = moments[window.most - more : window.most - more + 1].first()
    if oldest is not None and oldest + window.length > now:
        raise refused(window, until=oldest + window.length, now=now, reader=reader)


def refused(
    window: Window, *, until: datetime, now: datetime, reader: times.Reader, **named: str
) -> Busy:
    """Return the refusal, which gives the limit and, in the reader's zone, the time of its end."""
    values = {"count": window.most, "until": times.deadline(until, reader), **named}
    seconds = math.ceil((until - now).total_seconds())
    return Busy(str(window.refusal) % values, retry_after=max(seconds, 1))

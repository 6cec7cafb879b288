"""Writing of bookings and meetings to outside calendars.

A row says only that something has changed. When it is sent, the calendar is brought to what holds
then. Two workers that write the same object at once meet at its ETag: the later one gets a
conflict, looks at the object, and tries again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from calendars import providers
from calendars.domain import notices, sources
from calendars.domain.problems import REFUSED
from calendars.models import Calendar, CalendarAccount, Push
from calendars.providers.base import Provider, ProviderError
from calendars.providers.policy import policy
from core.db import outbox
from core.db.outbox import OutboxState
from core.ops import faults, shares

_BATCH = 20
# How long one object may take, also as a part of the lease; after how long a turn begins no other.
_SECONDS_OF_OBJECT, _PART_OF_LEASE = 15.0, 0.25
_TURN_SECONDS = 20.0
# A first failure may be a moment's. The owner hears of one that lasts, or that nothing can mend.
_TELL_ATTEMPTS = 3
# Nothing was written, and a look at the object has shown why.
_CONFLICT = "conflict"
# The answer proves that nothing stands there; after any other error it may.
_NOT_WRITTEN = ("unauthorized", "forbidden", "not_found", "too_large", "refused", "dns", "tls")
_UNREACHABLE = ("timeout", "refused", "dns", "tls")

log = structlog.get_logger(__name__)


class Written(NamedTuple):
    """Place and version of an object on its server. Empty: it stands nowhere."""

    href: str
    etag: str


def due(now: datetime) -> Q:
    """Return the condition for rows that are to be sent, and that nobody sends."""
    return outbox.unleased(now) & Q(state=OutboxState.WAITING, due_at__lte=now)


def write(account_id: int, *, now: datetime) -> None:
    """Send what is due to the calendars of one account, for a turn."""
    until = time.monotonic() + _TURN_SECONDS
    rows = Push.objects.filter(calendar__account=account_id)
    rows = rows.select_related("calendar__account__user")
    while time.monotonic() < until and not shares.stopping.is_set():
        claimed = outbox.claim(rows, now=timezone.now(), most=_BATCH)
        if not claimed:
            return
        faults.point("push.claimed")
        for place, row in enumerate(claimed):
            if time.monotonic() >= until or row.seconds_to_send() < _seconds_of_object():
                outbox.give_back(claimed[place:])
                return
            if not _send(row):
                outbox.give_back(claimed[place + 1 :])
                _put_off(account_id)
                return


def _put_off(account_id: int) -> None:
    """Let the other rows of an account wait whose server cannot be reached."""
    now = timezone.now()
    rows = Push.objects.filter(due(now), calendar__account=account_id)
    rows.update(due_at=now + Push.DELAYS[0])


def _send(row: Push) -> bool:
    """Bring one object to what holds now, and settle the row under its lease.

    Return whether the server could be reached.
    """
    now, account = timezone.now(), row.calendar.account
    try:
        with _provider(account) as provider:
            is_new = not row.href
            written = _bring(row, provider, now)
            faults.point("push.sent")
            if not _succeed(row, written) and is_new and written.href:
                # The row is gone: nobody would delete the object any more.
                provider.delete(written.href, etag=written.etag)
    except ProviderError as error:
        _fail(row, error.code)
        return error.code not in _UNREACHABLE
    except Exception:
        log.exception("calendar_write_broken", push=row.pk)
        _fail(row, "internal")
    return True


def _seconds_of_object() -> float:
    return min(_SECONDS_OF_OBJECT, settings.OUTBOX_LEASE_SECONDS * _PART_OF_LEASE)


@contextmanager
def _provider(account: CalendarAccount) -> Iterator[Provider]:
    until = time.monotonic() + _seconds_of_object()
    yield providers.connect(account.provider, account.secret, until=until, policy=policy())


def _bring(row: Push, provider: Provider, now: datetime) -> Written:
    """Put or delete the object. ProviderError(`conflict`) if the server has another version of it.

    The row then has what the server has, so that the next attempt can replace it.
    """
    calendar = row.calendar
    user = calendar.account.user
    text, is_new = None, not row.href
    if not calendar.account.is_ending:
        text = sources.of(row.source).text(row.number, user=user, now=now)
    try:
        if text is None:
            if row.href and not _is_anothers(row):
                provider.delete(row.href, etag=row.etag)
            return Written("", "")
        if not row.href:  # known before it is written: the answer may be lost
            row.href = provider.href_for(calendar.href, row.uid)
            _held(row).update(href=row.href)
        return Written(row.href, provider.put(row.href, text, etag=row.etag))
    except ProviderError as error:
        if error.code == _CONFLICT:
            _look(row, provider)
        elif is_new and error.code in _NOT_WRITTEN:
            row.href = ""
            _held(row).update(href="")
        raise


def _is_anothers(row: Push) -> bool:
    """Return whether an account that was connected anew has taken this object over."""
    others = Push.objects.filter(uid=row.uid, href=row.href, calendar__account__is_ending=False)
    return others.exclude(pk=row.pk).exists()


def _look(row: Push, provider: Provider) -> None:
    """Note where the server has this object, and which version. It may have come by mail."""
    found = provider.find(row.calendar.href, row.uid)
    row.href, row.etag = (found.href, found.etag) if found else ("", "")
    _held(row).update(href=row.href, etag=row.etag)


def _held(row: Push) -> "models.QuerySet[Push, Push]":
    return Push.objects.filter(pk=row.pk, lease=row.lease, state=OutboxState.WAITING)


def _succeed(row: Push, written: Written) -> bool:
    """Keep where the object stands. A row that stands nowhere any more is deleted.

    Return whether the row was still there.
    """
    with transaction.atomic():
        # Kept even if the row has changed meanwhile: the next attempt replaces this version.
        is_there = Push.objects.filter(pk=row.pk).update(href=written.href, etag=written.etag)
        settled = outbox.settle([row], state=OutboxState.SENT, now=timezone.now())
        if settled and not written.href:
            Push.objects.filter(pk=row.pk).delete()
        others = Push.objects.filter(calendar=row.calendar_id, state=OutboxState.WAITING)
        if not others.exclude(last_error="").exists():
            calendars = Calendar.objects.filter(pk=row.calendar_id).exclude(write_error="")
            calendars.update(write_error="")
    return bool(is_there)


def _fail(row: Push, code: str) -> None:
    """Try again later, or give up. The owner hears of it once."""
    now = timezone.now()
    delay = Push.DELAYS[row.attempts] if row.attempts < len(Push.DELAYS) else None
    with transaction.atomic():
        if not outbox.retry_later(row, now=now, error=code, delay=delay):
            return
        lasts = delay is None or row.attempts + 1 >= _TELL_ATTEMPTS
        if code not in REFUSED and not lasts:
            return
        read = Calendar.objects.filter(account=row.calendar.account_id, blocks=True)
        # Until it is given up, the owner hears of it by the readings.
        if delay is not None and code in _UNREACHABLE and read.exists():
            return
        rows = Calendar.objects.select_for_update(of=("self",), no_key=True)
        calendar = rows.select_related("account__user").get(pk=row.calendar_id)
        if not calendar.write_error and not calendar.account.is_ending:
            calendar.write_error = code
            calendar.save(update_fields=["write_error"])
            notices.not_written(calendar, now=now)

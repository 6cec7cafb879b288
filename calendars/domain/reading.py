"""Reading of outside calendars.

All calendars of an account are read in one go, under a lease, with no transaction open while a
server is asked. What was read is saved in batches; the token that asks for later changes is saved
last. So a process that dies in between costs a repetition, and no entry.

Absence is not deletion. While a calendar cannot be read, its last known entries stay.
"""

import random
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from accounts.domain.services import lock
from accounts.models import User
from calendars import providers
from calendars.domain import accounts, entries, notices
from calendars.domain.entries import Reading
from calendars.domain.problems import REFUSED
from calendars.models import Calendar, CalendarAccount, Item
from calendars.models.entries import key_of
from calendars.providers.base import Changes, Known, Provider, ProviderError, RemoteItem
from calendars.providers.policy import policy
from calendars.rules import expansion
from calendars.rules.bounds import MOST_CHARACTERS
from calendars.rules.expansion import Unreadable, Window
from core.db.outbox import unleased
from core.db.prepared import Prepared
from core.errors import AccountClosed
from core.ops import faults

# How long a reading may take, and how much longer its lease lasts.
SECONDS = 60.0
_LEASE_PART = 1.5
# Of its time, what the server may take: the rest is for saving what it has handed out.
_ASKING_PART = 0.75
# Of one object, whatever it holds.
_SECONDS_OF_ITEM = 2.0
_BEFORE, _AFTER = timedelta(days=1), timedelta(days=400)
# Every object is read again so often: the window moves on.
_WHOLE = timedelta(hours=24)
# Delays after failed readings, the last one again and again.
_DELAYS = (60, 240, 360, 900, 1_800, 3_600)
_TELL_AFTER, _TELL_TRIES = timedelta(minutes=10), 3
# A whole reading that lacks more is believed when a second one says so.
_DOUBTFUL_COUNT, _DOUBTFUL_PART = 10, 0.2
# Entries that one transaction writes.
_BATCH = 500
_DOUBT_LASTS = timedelta(seconds=60)
_LATE, _INCOMPLETE = "timeout", "incomplete"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claim:
    """An account whose reading this worker does, until `until` by `time.monotonic()`."""

    account: CalendarAccount
    calendars: Sequence[Calendar]
    lease: str
    until: float


class LeaseLost(Exception):
    """Another worker reads this account now."""


_CLAIMED = Prepared(
    lambda account: Calendar.objects.filter(account=account, blocks=True).select_related(
        "account__user"
    )
)


def due(now: datetime) -> Q:
    """Return the condition for accounts that are to be read, and that nobody reads.

    It joins no table. A claim by a join would look at the lease before it waits for another claim.
    """
    active = Exists(User.objects.filter(pk=OuterRef("user"), is_active=True))
    return unleased(now) & Q(due_at__lte=now, is_ending=False) & Q(active)


def claim(account_id: int, *, condition: Q, now: datetime, seconds: float) -> Claim | None:
    """Claim this account if it meets the condition. None if it does not."""
    until, lease = time.monotonic() + seconds, secrets.token_urlsafe(16)
    rows = CalendarAccount.objects.filter(condition, pk=account_id)
    lease_until = now + timedelta(seconds=seconds * _LEASE_PART)
    if not rows.update(lease=lease, lease_until=lease_until):
        return None
    calendars = _CLAIMED.objects(account=account_id)
    account = (
        calendars[0].account
        if calendars
        else CalendarAccount.objects.select_related("user").get(pk=account_id)
    )
    return Claim(account, calendars, lease, until)


def read(claimed: Claim, *, now: datetime, is_brief: bool = False) -> bool:
    """Read the calendars of a claimed account, and say how that went. True if all were read.

    One that `is_brief` asks only for changes. If its time is too short, that is no fault of the
    server.
    """
    faults.point("calendar.claimed")
    account = claimed.account
    is_whole = account.whole_at is None or account.whole_at <= now - _WHOLE
    is_owed = is_whole and is_brief
    is_whole = is_whole and not is_brief
    errors: list[str] = []
    well: list[int] = []
    try:
        until = claimed.until - (1 - _ASKING_PART) * (claimed.until - time.monotonic())
        provider = providers.connect(account.provider, account.secret, until=until, policy=policy())
        if is_whole:
            discover(claimed, provider)
        # Those without a fault first: a brief reading may end at another one.
        for calendar in sorted(claimed.calendars, key=lambda each: bool(each.error)):
            try:
                _read_calendar(claimed, calendar, provider, is_whole, now)
                well.append(calendar.pk)
            except (ProviderError, Unreadable) as error:
                if is_brief and error.code in (_LATE, _INCOMPLETE):
                    return _give_back(claimed, now)
                errors.append(error.code)
                _note_error(claimed, calendar, error.code)
    except ProviderError as error:
        if is_brief and error.code == _LATE:
            return _give_back(claimed, now)
        errors.append(error.code)
        for calendar in claimed.calendars:
            _note_error(claimed, calendar, error.code)
    except (LeaseLost, AccountClosed):
        return False
    except Exception:
        log.exception("calendar_reading_broken", account=account.pk)
        errors.append("internal")
    faults.point("calendar.read")
    return _settle(claimed, errors, well=well, is_whole=is_whole, is_owed=is_owed, now=now)


def _give_back(claimed: Claim, now: datetime) -> bool:
    """End the lease of an account that was not read. It is due at once."""
    held = CalendarAccount.objects.filter(pk=claimed.account.pk, lease=claimed.lease)
    held.update(lease="", lease_until=None, due_at=now)
    return False


def discover(claimed: Claim, provider: Provider) -> None:
    """Take the names and rights of the account's calendars, and those that are new, as its own.

    A calendar that is missing stays: its reading says why.
    """
    found = provider.calendars()
    with transaction.atomic():
        lock(claimed.account.user_id)
        _hold(claimed)
        accounts.keep(claimed.account, found)


def window(now: datetime) -> Window:
    """Return the time in which entries are kept, in epoch seconds."""
    return Window(int((now - _BEFORE).timestamp()), int((now + _AFTER).timestamp()))


class _Etags(Mapping[str, str]):
    """The versions of a calendar's objects, which are looked up only if somebody asks."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    @cached_property
    def _values(self) -> Mapping[str, str]:
        return entries.etags(self._calendar)

    def __getitem__(self, href: str) -> str:
        return self._values[href]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _read_calendar(
    claimed: Claim, calendar: Calendar, provider: Provider, is_whole: bool, now: datetime
) -> None:
    """Read one calendar, and save what it says that is new."""
    token = "" if is_whole else calendar.token
    # A first reading that takes several attempts goes on where the last one ended.
    is_anew = is_whole and calendar.read_at is not None
    known = Known(token=token, etags={} if is_anew else _Etags(calendar))
    changes = provider.changes(calendar.href, known)
    says_nothing = not changes.items and not changes.gone and not changes.is_full
    if (
        says_nothing
        and not changes.unreadable
        and changes.token == calendar.token
        and not calendar.error
    ):
        return
    for readings in _batches(_expanded(claimed, calendar, item, now) for item in changes.items):
        if not _has_room(calendar):
            with transaction.atomic():
                _hold(claimed)
                if _drop_absent(calendar, changes, now):
                    doubted_at = calendar.doubted_at or now
                    Calendar.objects.filter(pk=calendar.pk).update(doubted_at=doubted_at)
            if not _has_room(calendar):
                raise Unreadable("too_many")
        with transaction.atomic():
            _hold(claimed)
            entries.save(calendar, readings)
        faults.point("calendar.batch")
    with transaction.atomic():
        _hold(claimed)
        is_doubted = _drop_absent(calendar, changes, now)
        values: dict[str, object] = {
            "token": "" if is_doubted else changes.token,
            "doubted_at": (calendar.doubted_at or now) if is_doubted else None,
        }
        if not changes.unreadable:
            values |= {"read_at": now, "error": ""}
        Calendar.objects.filter(pk=calendar.pk).update(**values)
    if changes.unreadable:
        raise Unreadable(_INCOMPLETE)


def _expanded(claimed: Claim, calendar: Calendar, item: RemoteItem, now: datetime) -> Reading:
    until = min(claimed.until, time.monotonic() + _SECONDS_OF_ITEM)
    owner = frozenset({claimed.account.user.email.lower()})
    uid = ""
    try:
        if len(item.text) > MOST_CHARACTERS:
            raise Unreadable("too_large")
        uid = expansion.uid_of(item.text)
        occurrences = expansion.expand(
            item.text, window=window(now), zone=calendar.zone, owner=owner, until=until
        )
    except Unreadable as error:
        if time.monotonic() >= claimed.until:  # the time of all, not of this one
            raise ProviderError(_LATE) from error
        return Reading(item.href, item.etag, uid, error=error.code)
    return Reading(item.href, item.etag, uid, occurrences)


def _batches(readings: Iterable[Reading]) -> Iterator[list[Reading]]:
    """Yield the readings in lists that one transaction takes well."""
    batch: list[Reading] = []
    count = 0
    for reading in readings:
        batch.append(reading)
        count += 1 + len(reading.occurrences)
        if count >= _BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _has_room(calendar: Calendar) -> bool:
    """Return whether the person has fewer entries than can be kept."""
    most = settings.LIMITS["calendar_entries"]
    return not most or entries.count_of(calendar.user_id) < most


def _hold(claimed: Claim) -> None:
    """Lock the account, if this worker still holds its lease. LeaseLost otherwise."""
    rows = CalendarAccount.objects.select_for_update(no_key=True)
    if not rows.filter(pk=claimed.account.pk, lease=claimed.lease).values_list("pk"):
        raise LeaseLost


def _drop_absent(calendar: Calendar, changes: Changes, now: datetime) -> bool:
    """Delete what is gone. Return whether so much is missing that a second reading must say so."""
    gone = {key_of(href) for href in changes.gone}
    is_doubted = False
    if changes.is_full:
        listed = {key_of(item.href) for item in changes.items} | set(map(key_of, changes.same))
        held = set(Item.objects.filter(calendar=calendar).values_list("key", flat=True))
        absent = held - listed - gone
        many = len(absent) > _DOUBTFUL_COUNT and len(absent) > _DOUBTFUL_PART * len(held)
        is_doubted = many and (
            calendar.doubted_at is None or calendar.doubted_at > now - _DOUBT_LASTS
        )
        if not is_doubted:
            gone |= absent
            if many:
                notices.emptied(calendar, gone=len(absent), now=now)
    if gone:
        entries.forget(calendar, keys=gone)
    return is_doubted


def _note_error(claimed: Claim, calendar: Calendar, code: str) -> None:
    rows = Calendar.objects.filter(pk=calendar.pk, account__lease=claimed.lease)
    rows.exclude(error=code).update(error=code)


def _settle(
    claimed: Claim,
    errors: Sequence[str],
    *,
    well: Sequence[int],
    is_whole: bool,
    is_owed: bool,
    now: datetime,
) -> bool:
    """Give the account back: when it is due again, and whether its owner must hear of it.

    An account of which some calendars were read, `well`, is read again as soon as usual. So is one
    that was read in part: the next reading asks for the rest. If a whole reading is owed, it is due
    at once.
    """
    account, at = claimed.account, timezone.now()
    held = CalendarAccount.objects.filter(pk=account.pk, lease=claimed.lease)
    values: dict[str, object] = {"lease": "", "lease_until": None}
    usual = settings.CALENDAR_READ_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311
    if not errors:
        due_at = at if is_owed else at + timedelta(seconds=usual)
        values |= {"due_at": due_at, "read_at": now}
        if is_whole:
            values["whole_at"] = now
        if account.state == CalendarAccount.State.OK:
            return bool(held.update(**values))
        values |= {"state": CalendarAccount.State.OK, "state_since": at, "error": "", "failures": 0}
        with transaction.atomic():
            if held.update(**values, told_at=None) and account.told_at:
                notices.recovered(account, now=at)
        return True
    is_refused = any(code in REFUSED for code in errors)
    state = CalendarAccount.State.REVOKED if is_refused else CalendarAccount.State.FAILING
    was_ok = account.state == CalendarAccount.State.OK
    since = at if was_ok else account.state_since
    failures = account.failures + 1
    delay = _DELAYS[min(failures, len(_DELAYS)) - 1]
    if well or _INCOMPLETE in errors:
        delay = int(usual)
        of_lease = Calendar.objects.filter(account__lease=claimed.lease)
        of_lease.filter(pk__in=well).update(read_at=now)
        if is_whole:
            values["whole_at"] = now
    must_tell = account.told_at is None and failures >= _TELL_TRIES and since <= at - _TELL_AFTER
    values |= {
        "due_at": at + timedelta(seconds=delay),
        "state": state,
        "state_since": since,
        "error": errors[0],
        "failures": F("failures") + 1,
    }
    if must_tell:
        values["told_at"] = at
    with transaction.atomic():
        if held.update(**values) and must_tell:
            account.state, account.error = state, errors[0]
            notices.failing(account, now=at)
    return False

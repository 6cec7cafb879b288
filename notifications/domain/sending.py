"""Sending of notifications that are due: claimed, written, sent and settled in batches."""

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import structlog
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core.db import outbox
from core.db.crypto import sealed
from core.db.outbox import OutboxState
from core.ops import faults
from core.web.deadline import Deadline
from notifications.domain import choices, devices, kinds
from notifications.domain.channels import (
    AddressGone,
    Channel,
    ChannelError,
    EmailChannel,
    NotConfigured,
    PushChannel,
    Refused,
    Session,
)
from notifications.domain.kinds import Erased, Message, Untrue
from notifications.models import Notification

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

BATCH = 20
"""Messages of one session. A worker that dies may send as many again."""

CHANNELS: dict[str, Channel] = {
    Notification.Channel.EMAIL: EmailChannel(),
    Notification.Channel.PUSH: PushChannel(),
}

log = structlog.get_logger(__name__)


def due(channel: str, now: "datetime") -> "QuerySet[Notification, Notification]":
    """Return the notifications of this channel that are due and not leased."""
    rows = Notification.objects.filter(channel=channel, state=OutboxState.WAITING, due_at__lte=now)
    return rows.exclude(lease_until__gt=now)


def deliver(*, channel: str, until: float = math.inf) -> bool:
    """Claim the notifications of this channel that have waited longest; send and settle them.

    After `until`, by `time.monotonic()`, it begins no other one. False if there was nothing to
    claim. It reads the clock itself, since sending takes time.
    """
    rows = outbox.claim(
        Notification.objects.filter(channel=channel), now=timezone.now(), most=BATCH
    )
    if not rows:
        return False
    faults.point("notification.claimed")
    rows = _wanted(_to_active_people(rows))
    if channel == Notification.Channel.PUSH:
        rows = _one_row_a_device(rows)
    if rows:
        _send(CHANNELS[channel], rows, kinds.write(rows, now=timezone.now()), until)
    return True


def _to_active_people(rows: list[Notification]) -> list[Notification]:
    """Withdraw messages to deactivated people, and about them. Return the others."""
    people = {pk for row in rows for pk in (row.user_id, row.about_id) if pk is not None}
    users = get_user_model().objects.filter(pk__in=people, is_active=False)
    gone = set(users.values_list("pk", flat=True)) if people else set()
    pointless = [row for row in rows if gone & {row.user_id, row.about_id}]
    _withdraw(pointless, "deactivated")
    return [row for row in rows if row not in pointless] if pointless else rows


def _wanted(rows: list[Notification]) -> list[Notification]:
    """Withdraw messages that their recipients have switched off. Return the others."""
    unwanted = choices.unwanted(rows)
    _withdraw(unwanted, "switched off")
    return [row for row in rows if row not in unwanted] if unwanted else rows


def _withdraw(rows: Sequence[Notification], why: str) -> None:
    outbox.settle(rows, state=OutboxState.WITHDRAWN, now=timezone.now(), error=why)


def _one_row_a_device(rows: Sequence[Notification]) -> list[Notification]:
    """Replace each message for all devices of a person by one for each device, under its lease."""
    whole = [row for row in rows if not row.address]
    if not whole:
        return list(rows)
    found = devices.active_of({row.user_id for row in whole if row.user_id is not None})
    with transaction.atomic():
        held = Notification.objects.filter(
            pk__in=[row.pk for row in whole], lease=whole[0].lease, state=OutboxState.WAITING
        )
        still = set(held.select_for_update(no_key=True).values_list("pk", flat=True))
        parts = [
            _for_device(row, digest)
            for row in whole
            if row.pk in still
            for digest in found.get(row.user_id or 0, ())
        ]
        Notification.objects.bulk_create(parts)
        reached = {row.user_id for row in parts}
        held.filter(user__in=reached).delete()
    nowhere = [row for row in whole if row.user_id not in reached]
    _withdraw(nowhere, "no device")
    return [*(row for row in rows if row.address), *parts]


def _for_device(row: Notification, digest: str) -> Notification:
    part = Notification(
        channel=row.channel,
        kind=row.kind,
        content=sealed(row, "content"),
        is_written=row.is_written,
        user_id=row.user_id,
        about_id=row.about_id,
        address=digest,
        topic=row.topic,
        due_at=row.due_at,
        created_at=row.created_at,
        lease=row.lease,
        lease_until=row.lease_until,
    )
    part.send_by = row.send_by
    return part


def _send(
    channel: Channel,
    rows: Sequence[Notification],
    messages: Sequence[Message | Exception],
    until: float,
) -> None:
    """Send these messages in one session, before the end of their lease, and settle them."""
    limit = Deadline(rows[0].seconds_to_send())
    sent: list[Notification] = []
    failed: list[tuple[Notification, Exception, bool]] = []
    with limit, channel.session() as session:
        for row, message in zip(rows, messages, strict=True):
            if limit.passed:
                break
            try:
                _send_one(session, row, message)
            except Exception as error:
                failed.append((row, error, not limit.passed))
            else:
                sent.append(row)
            if time.monotonic() >= until:
                break
    if sent:
        faults.point("notification.sent")
    _surely(partial(outbox.settle, sent, state=OutboxState.SENT, now=timezone.now()))
    for row, failure, in_time in failed:
        _surely(partial(_end, row, failure, in_time=in_time))
    _surely(partial(outbox.give_back, rows[len(sent) + len(failed) :]))
    faults.point("notification.settled")


def _surely(settle: Callable[[], object]) -> None:
    """Settle rows, and try once more: what is not settled is sent again when its lease ends."""
    try:
        settle()
    except DatabaseError:
        log.exception("notifications_not_settled")
        connection.close_if_unusable_or_obsolete()
        settle()


def _send_one(session: Session, row: Notification, message: Message | Exception) -> None:
    if isinstance(message, Exception):
        raise message
    address = message.address
    if row.channel == Notification.Channel.PUSH:
        address = _token(row)
    session.send(address=address, content=message.content, message_id=row.message_id)


def _token(row: Notification) -> str:
    """Return the registration token of the device. It may be another person's by now."""
    token = devices.token_of(person_id=row.user_id, digest=row.address)
    if token is None:
        raise Untrue("no device")
    return token


def _end(row: Notification, error: Exception, *, in_time: bool) -> None:
    """Settle a row that was not sent, or put it back for a retry."""
    match error:
        case AddressGone():
            devices.deactivate(digest=row.address)
            state = OutboxState.FAILED
        case Refused():
            kinds.refused(row, now=timezone.now())
            state = OutboxState.FAILED
        case Erased():
            outbox.give_back([row])
            return
        case NotConfigured() | Untrue():
            state = OutboxState.WITHDRAWN
        case _:
            _retry(row, error, in_time=in_time)
            return
    log.info("notification_ended", id=row.pk, channel=row.channel, state=state, error=str(error))
    outbox.settle([row], state=state, now=timezone.now(), error=str(error))


def _retry(row: Notification, error: Exception, *, in_time: bool) -> None:
    """Schedule a retry. Every failure costs an attempt; otherwise the retries would never end."""
    if in_time and not isinstance(error, ChannelError):
        # A fault in our code or in a library.
        word = type(error).__name__
        log.error("notification_broken", id=row.pk, channel=row.channel, exc_info=error)
    else:
        # Once the connections are cut, a library may raise anything.
        word = str(error) if in_time else "timeout"
        log.warning("notification_delayed", id=row.pk, channel=row.channel, error=word)
    delay = row.DELAYS[row.attempts] if row.attempts < len(row.DELAYS) else None
    outbox.retry_later(row, now=timezone.now(), error=word, delay=delay)

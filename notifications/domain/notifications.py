"""The Notification outbox: written with the fact it reports, sent by a worker.

The callers of `email` and `push` hold the transaction of the fact, and write the content. This
module knows only the recipient, and that the message must arrive.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.template.loader import render_to_string
from django.utils import timezone, translation

from core.db import outbox
from core.db.outbox import OutboxState
from core.ops import faults
from core.web.deadline import Deadline
from notifications.domain import devices
from notifications.domain.channels import (
    AddressGone,
    Channel,
    ChannelError,
    EmailChannel,
    EmailContent,
    NotConfigured,
    PersonGone,
    PushChannel,
    PushContent,
    Refused,
)
from notifications.models import Notification, PushDevice

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = structlog.get_logger(__name__)

ONCE = "once"
"""The topic of what is kept until it is sent, and no longer."""

CHANNELS: dict[str, Channel] = {
    Notification.Channel.EMAIL: EmailChannel(),
    Notification.Channel.PUSH: PushChannel(),
}


def render_email(name: str, context: Mapping[str, Any], *, language: str) -> EmailContent:
    """Render the three templates of `templates/emails/<name>/` in the reader's language."""
    values = {**context, "public_url": settings.PUBLIC_URL}

    def part(file: str) -> str:
        return render_to_string(f"emails/{name}/{file}", values).strip()

    with translation.override(language):
        values["subject"] = " ".join(part("subject.txt").split())
        return {
            "subject": values["subject"],
            "text": part("body.txt") + "\n",
            "html": part("body.html"),
        }


def email(
    *,
    address: str,
    kind: str,
    content: EmailContent,
    now: datetime,
    user: AbstractBaseUser | None = None,
    topic: str = "",
    due_at: datetime | None = None,
    about: AbstractBaseUser | None = None,
) -> None:
    """Enqueue an email, for now or for `due_at`.

    It is not sent if `user`, or the person whom it is `about`, is deactivated by then.
    """
    shared = _Shared(kind, json.dumps(content), _pk(user), _pk(about), topic, due_at or now, now)
    _enqueue(Notification.Channel.EMAIL, [address], shared)


def push(
    *,
    user: AbstractBaseUser,
    kind: str,
    content: PushContent,
    now: datetime,
    topic: str = "",
    due_at: datetime | None = None,
    about: AbstractBaseUser | None = None,
) -> None:
    """Enqueue a push message to each active device of this person, one row a device.

    See `email`.
    """
    active = PushDevice.objects.filter(user=user.pk, is_active=True).order_by("pk")
    shared = _Shared(kind, json.dumps(content), _pk(user), _pk(about), topic, due_at or now, now)
    _enqueue(Notification.Channel.PUSH, list(active.values_list("digest", flat=True)), shared)


@dataclass(frozen=True)
class _Shared:
    """The columns that all rows of one message share."""

    kind: str
    content: str
    user_id: int | None
    about_id: int | None
    topic: str
    due_at: datetime
    created_at: datetime


def _pk(person: AbstractBaseUser | None) -> int | None:
    return person.pk if person else None


def _enqueue(channel: str, addresses: Sequence[str], shared: _Shared) -> None:
    Notification.objects.bulk_create(
        Notification(channel=channel, address=address, **vars(shared)) for address in addresses
    )
    if addresses and shared.due_at <= shared.created_at:
        outbox.hint("notifications.tasks.deliver", channel)


def withdraw(*, topic: str, now: datetime) -> int:
    """Withdraw the notifications of a topic that have not been sent. Return how many."""
    return outbox.withdraw(Notification.objects.filter(topic=topic), now=now)


def forget(*, topics: Collection[str]) -> None:
    """Delete the notifications of these topics.

    Pending ones are still sent, and deleted after that.
    """
    rows = Notification.objects.filter(topic__in=topics)
    rows.exclude(state=OutboxState.WAITING).delete()
    rows.update(topic=ONCE)


def due(channel: str, now: datetime) -> "QuerySet[Notification, Notification]":
    """Return the notifications of this channel that are due and not leased."""
    rows = Notification.objects.filter(channel=channel, state=OutboxState.WAITING, due_at__lte=now)
    return rows.exclude(lease_until__gt=now)


def deliver(*, channel: str | None = None) -> bool:
    """Claim the first notification that is due, of this channel or of any; send and settle it.

    False if there was nothing to claim. It reads the clock itself, since sending takes time.
    """
    rows = Notification.objects.all()
    claimed = outbox.claim(
        rows.filter(channel=channel) if channel else rows, now=timezone.now(), most=1
    )
    if not claimed:
        return False
    [row] = claimed
    faults.point("notification.claimed")
    limit = Deadline(row.seconds_to_send())
    try:
        with limit:
            CHANNELS[row.channel].send(
                address=_address(row), content=row.content, message_id=row.message_id
            )
    except AddressGone as error:
        devices.deactivate(digest=row.address)
        _end(row, OutboxState.FAILED, error)
    except Refused as error:
        _end(row, OutboxState.FAILED, error)
    except (NotConfigured, PersonGone) as error:
        _end(row, OutboxState.WITHDRAWN, error)
    except Exception as error:
        _retry(row, error, in_time=not limit.passed)
    else:
        faults.point("notification.sent")
        outbox.settle([row], state=OutboxState.SENT, now=timezone.now())
        faults.point("notification.settled")
    return True


def _address(row: Notification) -> str:
    """Return the address to which the channel sends this row.

    PersonGone if a person is deactivated. AddressGone for a device that was removed meanwhile.
    """
    people = [pk for pk in (row.user_id, row.about_id) if pk is not None]
    if people and get_user_model().objects.filter(pk__in=people, is_active=False).exists():
        raise PersonGone("deactivated")
    if row.channel == Notification.Channel.EMAIL:
        return row.address
    device = PushDevice.objects.filter(digest=row.address).first()
    if device is None:
        raise AddressGone("removed")
    return device.token


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


def _end(row: Notification, state: OutboxState, error: ChannelError) -> None:
    log.info("notification_ended", id=row.pk, channel=row.channel, state=state, error=str(error))
    outbox.settle([row], state=state, now=timezone.now(), error=str(error))

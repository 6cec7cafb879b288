"""Notifications that wait, as a worker would write and send them."""

import json
from datetime import datetime
from typing import Any

import time_machine
from django.core import mail as post
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet

from accounts.models import User
from notifications.domain import kinds, notifications, sending
from notifications.domain.channels import EmailContent
from notifications.models import Notification
from scheduling.models import Booking, Guest


def rows(channel: str = "", **which: Any) -> list[Notification]:
    """Return the notifications that somebody can receive, in the order in which they were made.

    Those that remind of a request are left out unless their kind is named.
    """
    found: QuerySet[Notification, Notification] = Notification.objects.filter(**which)
    if not {"kind", "kind__in"} & which.keys():
        found = found.exclude(kind__endswith="unanswered")
    if channel:
        found = found.filter(channel=channel)
    return [row for row in found.order_by("id") if row.channel == "email" or digests(row)]


def digests(row: Notification) -> list[str]:
    """Return the devices that a push message is for."""
    if row.address:
        return [row.address]
    assert row.user is not None
    return list(row.user.devices.filter(is_active=True).values_list("digest", flat=True))


def address_of(row: Notification) -> str:
    """Return where a message goes: an email address, or the digest of the first device."""
    if row.channel == "push":
        return digests(row)[0]
    if row.address or row.user:
        return row.address or row.user.email  # type: ignore[union-attr]
    facts = json.loads(row.content)
    if facts["to"] == "guest":
        return Guest.objects.get(pk=facts["guest"]).email
    return Booking.objects.get(pk=facts["id"]).invitee_email


def content_of(row: Notification) -> dict[str, Any]:
    """Return the content of a message, written when it is due. It may not hold any more."""
    facts: dict[str, Any] = json.loads(row.content)
    if row.is_written:
        return facts
    writer = kinds.writer_of(row.kind)
    found = writer.find([facts["id"]])[facts["id"]]
    return dict(writer.write(row.kind, found, facts, now=row.due_at).content)


def send() -> None:
    """Send all that is due."""
    for channel in sending.CHANNELS:
        while sending.deliver(channel=channel):
            pass


def posted() -> list[EmailMultiAlternatives]:
    """Return the emails that Django has sent in this test, in order."""
    return [message for message in post.outbox if isinstance(message, EmailMultiAlternatives)]


def sent(at: datetime) -> dict[str, EmailMultiAlternatives]:
    """Send all that is due at this moment. Return the last email to each address."""
    post.outbox.clear()
    with time_machine.travel(at, tick=False):
        send()
    return {message.to[0]: message for message in posted()}


def mail(address: str, *, now: datetime, user: User | None = None) -> Notification:
    """Enqueue a mail that says nothing."""
    content: EmailContent = {"subject": "s", "text": "t", "html": "h"}
    row = notifications.written("test", content, address=address, user=user)
    notifications.enqueue([row], now=now)
    return row

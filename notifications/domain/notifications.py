"""The Notification outbox: written with the fact it reports, sent by a worker (see `sending`).

The callers hold the transaction of the fact. They give kind and facts, never a text.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.template.loader import render_to_string
from django.utils import timezone, translation

from core.db import outbox
from core.db.inserting import insert
from core.db.outbox import OutboxState
from notifications.domain import kinds
from notifications.domain.channels import EmailContent
from notifications.domain.kinds import Facts, Message
from notifications.models import Notification

ONCE = "once"
"""The topic of what is kept until it is sent, and no longer."""


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


def named(name: str, address: str) -> str:
    """Return an email address with a name, as a header of a mail has it. Empty if it cannot."""
    text = str(Address(name, addr_spec=address))
    return text if parseaddr(text)[1] == address else ""


def email(
    kind: str,
    facts: Facts,
    *,
    user: AbstractBaseUser | None = None,
    address: str = "",
    topic: str = "",
) -> Notification:
    """Return an email for `enqueue`, which is due at once unless the caller sets `due_at`.

    It goes to `address`, or else to where the writer of this kind says.
    """
    return Notification(
        channel=Notification.Channel.EMAIL,
        kind=kind,
        content=json.dumps(facts),
        user_id=user.pk if user else None,
        address=address,
        topic=topic,
    )


def push(kind: str, facts: Facts, *, user: AbstractBaseUser, topic: str = "") -> Notification:
    """Return a push message for `enqueue`, to the devices that this person has when it is due."""
    row = email(kind, facts, user=user, topic=topic)
    row.channel = Notification.Channel.PUSH
    return row


def written(
    kind: str,
    content: EmailContent,
    *,
    address: str,
    user: AbstractBaseUser | None = None,
    topic: str = "",
) -> Notification:
    """Return an email for `enqueue` whose text is known now and could not be written later."""
    row = email(kind, dict(content), user=user, address=address, topic=topic)
    row.is_written = True
    return row


def later(
    *rows: Notification, due_at: datetime, topic: str, about_id: int | None = None
) -> Sequence[Notification]:
    """Put these messages off until `due_at`, under another topic.

    They are not sent if the person whom they are about is deactivated by then.
    """
    for row in rows:
        row.due_at, row.topic, row.about_id = due_at, topic, about_id
    return rows


def enqueue(rows: Sequence[Notification], *, now: datetime) -> None:
    """Put these messages into the outbox, with one statement and one hint."""
    for row in rows:
        row.created_at = now
        row.due_at = row.due_at or now
    if rows:
        insert(*rows)
    for channel in dict.fromkeys(row.channel for row in rows if row.due_at <= now):
        outbox.hint("notifications.tasks.deliver", channel)


def withdraw(*, topic: str, now: datetime) -> int:
    """Withdraw the notifications of a topic that have not been sent. Return how many."""
    return outbox.withdraw(Notification.objects.filter(topic=topic), now=now)


def forget(*, topics: Collection[str]) -> None:
    """Delete the notifications of these topics.

    Pending ones are still sent, and deleted after that. They are written now, so the caller forgets
    what they tell afterwards. A worker that has claimed one gives it back (`kinds.Erased`).
    """
    rows = Notification.objects.filter(topic__in=topics)
    rows.exclude(state=OutboxState.WAITING).delete()
    waiting = list(rows.select_for_update(no_key=True).order_by("pk"))
    if not waiting:
        return
    kept = []
    for row, message in zip(waiting, kinds.write(waiting, now=timezone.now()), strict=True):
        if isinstance(message, Message):
            row.content, row.is_written = json.dumps(message.content), True
            row.address, row.topic = message.address, ONCE
            kept.append(row)
    Notification.objects.bulk_update(kept, ["content", "is_written", "address", "topic"])
    rows.delete()

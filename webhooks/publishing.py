"""How other floors tell an owner's webhooks that something has happened."""

from collections.abc import Mapping
from datetime import datetime

from accounts.models import User
from config import outbox
from config.api.rendering import dumps, instant
from webhooks.models import Delivery, Webhook, WebhookEvent, new_message_id


def publish(*, owner: User, type_: str, data: Mapping[str, object], now: datetime) -> None:
    """Enqueue this event for each active webhook of the owner that wants it.

    In the caller's transaction, the one of the fact. `data` is the object as its GET answers. The
    body is written once: every attempt, to whichever webhook, sends the same bytes.
    """
    active = Webhook.objects.visible_to(owner).filter(status=Webhook.Status.ACTIVE)
    # Locked, so that none is deleted or stopped before this commits.
    active = active.select_for_update(no_key=True).order_by("pk")
    # Which are subscribed is read here and not asked of the database: not every one can.
    wanted = [pk for pk, events in active.values_list("pk", "events") if type_ in events]
    if not wanted:
        return
    event = write_event(owner=owner, type_=type_, data=data, now=now)
    for pk in wanted:
        enqueue(webhook_id=pk, event=event, now=now)


def write_event(
    *, owner: User, type_: str, data: Mapping[str, object], now: datetime
) -> WebhookEvent:
    message_id = new_message_id()
    body = dumps({"id": message_id, "type": type_, "timestamp": instant(now), "data": data})
    return WebhookEvent.objects.create(
        message_id=message_id, owner=owner, type=type_, body=body.decode(), created_at=now
    )


def enqueue(*, webhook_id: int, event: WebhookEvent, now: datetime) -> Delivery:
    delivery = Delivery.objects.create(
        webhook_id=webhook_id, event=event, due_at=now, created_at=now
    )
    outbox.hint("webhooks.tasks.deliver", webhook_id)
    return delivery

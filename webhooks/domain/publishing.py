"""Publishing of events to an owner's webhooks, called by other apps."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import orjson
from django.db import transaction

from accounts.models import User
from core.api.rendering import dumps, instant
from core.db import outbox
from core.db.outbox import OutboxState
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent, new_message_id


def publish(
    *, owner: User, type_: str, topic: str, data: Mapping[str, object], now: datetime
) -> None:
    """Enqueue this event for each active webhook of the owner that subscribes to it.

    Call it in the transaction of the fact. `data` is the object as its GET answers, and `topic` is
    the caller's name for it. The body is written once, so every attempt to every webhook sends the
    same bytes. Webhooks of a deactivated account receive nothing.
    """
    active = Webhook.objects.visible_to(owner).filter(
        status=Webhook.Status.ACTIVE, owner__is_active=True
    )
    # Locked, so that none is deleted or stopped before this commits.
    active = active.select_for_update(no_key=True, of=("self",)).order_by("pk")
    # Subscriptions are compared here: not every database can search a JSON list.
    wanted = [pk for pk, events in active.values_list("pk", "events") if type_ in events]
    if not wanted:
        return
    event = write_event(owner=owner, type_=type_, topic=topic, data=data, now=now)
    enqueue(webhook_ids=wanted, event=event, now=now)


def write_event(
    *, owner: User, type_: str, data: Mapping[str, object], now: datetime, topic: str = ""
) -> WebhookEvent:
    message_id = new_message_id()
    body = dumps({"id": message_id, "type": type_, "timestamp": instant(now), "data": data})
    return WebhookEvent.objects.create(
        message_id=message_id,
        owner=owner,
        type=type_,
        topic=topic,
        body=body.decode(),
        created_at=now,
    )


@transaction.atomic
def forget(*, topics: Collection[str], blanks: Mapping[str, object]) -> None:
    """Forget what webhooks received about these topics.

    Settled events are deleted with their deliveries. A pending event is still sent, but `blanks`
    replaces the values of these names in its object. The stored answers to its earlier attempts are
    emptied, since they may repeat the values.
    """
    events = WebhookEvent.objects.filter(topic__in=topics)
    concerned = Delivery.objects.filter(event__topic__in=topics)
    # Locked, as by all that settles a delivery or sends it again.
    webhooks = Webhook.objects.filter(pk__in=concerned.order_by().values("webhook"))
    list(webhooks.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    waiting = concerned.order_by().filter(state=OutboxState.WAITING).values("event")
    events.exclude(pk__in=waiting).delete()
    for event in events:
        told = orjson.loads(event.body)
        event.body = dumps(told | {"data": told["data"] | blanks}).decode()
        event.save(update_fields=["body"])
    Attempt.objects.filter(delivery__event__topic__in=topics).update(response_body="")


def enqueue(*, webhook_ids: Sequence[int], event: WebhookEvent, now: datetime) -> list[Delivery]:
    """Write a delivery for each of these webhooks of one account, with one statement and one hint.

    The turn that the hint begins goes on to the account's other webhooks.
    """
    rows = [Delivery(webhook_id=pk, event=event, due_at=now, created_at=now) for pk in webhook_ids]
    outbox.hint("webhooks.tasks.deliver", webhook_ids[0])
    return Delivery.objects.bulk_create(rows)

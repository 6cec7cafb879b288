"""Publishing of events to their owners' webhooks, called by other apps."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from core.api.rendering import dumps, precise_instant
from core.db import outbox
from core.db.crypto import is_readable
from core.db.outbox import OutboxState
from core.db.prepared import Prepared
from webhooks.domain import numbering
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent, new_message_id

Data = Mapping[str, object]


def _active(**owners: object) -> "QuerySet[Webhook, Any]":
    """Select the webhooks of these owners, locked: none is deleted or stopped before the commit."""
    of_them = reduce(or_, (Q(owner=owner) for owner in owners.values()))
    rows = Webhook.objects.filter(of_them, status=Webhook.Status.ACTIVE, owner__is_active=True)
    rows = rows.select_for_update(no_key=True, of=("self",)).order_by("pk")
    return rows.values_list("owner_id", "pk", "events")


_ACTIVE = Prepared[Webhook](_active)


def publish(
    *,
    owners: Collection[User],
    types: Sequence[str],
    topic: str,
    data: Callable[[], Data],
    now: datetime,
) -> None:
    """Enqueue these events, in this order, for each active webhook that subscribes to them.

    Call it once in the transaction of the fact, with all people who hear of it. `data` makes the
    object as its GET answers; it is not called if nobody subscribes. `topic` is the caller's name
    for the object. A body is written once, so every attempt to every webhook of the owner sends the
    same bytes. Webhooks of a deactivated account receive nothing.
    """
    rows = _ACTIVE.rows(**{f"owner_{number}": owner.pk for number, owner in enumerate(owners)})
    # Subscriptions are compared here: not every database can search a JSON list.
    subscribed = {
        (owner, type_): [pk for of, pk, events in rows if of == owner and type_ in events]
        for owner in sorted({owner for owner, _pk, _events in rows})
        for type_ in types
    }
    wanted = {key: pks for key, pks in subscribed.items() if pks}
    if not wanted:
        return
    events = write_events(wanted=list(wanted), topic=topic, data=data(), now=now)
    enqueue(wanted=list(zip(events, wanted.values(), strict=True)), now=now)


def write_events(
    *, wanted: Sequence[tuple[int, str]], data: Data, now: datetime, topic: str = ""
) -> list[WebhookEvent]:
    """Write an event for each owner (by number) and type. All hold the same object."""
    owners = [owner for owner, _type in wanted]
    numbers = numbering.take({owner: owners.count(owner) for owner in owners})
    events = []
    for owner, type_ in wanted:
        event = WebhookEvent(
            message_id=new_message_id(), owner_id=owner, type=type_, topic=topic, created_at=now
        )
        envelope = {
            "id": event.message_id,
            "type": type_,
            "timestamp": precise_instant(now),
            "owner_sequence": numbers[owner],
            "data": data,
        }
        event.body = dumps(envelope).decode()
        numbers[owner] += 1
        events.append(event)
    return WebhookEvent.objects.bulk_create(events)


@transaction.atomic
def forget(*, topics: Collection[str], blanks: Callable[[dict[str, Any]], Data]) -> None:
    """Forget what webhooks received about these topics.

    Settled events are deleted with their deliveries. A pending event is still sent, but values of
    its object are replaced by those that `blanks` returns for it. One that no key opens cannot be
    sent, and is deleted. The stored answers to earlier attempts are emptied, since they may repeat
    the values.
    """
    events = WebhookEvent.objects.filter(topic__in=topics)
    concerned = Delivery.objects.filter(event__topic__in=topics)
    # Locked, as by all that settles a delivery or sends it again.
    webhooks = Webhook.objects.filter(pk__in=concerned.order_by().values("webhook"))
    list(webhooks.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    waiting = concerned.order_by().filter(state=OutboxState.WAITING).values("event")
    events.exclude(pk__in=waiting).only("pk").delete()  # without loading the bodies
    for event in events:
        if not is_readable(event, "body"):
            event.delete()
            continue
        told = orjson.loads(event.body)
        event.body = dumps(told | {"data": told["data"] | blanks(told["data"])}).decode()
        event.save(update_fields=["body"])
    Attempt.objects.filter(delivery__event__topic__in=topics).update(response_body="")


def enqueue(
    *, wanted: Sequence[tuple[WebhookEvent, Sequence[int]]], now: datetime
) -> list[Delivery]:
    """Write the deliveries of these events to these webhooks, with one statement and one hint."""
    rows = [
        Delivery(webhook_id=pk, event=event, due_at=now, created_at=now)
        for event, webhooks in wanted
        for pk in webhooks
    ]
    outbox.hint("webhooks.tasks.deliver")
    return Delivery.objects.bulk_create(rows)

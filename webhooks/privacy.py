"""Personal data in webhooks: export, erasure and retention. See `core.people.privacy`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Exists, OuterRef, Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.db.crypto import is_readable
from core.people import privacy
from core.people.privacy import BATCH, File, Outdated, json_file
from core.text.links import cut_links
from webhooks.models import Attempt, Delivery, OwnerCounter, Webhook, WebhookEvent

# Of an event: no delivery of it is kept.
_UNTOLD = ~Exists(Delivery.objects.filter(event=OuterRef("pk")))


def export(*, person_id: int, now: datetime) -> Iterator[File]:
    yield json_file(
        "webhooks.json",
        _("Your webhooks, without their secrets and the values of their headers."),
        (_webhook(webhook) for webhook in Webhook.objects.filter(owner=person_id)),
    )
    yield json_file(
        "webhook_events.json",
        _("Deliveries to your webhooks, with their results."),
        _events(person_id),
    )


def _webhook(webhook: Webhook) -> dict[str, Any]:
    names = (
        "uuid",
        "name",
        "url",
        "events",
        "status",
        "disabled_reason",
        "timeout_seconds",
        "max_retries",
        "verify_ssl",
        "created_at",
        "updated_at",
    )
    told = {name: getattr(webhook, name) for name in names}
    headers = webhook.headers if is_readable(webhook, "sealed_headers") else {}
    return told | {"headers": sorted(headers)}


def _events(person_id: int) -> Iterator[dict[str, Any]]:
    rows = WebhookEvent.objects.filter(owner=person_id).order_by("pk")
    webhooks = Prefetch("deliveries__webhook", Webhook.objects.only("uuid"))
    for event in rows.prefetch_related(webhooks).iterator(BATCH):
        deliveries = [
            {
                "uuid": delivery.uuid,
                "webhook": delivery.webhook.uuid,
                "state": delivery.state,
                "attempts": delivery.attempts,
                "created_at": delivery.created_at,
                "settled_at": delivery.settled_at,
            }
            for delivery in event.deliveries.all()
        ]
        # Links that act for their reader are left out, as in notifications.
        body = cut_links(orjson.loads(event.body)) if is_readable(event, "body") else None
        yield {"body": body, "deliveries": deliveries}


def consequences(*, person_id: int, now: datetime) -> Iterator[str]:
    count = Webhook.objects.filter(owner=person_id).count()
    if count:
        yield ngettext(
            "%(count)d webhook is deleted with its log, and receives nothing more.",
            "%(count)d webhooks are deleted with their logs, and receive nothing more.",
            count,
        ) % {"count": count}


def erase(*, person_id: int, now: datetime) -> None:
    """Delete webhooks, events and counter of this person, pending deliveries included."""
    webhooks = Webhook.objects.filter(owner=person_id).order_by("pk")
    # Locked as in `services.delete`: settling a delivery waits for this, or this waits for it.
    list(webhooks.select_for_update().values_list("pk"))
    WebhookEvent.objects.filter(owner=person_id).delete()
    OwnerCounter.objects.filter(owner=person_id).delete()
    webhooks.order_by().delete()


def outdated(*, now: datetime) -> Iterator[Outdated]:
    """Yield old attempts, deliveries and events. A pending delivery is kept with its event."""
    since = privacy.kept_since("attempts", now)
    if since is None:
        return
    yield Outdated(Attempt.objects.filter(at__lte=since), by="at")
    settled = Delivery.objects.filter(settled_at__lte=since)
    yield Outdated(settled, by="settled_at", forget=_forget_deliveries)
    # Those whose deliveries have gone with their webhook. Asked for in one query with the age, they
    # could cost PostgreSQL a look at every delivery.
    old = WebhookEvent.objects.filter(created_at__lte=since)
    yield Outdated(old.filter(_UNTOLD), by="created_at", among=old)


def _forget_deliveries(keys: list[int]) -> None:
    """Delete these deliveries, and the events of which they were the last."""
    events = set(Delivery.objects.filter(pk__in=keys).order_by().values_list("event", flat=True))
    privacy.delete(Delivery, keys)
    last = WebhookEvent.objects.filter(_UNTOLD, pk__in=events).values_list("pk", flat=True)
    privacy.delete(WebhookEvent, list(last))

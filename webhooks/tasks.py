"""Celery tasks that deliver to webhooks."""

from time import monotonic

from celery import shared_task
from django.utils import timezone

from core.db import outbox
from core.ops import shares
from webhooks.domain import delivery
from webhooks.models import Webhook

# After this time other work may have the thread. It also bounds how long a worker takes to stop.
_TURN_SECONDS = 5.0
# Hints of a sweep, for proven endpoints and for others: more than workers can take before the next.
_HINTS_PER_SWEEP = 64


@shared_task
def deliver(webhook_id: int) -> None:
    """Deliver to this webhook, then to others of its account, one after the other, for a turn.

    A hint about new rows, the sweep, or the end of another turn calls it.
    """
    owners = Webhook.objects.filter(pk=webhook_id).values_list("owner_id", flat=True)
    owner_id = owners.first()
    if owner_id is None:
        return
    with shares.held(delivery.account_share(owner_id)) as is_held:
        has_sent = is_held and _take_turn(owner_id, webhook_id)
    if has_sent and (waiting := delivery.next_of_another_account()) is not None:
        # A hint that found no free place was dropped. Now there is one, before the next sweep.
        outbox.send_hint("webhooks.tasks.deliver", waiting)


def _take_turn(owner_id: int, webhook_id: int | None) -> bool:
    """Deliver until the turn is over or nothing is due. Return whether anything was sent."""
    until, done, has_sent = monotonic() + _TURN_SECONDS, set[int](), False
    while webhook_id is not None:
        if monotonic() >= until:
            outbox.send_hint("webhooks.tasks.deliver", webhook_id)  # the rest is for another turn
            break
        if delivery.deliver(webhook_id=webhook_id):
            has_sent = True
        else:
            done.add(webhook_id)
            webhook_id = delivery.next_of_account(owner_id, besides=done)
    return has_sent


@shared_task
def sweep_deliveries() -> None:
    """Start turns for due deliveries and for those that a dead worker left.

    It does not send itself.
    """
    for webhook_id in delivery.hand_out(timezone.now(), most=_HINTS_PER_SWEEP):
        outbox.send_hint("webhooks.tasks.deliver", webhook_id)

"""What the workers do for this floor."""

from time import monotonic

from celery import shared_task
from django.db.models import Count
from django.utils import timezone

from config import outbox
from webhooks import delivery

# A turn of one webhook's; then others may have the thread.
_TURN_SECONDS = 20.0


@shared_task
def deliver(webhook_id: int) -> None:
    """The hint that there is something to tell this webhook: one after the other, for a while."""
    until = monotonic() + _TURN_SECONDS
    while delivery.deliver(webhook_id=webhook_id) and monotonic() < until:
        pass


@shared_task
def sweep_deliveries() -> None:
    """Hand out what is due and what a dead worker left, webhook by webhook.

    Sending waits for others, so it is not done here, one after the other.
    """
    due = delivery.due(timezone.now()).order_by()
    counts = due.values_list("webhook_id").annotate(waiting=Count("pk"))
    for webhook_id, waiting in counts:
        for _place in range(min(waiting, delivery.AT_ONCE)):
            outbox.hint("webhooks.tasks.deliver", webhook_id)

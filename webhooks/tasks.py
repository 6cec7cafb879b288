"""Celery tasks that deliver to webhooks."""

from contextvars import Context

from celery import shared_task
from django.utils import timezone

from core.db import outbox
from webhooks.domain import dispatch

# At least as many as there are processes for deliveries, so that each of them looks.
_HINTS_PER_SWEEP = 16


@shared_task
def deliver(_webhook_id: int = 0) -> None:
    """Send what is due to any webhook, unless this process is at it already.

    A hint about new rows, or the sweep, calls it. A hint may name a webhook, but all are looked at.
    """
    # In an empty context: it works for everybody, so its log lines and traces name no request.
    Context().run(dispatch.dispatcher.run)


@shared_task
def sweep_deliveries() -> None:
    """Have due deliveries sent, and those that a dead worker left.

    It does not send itself. It gives a hint for each delivery, up to a limit.
    """
    for _hint in range(dispatch.due(timezone.now()).order_by()[:_HINTS_PER_SWEEP].count()):
        outbox.send_hint("webhooks.tasks.deliver")

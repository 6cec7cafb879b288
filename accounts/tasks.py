"""What the workers do for this floor."""

import time

from celery import shared_task

from accounts import notifications

# A sweep hands over to the next one after this long, so that beat's rhythm sets the pace.
_SWEEP_SECONDS = 20.0


@shared_task
def deliver_notification(pk: int) -> None:
    """The hint that a notification was written."""
    notifications.deliver(pk=pk)


@shared_task
def sweep_notifications() -> None:
    """Send what is due and what a dead worker left."""
    until = time.monotonic() + _SWEEP_SECONDS
    while time.monotonic() < until and notifications.deliver():
        pass

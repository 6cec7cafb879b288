"""What the workers do for this floor."""

import time

from celery import shared_task
from django.utils import timezone

from core.db import outbox
from core.ops import shares
from notifications.domain import notifications

# Then others may have the thread. It also bounds how long a worker takes to stop.
_TURN_SECONDS = 5.0
# Of the threads for mail: a channel whose servers hang leaves the rest to the other one.
_CHANNEL_PART = 0.75
# At least as many as one worker has threads for mail.
_HINTS_PER_SWEEP = 16


@shared_task
def deliver(channel: str) -> None:
    """Send what is due by this channel, one after the other, for a turn.

    Called by a hint that something was written, or by the sweep.
    """
    limits = {f"channel {channel}": shares.places(shares.MAIL, _CHANNEL_PART)}
    with shares.held(limits) as is_held:
        until = time.monotonic() + _TURN_SECONDS
        while is_held and notifications.deliver(channel=channel):
            if time.monotonic() >= until:
                outbox.hint("notifications.tasks.deliver", channel)  # the rest is for another turn
                break


@shared_task
def sweep_notifications() -> None:
    """Hand out what is due and what a dead worker left, channel by channel.

    Sending waits for others, so it is not done here. Each row is a turn, up to a bound.
    """
    now = timezone.now()
    for channel in notifications.CHANNELS:
        waiting = notifications.due(channel, now)[:_HINTS_PER_SWEEP].count()
        for _turn in range(waiting):
            outbox.hint("notifications.tasks.deliver", channel)

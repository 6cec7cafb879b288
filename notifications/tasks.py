"""Celery tasks that send notifications."""

import time
from math import ceil

from celery import shared_task
from django.utils import timezone

from core.db import outbox
from core.ops import shares
from notifications.domain import sending

# After this time other work may have the thread. It also bounds how long a worker takes to stop.
_TURN_SECONDS = 5.0
# Part of the mail threads for one channel. If its servers hang, the other one has the rest.
_CHANNEL_PART = 0.75
# At least as many as one worker has threads for mail.
_HINTS_PER_SWEEP = 16


@shared_task
def deliver(channel: str) -> None:
    """Send the notifications of this channel that are due, batch after batch, for a turn.

    A hint about new rows, or the sweep, calls it.
    """
    limits = {f"channel {channel}": shares.places(shares.MAIL, _CHANNEL_PART)}
    with shares.held(limits) as is_held:
        until = time.monotonic() + _TURN_SECONDS
        while is_held and sending.deliver(channel=channel, until=until):
            if time.monotonic() >= until:
                # The rest is for another turn.
                outbox.send_hint("notifications.tasks.deliver", channel)
                break


@shared_task
def sweep_notifications() -> None:
    """Start turns for due rows, and for rows that a dead worker left, channel by channel.

    It does not send itself, because sending waits for other servers. It starts one turn for each
    batch of rows, up to a limit.
    """
    now = timezone.now()
    for channel in sending.CHANNELS:
        waiting = sending.due(channel, now)[: _HINTS_PER_SWEEP * sending.BATCH].count()
        for _turn in range(ceil(waiting / sending.BATCH)):
            outbox.send_hint("notifications.tasks.deliver", channel)

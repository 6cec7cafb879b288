"""Celery tasks that serve every app."""

import time
from collections.abc import Sequence

from celery import Task, shared_task
from django.utils import timezone

from core.db import outbox
from core.people import privacy

# Of each minute (`CELERY_BEAT_SCHEDULE`), so that the thread is free for other sweeps in the rest.
RETAIN_SECONDS = 30.0


# Of the plain class: it waits for nobody, so it needs no place, and without one it would be lost.
@shared_task(base=Task)
def hand_on(hints: Sequence[Sequence[int | str]]) -> None:
    """Send on the hints of one transaction, each to the queue of its task."""
    for task, *args in hints:
        outbox.send_hint(str(task), *args)


@shared_task
def retain() -> None:
    """Forget data that is older than its retention time, for `RETAIN_SECONDS` at most."""
    privacy.retain(now=timezone.now(), until=time.monotonic() + RETAIN_SECONDS)

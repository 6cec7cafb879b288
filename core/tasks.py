"""Celery tasks that serve every app."""

from collections.abc import Sequence

from celery import shared_task
from django.utils import timezone

from core.db import outbox
from core.people import privacy


@shared_task
def hand_on(hints: Sequence[Sequence[int | str]]) -> None:
    """Send on the hints of one transaction, each to the queue of its task."""
    for task, *args in hints:
        outbox.send_hint(str(task), *args)


@shared_task
def retain() -> None:
    """Forget data that is older than its retention time."""
    privacy.retain(now=timezone.now())

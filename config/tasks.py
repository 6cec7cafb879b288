"""What the workers do for every floor."""

from celery import shared_task
from django.utils import timezone

from config import outbox, privacy


@shared_task
def retain() -> None:
    """Forget what is older than it is kept."""
    privacy.retain(now=timezone.now())


@shared_task
def hand_out(task: str, *ids: int) -> None:
    """Hint at each of these rows, in place of the request that has written them."""
    for pk in ids:
        outbox.hint(task, pk)

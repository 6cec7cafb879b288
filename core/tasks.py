"""What the workers do for every floor."""

from celery import shared_task
from django.utils import timezone

from core.people import privacy


@shared_task
def retain() -> None:
    """Forget what is older than it is kept."""
    privacy.retain(now=timezone.now())

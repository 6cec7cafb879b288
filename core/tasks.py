"""Celery tasks that serve every app."""

from celery import shared_task
from django.utils import timezone

from core.people import privacy


@shared_task
def retain() -> None:
    """Forget data that is older than its retention time."""
    privacy.retain(now=timezone.now())

"""Tasks that the workers run for meeting requests."""

from celery import shared_task
from django.utils import timezone

from meetings.domain import services
from meetings.models import MeetingRequest
from scheduling.domain import lifecycle


@shared_task
def sweep_meetings() -> None:
    """Record which requests have expired and which meetings have taken place."""
    now = timezone.now()
    lifecycle.sweep(
        MeetingRequest.objects.all(),
        lambda row: services.record_overdue(meeting=row, now=now),
        now=now,
    )

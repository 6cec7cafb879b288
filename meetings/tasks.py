"""What the workers do for this floor."""

from celery import shared_task
from django.utils import timezone

from core.errors import InvalidTransition
from meetings.domain import services
from meetings.models import MeetingRequest

_BATCH = 200


@shared_task
def sweep_meetings() -> None:
    """Write down which requests have expired and which meetings have taken place."""
    now = timezone.now()
    for meeting in MeetingRequest.objects.overdue(now).order_by("start", "id")[:_BATCH]:
        try:
            services.record_overdue(meeting=meeting, now=now)
        except InvalidTransition:
            continue  # somebody, or another sweep, moved it meanwhile

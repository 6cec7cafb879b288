"""Webhook events about meetings, for both people."""

from datetime import datetime

from django.utils import translation

from meetings.domain.readings import MeetingSerializer
from meetings.models import MeetingRequest
from scheduling.models.enums import Change
from webhooks.domain import publishing


def publish(meeting: MeetingRequest, change: Change, *, now: datetime) -> None:
    """Publish in the caller's transaction; the event holds the meeting as the API shows it."""
    with translation.override("en"):  # in whatever language the page is
        data = MeetingSerializer(meeting).data
    # In ascending order, since publishing locks their webhooks.
    for owner in sorted((meeting.requester, meeting.recipient), key=lambda person: person.pk):
        publishing.publish(
            owner=owner, type_=f"meeting.{change.value}", topic=meeting.topic, data=data, now=now
        )

"""Meetings as other programs hear of them: webhooks and own calendars of both people."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import translation

from accounts.models import User
from calendars.domain import publishing as outside
from meetings.domain.readings import MeetingSerializer
from meetings.models import MeetingRequest
from scheduling.models.enums import STANDING, Change, Status
from webhooks.domain import publishing


def publish(meeting: MeetingRequest, change: Change, *, now: datetime) -> None:
    """Publish in the caller's transaction; the event holds the meeting as the API shows it."""
    shown = outside.Shown("meeting", meeting.pk, meeting.calendar_uid, meeting.end)
    verb = outside.put if meeting.status in STANDING else outside.remove
    verb(shown, owners=[meeting.requester_id, meeting.recipient_id], now=now)
    publishing.publish(
        owners=[meeting.requester, meeting.recipient],
        types=[f"meeting.{change.value}"],
        topic=meeting.topic,
        data=lambda: _shown(meeting),
        now=now,
    )


def sample(*, owner: User, now: datetime) -> Mapping[str, Any]:
    """Return a meeting that does not exist, as the API would show it to its recipient."""
    start = now + timedelta(days=1)
    return _shown(
        MeetingRequest(
            id=0,
            booking_number=f"MTG-{now:%Y%m%d}-000",
            requester_id=0,
            recipient=owner,
            team_id=0,
            timezone=str(owner.zone),
            link="https://example.com/meet",
            start=start,
            end=start + timedelta(hours=1),
            status=Status.CONFIRMED,
            created_at=now,
            updated_at=now,
        )
    )


def _shown(meeting: MeetingRequest) -> Mapping[str, Any]:
    with translation.override("en"):  # in whatever language the page is
        return MeetingSerializer(meeting).data

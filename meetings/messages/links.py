"""Signed links in emails. An answer link is good for one person, one meeting and one `sequence`."""

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import NotFound
from meetings.models import MeetingRequest
from scheduling.messages.links import load

_SALT = "meetings.answer"


def pending_url() -> str:
    """Return the URL of the page that lists what waits for the signed-in person."""
    return f"{settings.PUBLIC_URL}/meetings?tab=pending-meeting"


def meeting_url(meeting: MeetingRequest) -> str:
    return settings.PUBLIC_URL + reverse("meetings:meeting", args=[meeting.pk])


def answer_url(meeting: MeetingRequest) -> str:
    """Return the URL where the recipient answers this meeting without signing in."""
    token = signing.dumps([meeting.pk, meeting.recipient_id, meeting.sequence], salt=_SALT)
    return settings.PUBLIC_URL + reverse("meetings:answer", args=[token])


def read_answer(token: str) -> tuple[MeetingRequest, User, int]:
    """Return the meeting, who may answer it and the `sequence` they saw; or NotFound."""
    meeting_id, person_id, sequence = load(token, _SALT)
    answerable = MeetingRequest.objects.with_people().filter(recipient__is_active=True)
    meeting = answerable.filter(pk=meeting_id, recipient=person_id).first()
    if meeting is None:
        raise NotFound(_("This meeting is no longer here."))
    return meeting, meeting.recipient, sequence

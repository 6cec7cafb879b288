"""Texts of the messages about meetings, written when they are sent."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.text import times, zones
from meetings.messages import entries, links
from meetings.models import MeetingRequest
from meetings.models.enums import Role
from notifications.domain import kinds, notifications
from notifications.domain.channels import EmailContent, PushContent
from notifications.domain.kinds import Facts, Message
from scheduling.domain import facts as facts_
from scheduling.models.enums import Method, Status

_EMAILS = (
    "meeting_requested",
    "meeting_confirmed",
    "meeting_rejected",
    "meeting_cancelled",
    "meeting_expired",
    "meeting_reminder",
    "meeting_unanswered",
)
# They ask for an answer.
_REQUESTS = ("meeting_requested", "meeting-created", "meeting_unanswered", "meeting-unanswered")
# The specification of the request has its time in UTC too.
_IN_UTC = ("meeting_requested", "meeting_unanswered")
_PUSHED = {
    "meeting-created": (
        _("MEETING ALERT"),
        _("%(name)s requested a meeting with you. Click to Confirm or Reject."),
    ),
    "meeting-confirmed": (_("Meeting confirmed"), _("%(name)s confirmed your meeting.")),
    "meeting-rejected": (_("Meeting declined"), _("%(name)s declined your meeting.")),
    "meeting-cancelled": (_("Meeting cancelled"), _("%(name)s cancelled your meeting.")),
    "meeting-expired": (
        _("Request expired"),
        _("The meeting request with %(name)s was not answered in time."),
    ),
    "meeting-completed": (
        _("Meeting completed"),
        _("Your meeting with %(name)s has taken place."),
    ),
    "meeting-unanswered": (
        _("Not answered yet"),
        _("%(name)s needs your answer: the meeting would start %(lead)s."),
    ),
    "meeting-reminder": (
        _("Meeting reminder"),
        _("Your meeting with %(name)s starts %(lead)s."),
    ),
}
"""Title and usual text of push messages, by kind."""
_CANCELLED_BY = {
    Role.STAFF.value: _("The organisers cancelled your meeting."),
    Role.TEAM.value: _("The request ended: %(name)s and you are not in the same team now."),
}


class MeetingWriter(kinds.Writer):
    """Writes the messages about meetings, to both people."""

    def find(self, ids: Collection[int]) -> Mapping[int, MeetingRequest]:
        return MeetingRequest.objects.with_people().in_bulk(ids)

    def check(self, kind: str, found: MeetingRequest, facts: Facts, *, now: datetime) -> None:
        if "until" in facts:
            facts_.check_reminder(found, facts, now=now)
        if kind in _REQUESTS:
            facts_.check_request(found, facts, now=now)

    def write(self, kind: str, found: MeetingRequest, facts: Facts, *, now: datetime) -> Message:
        meeting = facts_.as_of(found, facts)
        person = meeting.requester if facts["to"] == meeting.requester_id else meeting.recipient
        with translation.override(person.mail_language):
            if kind in _PUSHED:
                return Message("", _push(meeting, person, kind, facts, now))
            return Message(person.email, _email(meeting, person, kind, facts, now))


def _push(
    meeting: MeetingRequest, person: User, kind: str, facts: Facts, now: datetime
) -> PushContent:
    url = links.pending_url() if kind in _REQUESTS else links.meeting_url(meeting)
    title, usual = _PUSHED[kind]
    words = _CANCELLED_BY.get(facts.get("by", ""), usual)
    values = {"name": meeting.other_party(person).name, "lead": times.lead(meeting.start - now)}
    return {
        "title": str(title),
        "body": str(words) % values,
        "data": {"type": kind, "meeting_id": str(meeting.pk), "url": url},
    }


def _email(
    meeting: MeetingRequest, person: User, kind: str, facts: Facts, now: datetime
) -> EmailContent:
    other = meeting.other_party(person)
    context = {
        "meeting": meeting,
        "person": person,
        "other": other,
        "name": other.name,
        "when": times.beginning(meeting.start, person),
        "date": times.date_of(meeting.start, person),
        "hours": times.hours(meeting.start, meeting.end, person),
        "zone": zones.in_words(person.zone),
        "utc_time": times.utc_span(meeting.start, meeting.end) if kind in _IN_UTC else "",
        "lead": times.lead(meeting.start - now),
        "shown_link": meeting.link if meeting.status == Status.PENDING else "",
        "join_url": meeting.link if meeting.status == Status.CONFIRMED else "",
        "meeting_url": links.meeting_url(meeting),
        "pending_url": links.pending_url(),
        "answer_url": links.answer_url(meeting),
        "by": _who(facts.get("by", "")),
        "reason": facts.get("reason", ""),
    }
    content = notifications.render_email(kind, context, language=person.mail_language)
    if method := facts.get("calendar"):
        stamp = facts_.moment(facts, "at")
        content["ics"] = entries.calendar_object(meeting, Method(method), stamp)
        content["ics_method"] = method
    if other.is_active:
        content["reply_to"] = notifications.named(other.name, other.email)
    return content


def _who(by: str) -> str:
    """Return who has acted, as the templates name them: you, the other, the team or staff."""
    return "other" if by in (Role.REQUESTER, Role.RECIPIENT) else by


kinds.register([*_EMAILS, *_PUSHED], MeetingWriter())

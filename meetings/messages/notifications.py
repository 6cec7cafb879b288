"""Messages about a change of a meeting, to the outbox in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from accounts.models import User
from core.text import times
from meetings.messages import links
from meetings.models import MeetingRequest
from meetings.models.enums import Role
from notifications.domain import notifications
from notifications.domain.channels import EmailContent, PushContent
from scheduling.domain.lifecycle import Step
from scheduling.messages import icalendar
from scheduling.messages.notifications import REMINDERS
from scheduling.models.enums import Change, Status

_STARTS = {
    "day": _("Your meeting with %(name)s starts in a day."),
    "minutes": _("Your meeting with %(name)s starts in 15 minutes."),
}


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
    "meeting-reminder": (_("Meeting reminder"), _STARTS["minutes"]),
}
"""Title and usual text of push messages, by kind."""


def requested(meeting: MeetingRequest, *, now: datetime) -> None:
    """Tell the recipient of the request, in the words that docs/contract.md promises."""
    recipient = meeting.recipient
    _email(meeting, recipient, "meeting_requested", now, answer_url=links.answer_url(meeting))
    _push(meeting, recipient, "meeting-created", now)


def _confirmed(meeting: MeetingRequest, step: Step[Role], was: Status) -> None:
    """Both get the entry for their calendar and two reminders; the requester gets a push."""
    now = step.now
    for person in _people(meeting):
        _email(meeting, person, "meeting_confirmed", now, ics=icalendar.Method.REQUEST)
        for lead, before in REMINDERS.items():
            if meeting.start - before > now:
                _remind(meeting, person, lead, meeting.start - before, now)
    _push(meeting, meeting.requester, "meeting-confirmed", now)


def _rejected(meeting: MeetingRequest, step: Step[Role], was: Status) -> None:
    _email(meeting, meeting.requester, "meeting_rejected", step.now, reason=step.reason)
    _push(meeting, meeting.requester, "meeting-rejected", step.now)


def _cancelled(meeting: MeetingRequest, step: Step[Role], was: Status) -> None:
    """The other person gets a message; a confirmed meeting also leaves both calendars."""
    actor, now = step.actor.user, step.now
    notifications.withdraw(topic=meeting.reminder_topic, now=now)
    ics = icalendar.Method.CANCEL if was == Status.CONFIRMED else None
    by, words = "staff", _("The organisers cancelled your meeting.")
    if step.actor.role is Role.TEAM:
        by, words = "team", _("The request ended: %(name)s and you are not in the same team now.")
    elif actor in _people(meeting):
        by, words = "other", _("%(name)s cancelled your meeting.")
    told = _people(meeting)
    if was == Status.PENDING and actor == meeting.requester:
        told = [meeting.recipient]
    for person in told:
        _email(
            meeting,
            person,
            "meeting_cancelled",
            now,
            ics=ics,
            by="you" if person == actor else by,
            reason=step.reason,
        )
        if person != actor:
            _push(meeting, person, "meeting-cancelled", now, words=words)


def _expired(meeting: MeetingRequest, step: Step[Role], was: Status) -> None:
    """Nobody caused it, so both get messages."""
    for person in _people(meeting):
        _email(meeting, person, "meeting_expired", step.now)
        _push(meeting, person, "meeting-expired", step.now)


def _completed(meeting: MeetingRequest, step: Step[Role], was: Status) -> None:
    """Send both people a push message only: they know that they were in a meeting."""
    for person in _people(meeting):
        _push(meeting, person, "meeting-completed", step.now)


_TOLD = {
    Change.CONFIRMED: _confirmed,
    Change.REJECTED: _rejected,
    Change.CANCELLED: _cancelled,
    Change.EXPIRED: _expired,
    Change.COMPLETED: _completed,
}


def moved(meeting: MeetingRequest, step: Step[Role], was: Status) -> None:
    """Tell people of a change of status."""
    _TOLD[step.change](meeting, step, was)


def _remind(
    meeting: MeetingRequest, person: User, lead: str, due_at: datetime, now: datetime
) -> None:
    _email(meeting, person, "meeting_reminder", now, due_at=due_at, lead=lead)
    _push(meeting, person, "meeting-reminder", now, words=_STARTS[lead], due_at=due_at)


def _people(meeting: MeetingRequest) -> list[User]:
    return [meeting.requester, meeting.recipient]


def _email(
    meeting: MeetingRequest,
    person: User,
    name: str,
    now: datetime,
    *,
    ics: icalendar.Method | None = None,
    due_at: datetime | None = None,
    **context: str,
) -> None:
    with translation.override(person.mail_language):
        content = _content(meeting, person, name, context)
        if ics:
            content["ics"] = _calendar_object(meeting, ics, now)
            content["ics_method"] = ics
    notifications.email(
        address=person.email,
        kind=name,
        content=content,
        now=now,
        user=person,
        topic=meeting.reminder_topic if due_at else meeting.topic,
        due_at=due_at,
        about=meeting.other_party(person) if due_at else None,
    )


def _content(
    meeting: MeetingRequest, person: User, name: str, context: Mapping[str, str]
) -> EmailContent:
    other = meeting.other_party(person)
    return notifications.render_email(
        name,
        {
            "meeting": meeting,
            "person": person,
            "other": other,
            "name": other.name,
            "local_time": times.span(meeting.start, meeting.end, person),
            "utc_time": times.utc_span(meeting.start, meeting.end),
            "meeting_url": links.meeting_url(meeting),
            "pending_url": links.pending_url(),
            **context,
        },
        language=person.mail_language,
    )


def _push(
    meeting: MeetingRequest,
    person: User,
    kind: str,
    now: datetime,
    *,
    words: StrPromise | None = None,
    due_at: datetime | None = None,
) -> None:
    data = {"type": kind, "meeting_id": str(meeting.pk), "url": links.pending_url()}
    if kind != "meeting-created":
        data["url"] = links.meeting_url(meeting)
    with translation.override(person.mail_language):
        title, usual = _PUSHED[kind]
        body = str(words or usual) % {"name": meeting.other_party(person).name}
        content: PushContent = {"title": str(title), "body": body, "data": data}
    notifications.push(
        user=person,
        kind=kind,
        content=content,
        now=now,
        topic=meeting.reminder_topic if due_at else meeting.topic,
        due_at=due_at,
        about=meeting.other_party(person) if due_at else None,
    )


def _calendar_object(meeting: MeetingRequest, method: icalendar.Method, now: datetime) -> str:
    names = {"one": meeting.requester.name, "other": meeting.recipient.name}
    return icalendar.render(
        icalendar.Entry(
            uid=f"{meeting.booking_number}@{settings.PUBLIC_HOST}",
            sequence=meeting.sequence,
            summary=gettext("Meeting: %(one)s and %(other)s") % names,
            description=f"{meeting.booking_number}\n{links.meeting_url(meeting)}",
            url=meeting.link,
            start=meeting.start,
            end=meeting.end,
            stamp=now,
        ),
        method=method,
        attendees=[icalendar.Person(person.name, person.email) for person in _people(meeting)],
    )

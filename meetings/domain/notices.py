"""Notices of a change of a meeting, to the outbox in the caller's transaction.

They say who hears of it and what. `meetings.messages.letters` writes the texts.
"""

from collections.abc import Iterator
from datetime import datetime

from accounts.models import User
from meetings.models import MeetingRequest
from meetings.models.enums import Role
from notifications.domain import notifications
from notifications.models import Notification
from scheduling.domain import facts
from scheduling.domain.lifecycle import Step
from scheduling.models.enums import Change, Method, Status


def requested(meeting: MeetingRequest, *, now: datetime) -> None:
    """Tell the recipient of the request, in the words that docs/contract.md promises."""
    recipient = meeting.recipient
    rows = [
        _email(meeting, recipient, "meeting_requested", now),
        _push(meeting, recipient, "meeting-created", now),
    ]
    due_at = facts.unanswered_at(meeting, now=now)
    if due_at is not None:
        rows += notifications.later(
            _email(meeting, recipient, "meeting_unanswered", now),
            _push(meeting, recipient, "meeting-unanswered", now),
            due_at=due_at,
            topic=meeting.reminder_topic,
        )
    notifications.enqueue(rows, now=now)


def moved(meeting: MeetingRequest, step: Step[Role], was: Status) -> None:
    """Tell people of a change of status. Both know it when a meeting has taken place: no email."""
    now, people = step.now, [meeting.requester, meeting.recipient]
    match step.change:
        case Change.CONFIRMED:
            rows = [*_confirmed(meeting, people, now)]
        case Change.REJECTED:
            asker = meeting.requester
            rows = [
                _email(meeting, asker, "meeting_rejected", now, reason=step.reason),
                _push(meeting, asker, "meeting-rejected", now),
            ]
        case Change.CANCELLED:
            notifications.withdraw(topic=meeting.reminder_topic, now=now)
            rows = [*_cancelled(meeting, people, step, was)]
        case Change.EXPIRED:  # nobody caused it, so both hear of it
            rows = [
                row
                for person in people
                for row in (
                    _email(meeting, person, "meeting_expired", now),
                    _push(meeting, person, "meeting-expired", now),
                )
            ]
        case _:
            rows = [_push(meeting, person, "meeting-completed", now) for person in people]
    notifications.enqueue(rows, now=now)


def _confirmed(
    meeting: MeetingRequest, people: list[User], now: datetime
) -> Iterator[Notification]:
    """Send both the entry for their calendar and the reminders; the requester gets a push."""
    for person in people:
        yield _email(meeting, person, "meeting_confirmed", now, calendar=Method.REQUEST)
        for due_at, until in facts.reminders(meeting, facts.USUAL_REMINDERS, now=now):
            yield from notifications.later(
                _email(meeting, person, "meeting_reminder", now, until=until),
                _push(meeting, person, "meeting-reminder", now, until=until),
                due_at=due_at,
                topic=meeting.reminder_topic,
                about_id=meeting.other_party(person).pk,
            )
    yield _push(meeting, meeting.requester, "meeting-confirmed", now)


def _cancelled(
    meeting: MeetingRequest, people: list[User], step: Step[Role], was: Status
) -> Iterator[Notification]:
    """Tell those who must hear of it; a confirmed meeting also leaves both calendars."""
    actor, now = step.actor.user, step.now
    by = meeting.role_of(actor) if actor in people else step.actor.role
    told = people
    if was == Status.PENDING and actor == meeting.requester:
        told = [meeting.recipient]
    for person in told:
        yield _email(
            meeting,
            person,
            "meeting_cancelled",
            now,
            calendar=Method.CANCEL if was == Status.CONFIRMED else "",
            by="you" if person == actor else by.value,
            reason=step.reason,
        )
        if person != actor:
            yield _push(meeting, person, "meeting-cancelled", now, by=by.value)


def _email(
    meeting: MeetingRequest, person: User, kind: str, now: datetime, **more: str
) -> Notification:
    return notifications.email(
        kind, facts.of(meeting, now=now, to=person.pk, **more), user=person, topic=meeting.topic
    )


def _push(
    meeting: MeetingRequest, person: User, kind: str, now: datetime, **more: str
) -> Notification:
    return notifications.push(
        kind, facts.of(meeting, now=now, to=person.pk, **more), user=person, topic=meeting.topic
    )

"""Personal data of meetings: its export and its erasure. See `core.people.privacy`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from calendars.domain import ledger
from calendars.domain import publishing as outside
from calendars.messages import icalendar
from core.people import privacy
from core.people.privacy import BATCH, File, Outdated, json_file
from meetings.domain import services
from meetings.models import HistoryEntry, MeetingRequest
from notifications.domain import notifications as outgoing
from scheduling.models.enums import OPEN, STANDING, Status
from webhooks.domain import publishing

# --- export -------------------------------------------------------------------------------------


def export(*, person_id: int, now: datetime) -> Iterator[File]:
    person = User.objects.get(pk=person_id)
    yield json_file(
        "meetings.json",
        _("Meetings that you requested or were invited to, with their history."),
        (
            _meeting(meeting, person, now)
            for meeting in _of(person).prefetch_related("history").iterator(BATCH)
        ),
    )
    standing = _of(person).filter(status__in=STANDING)
    if standing.exists():  # a calendar without an entry is none (RFC 5545, 3.6)
        yield File(
            "meetings.ics",
            _("Your confirmed and completed meetings."),
            icalendar.collection(
                _entry(meeting, person, now) for meeting in standing.iterator(BATCH)
            ),
        )


def _of(person: User) -> QuerySet[MeetingRequest, MeetingRequest]:
    return MeetingRequest.objects.visible_to(person).with_people().order_by("start", "pk")


def _meeting(meeting: MeetingRequest, person: User, now: datetime) -> dict[str, Any]:
    names = ("booking_number", "timezone", "link", "created_at", "updated_at")
    history = [
        {"status": each.to_status, "by": each.role, "at": each.at, "reason": each.reason}
        for each in meeting.history.all()
    ]
    return {
        "team": meeting.team.name,
        "with": meeting.other_party(person).name,
        "you_are": meeting.role_of(person),
        "start_time": meeting.start,
        "end_time": meeting.end,
        "status": meeting.status_at(now),
        **{name: getattr(meeting, name) for name in names},
        "history": history,
    }


def _entry(meeting: MeetingRequest, person: User, now: datetime) -> icalendar.Entry:
    return icalendar.Entry(
        uid=meeting.calendar_uid,
        organizer=meeting.organizer,
        sequence=meeting.sequence,
        summary=_("Meeting with %(name)s") % {"name": meeting.other_party(person).name},
        description=meeting.booking_number,
        url=meeting.link,
        start=meeting.start,
        end=meeting.end,
        stamp=now,
    )


# --- erasure ------------------------------------------------------------------------------------


def consequences(*, person_id: int, now: datetime) -> Iterator[str]:
    met = MeetingRequest.objects.visible_to(User.objects.get(pk=person_id))
    count = met.open_at(now).count()
    if count:
        yield ngettext(
            "%(count)d upcoming meeting is cancelled, and the other person gets an email.",
            "%(count)d upcoming meetings are cancelled, and the other people get an email.",
            count,
        ) % {"count": count}


def erase(*, person_id: int, now: datetime) -> None:
    person = User.objects.get(pk=person_id)
    met = MeetingRequest.objects.visible_to(person)
    standing = met.filter(status__in=OPEN).with_people().order_by("pk")
    standing = standing.select_for_update(of=("self",), no_key=True)
    # All at once and in order; who asks this person for another needs their lock too.
    sides = [{meeting.requester_id, meeting.recipient_id} for meeting in standing]
    ledger.lock_people({person_id}.union(*sides))
    for meeting in standing.all():  # read again, with requests that arrived meanwhile
        _end(meeting, person, now)
    for ids in privacy.batches(met.order_by("pk").values_list("pk", flat=True)):
        outgoing.forget(topics=MeetingRequest.topics_of(ids))
    for rows in privacy.batches(
        met.order_by("pk").values_list("calendar_uid", "requester", "recipient")
    ):
        # The other people's calendars name this person.
        people = {person for _uid, *both in rows for person in both}
        outside.renew([uid for uid, *_both in rows], owners=people - {person_id}, now=now)
    asked = met.filter(requester=person).exclude(link="")
    for ids in privacy.batches(asked.order_by("pk").values_list("pk", flat=True)):
        publishing.forget(topics=MeetingRequest.topics_of(ids), blanks=lambda _data: {"link": None})
    asked.update(link="")
    HistoryEntry.objects.filter(actor=person).exclude(reason="").update(reason="")


def _end(meeting: MeetingRequest, person: User, now: datetime) -> None:
    """End it as this person would: take back, decline or cancel; or record what time has ended."""
    status = meeting.status_at(now)
    if status not in OPEN:
        services.record_overdue(meeting=meeting, now=now)
    elif status is Status.PENDING and meeting.recipient == person:
        services.reject(meeting=meeting, actor=person, now=now)
    else:
        services.cancel(meeting=meeting, actor=person, now=now)


def outdated(*, now: datetime) -> Iterator[Outdated]:
    """Yield nothing: a meeting identifies its people only through their accounts."""
    yield from ()

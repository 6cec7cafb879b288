"""What becomes of meetings when somebody is deactivated or leaves. See `core.people.departures`."""

from contextlib import suppress
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import InvalidTransition
from core.people.departures import Coming
from meetings.domain import services
from meetings.models import MeetingQuerySet, MeetingRequest
from meetings.models.enums import Status


def coming(*, person_id: int, now: datetime, most: int) -> list[Coming]:
    return [
        Coming(
            name=_("%(number)s: %(requester)s with %(recipient)s")
            % {
                "number": meeting.booking_number,
                "requester": meeting.requester.name,
                "recipient": meeting.recipient.name,
            },
            start=meeting.start,
            url=reverse("admin:meetings_meetingrequest_change", args=[meeting.pk]),
        )
        for meeting in _open(person_id, now)[:most]
    ]


def call_off(*, person_id: int, staff_id: int, now: datetime, most: int) -> int:
    staff, count = User.objects.get(pk=staff_id), 0
    for meeting in _open(person_id, now)[:most]:
        with suppress(InvalidTransition):  # over by now
            services.cancel_as_staff(meeting=meeting, actor=staff, now=now)
            count += 1
    return count


def hold_team(*, person_id: int, team_id: int) -> None:
    waiting = _of(person_id).filter(team=team_id, status=Status.PENDING).order_by("pk")
    list(waiting.select_for_update(no_key=True).values_list("pk"))


def leave_team(*, person_id: int, team_id: int, now: datetime) -> None:
    waiting = _of(person_id).filter(team=team_id).in_status(Status.PENDING, now)
    for meeting in waiting.order_by("pk"):
        with suppress(InvalidTransition):  # answered meanwhile
            services.cancel_as_team(meeting=meeting, now=now)


def _open(person_id: int, now: datetime) -> MeetingQuerySet:
    own = _of(person_id)
    found = own.in_status(Status.PENDING, now) | own.in_status(Status.CONFIRMED, now)
    return found.with_people().order_by("start", "pk")


def _of(person_id: int) -> MeetingQuerySet:
    rows: MeetingQuerySet = MeetingRequest.objects.filter(
        Q(requester=person_id) | Q(recipient=person_id)
    )
    return rows

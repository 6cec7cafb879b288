"""Future meetings of somebody who is deactivated or leaves. See `core.people.departures`."""

from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core.people.departures import Coming
from meetings.domain import services
from meetings.models import MeetingQuerySet, MeetingRequest
from scheduling.domain import lifecycle
from scheduling.models.enums import Status


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
    staff = User.objects.get(pk=staff_id)
    return lifecycle.move_each(
        _open(person_id, now)[:most],
        lambda meeting: services.cancel_as_staff(meeting=meeting, actor=staff, now=now),
    )


def hold_team(*, person_id: int, team_id: int) -> None:
    waiting = _of(person_id).filter(team=team_id, status=Status.PENDING).order_by("pk")
    list(waiting.select_for_update(no_key=True).values_list("pk"))


def leave_team(*, person_id: int, team_id: int, now: datetime) -> None:
    waiting = _of(person_id).filter(team=team_id).in_status(Status.PENDING, now)
    lifecycle.move_each(
        waiting.order_by("pk"), lambda meeting: services.cancel_as_team(meeting=meeting, now=now)
    )


def _open(person_id: int, now: datetime) -> MeetingQuerySet:
    return _of(person_id).open_at(now).with_people().order_by("start", "pk")


def _of(person_id: int) -> MeetingQuerySet:
    rows: MeetingQuerySet = MeetingRequest.objects.filter(
        Q(requester=person_id) | Q(recipient=person_id)
    )
    return rows

"""Verbs of meeting requests: request, confirm, reject, cancel.

Each takes `now` (aware) and writes its change, history row and notifications in one transaction.
"""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain import teams, windows
from accounts.domain.windows import Window
from accounts.models import Team, User
from calendars.domain import freshness, ledger
from calendars.models import BusyTime
from core.db.retrying import retrying
from core.errors import Forbidden, Invalid, NotFound, TimeTaken
from core.ops import faults
from core.text.links import require_link
from meetings.domain import notices, numbering, publishing, when
from meetings.models import MeetingRequest
from meetings.models.enums import TRANSITIONS, Role
from scheduling.domain import lifecycle
from scheduling.domain.lifecycle import Actor, Step
from scheduling.models.enums import Change, Status
from scheduling.models.lifecycle import calendar_uid_of

DURATION = timedelta(hours=1)
_REQUESTS = Window(
    "meeting_requests",
    timedelta(days=1),
    gettext_lazy(
        "You can ask one person for %(count)d meetings a day. You can ask again from %(until)s."
    ),
)


def request_meeting(
    *,
    requester: User,
    team_id: int,
    recipient_id: int,
    date: str,
    link: str,
    now: datetime,
    is_limited: bool = False,
) -> MeetingRequest:
    """Ask a team mate for an hour from `date`, which is read in their zone (see `when.read`).

    NotFound for a team that the requester is not in, or a recipient who is not in it; Invalid for
    oneself, a date that cannot be read or has passed, and a link that is no http(s) URL; checked in
    this order, which docs/contract.md promises. The entries, that is the page and the API, ask for
    `is_limited`: Busy where the requester has asked this person as often as one can in a day.
    """
    team = Team.objects.visible_to(requester).filter(pk=team_id).first()
    if team is None:
        raise NotFound("team not found")
    recipient = team.members.filter(pk=recipient_id, is_active=True).first()
    if recipient is None:
        raise NotFound("user not found")
    if recipient == requester:
        raise Invalid(_("You cannot request a meeting with yourself."), field="user_id")
    start = start_of(date, recipient, now)
    require_link(link, field="link")

    def write() -> MeetingRequest:
        with transaction.atomic():
            people = ledger.lock_people([requester.pk, recipient.pk])
            if not all(person.is_active for person in people):  # any more
                raise NotFound("user not found")
            held = teams.hold(team_id=team_id, user=requester)
            if not held.memberships.filter(user=recipient).exists():
                raise NotFound("user not found")
            if is_limited:
                _require_room(requester, recipient, now)
            number = numbering.next_number(now)
            meeting = MeetingRequest.objects.create(
                booking_number=number,
                calendar_uid=calendar_uid_of(number),
                requester=requester,
                recipient=recipient,
                team=held,
                timezone=str(recipient.zone),
                start=start,
                end=start + DURATION,
                link=link,
                created_at=now,
                updated_at=now,
            )
            asked = Step(Change.CREATED, Actor(Role.REQUESTER, requester), now)
            lifecycle.record(meeting, asked)
            # Registered before the hints, so it runs before them.
            transaction.on_commit(partial(faults.point, "meeting.committed"))
            notices.requested(meeting, now=now)
            publishing.publish(meeting, Change.CREATED, now=now)
            faults.point("meeting.requested")
        return meeting

    return retrying(write)


def _require_room(requester: User, recipient: User, now: datetime) -> None:
    asked = MeetingRequest.objects.filter(requester=requester, recipient=recipient)
    asked = asked.filter(created_at__gt=now - _REQUESTS.length).order_by("-created_at")
    moments = asked.values_list("created_at", flat=True)
    windows.require_room(_REQUESTS, moments, now=now, reader=requester)


def start_of(date: str, recipient: User, now: datetime) -> datetime:
    """Return the start that a text names on the recipient's clock. Invalid if it has passed."""
    try:
        start = when.read(date, recipient.zone)
    except when.UnreadableDate as error:
        raise Invalid(str(error), field="date") from error
    if start <= now:
        raise Invalid(_("The date is in the past."), field="date")
    return start


def find(*, meeting_id: int, user: User) -> MeetingRequest:
    """Return a meeting that this person is a party to. Raise NotFound otherwise."""
    meeting = MeetingRequest.objects.visible_to(user).with_people().filter(pk=meeting_id).first()
    if meeting is None:
        raise NotFound("meeting not found")
    return meeting


def confirm(
    *,
    meeting: MeetingRequest,
    actor: User,
    now: datetime,
    sequence: int | None = None,
    over_calendar: bool = False,
) -> MeetingRequest:
    """Say yes for the recipient. Both people's time is claimed, or TimeTaken and nothing changes.

    Outside calendars of both that were not read lately are read first. A recipient who knows what
    their own calendar has at that time may say yes `over_calendar`. TimeTaken has the reason
    `calendar` where only that is in the way. PersonGone where the account of one of them is closed.
    """
    party, as_of = _party(meeting, actor), None
    if party.role is Role.RECIPIENT:
        as_of = freshness.freshen([meeting.requester_id, meeting.recipient_id], now=now)
    step = Step(Change.CONFIRMED, party, now, "", sequence, as_of)
    return _move(meeting, step, over_calendar_of=actor if over_calendar else None)


def reject(
    *,
    meeting: MeetingRequest,
    actor: User,
    now: datetime,
    reason: str = "",
    sequence: int | None = None,
) -> MeetingRequest:
    """Say no for the recipient."""
    return _move(meeting, Step(Change.REJECTED, _party(meeting, actor), now, reason, sequence))


def cancel(
    *, meeting: MeetingRequest, actor: User, now: datetime, reason: str = ""
) -> MeetingRequest:
    """Take a request back as its requester, or call a confirmed meeting off as either person."""
    return _move(meeting, Step(Change.CANCELLED, _party(meeting, actor), now, reason))


def cancel_as_staff(
    *, meeting: MeetingRequest, actor: User, now: datetime, reason: str = ""
) -> MeetingRequest:
    """Call any meeting off."""
    return _move(meeting, Step(Change.CANCELLED, Actor(Role.STAFF, actor), now, reason))


def cancel_as_team(*, meeting: MeetingRequest, now: datetime) -> MeetingRequest:
    """End a request because one of the two has left its team."""
    return _move(meeting, Step(Change.CANCELLED, Actor(Role.TEAM), now))


def record_overdue(*, meeting: MeetingRequest, now: datetime) -> MeetingRequest:
    """Record that time has expired or completed this meeting."""
    change = lifecycle.overdue_change(meeting, now)
    return _move(meeting, Step(change, Actor(Role.CLOCK), now))


def _party(meeting: MeetingRequest, user: User) -> Actor[Role]:
    return Actor(meeting.role_of(user), user)


def _move(
    meeting: MeetingRequest, step: Step[Role], over_calendar_of: User | None = None
) -> MeetingRequest:
    """Bring a meeting into the status that its change is named after.

    Forbidden where this role never makes such a change.
    """
    if not any(step.actor.role in roles for roles in TRANSITIONS[step.change].values()):
        raise Forbidden(_("Only the recipient can do that."))
    prepare = partial(_prepare, over_calendar_of=over_calendar_of)
    return lifecycle.move(meeting, step, prepare=prepare, announce=_announce)


def _prepare(
    locked: MeetingRequest, step: Step[Role], was: Status, *, over_calendar_of: User | None
) -> Status:
    """Claim both people's time for a confirmed meeting, or give it back."""
    to, people = Status(step.change.value), [locked.requester, locked.recipient]
    if to is Status.CONFIRMED:
        ledger.lock_active(people)
        locked.busy_times.set(
            [_claim(locked, each, over_blocking=each == over_calendar_of) for each in people]
        )
    elif was is Status.CONFIRMED and to is Status.CANCELLED:
        ledger.lock_people(person.pk for person in people)
        ledger.release(locked.busy_times.values_list("pk", flat=True))
    return to


def _claim(meeting: MeetingRequest, person: User, *, over_blocking: bool) -> BusyTime:
    """Claim the time of one of the two. The other learns nothing of the requester's calendar."""
    try:
        return ledger.claim(
            user=person, start=meeting.start, end=meeting.end, over_blocking=over_blocking
        )
    except TimeTaken as taken:
        if person == meeting.requester and taken.reason == "calendar":
            raise TimeTaken(_("That time is no longer free."), reason="busy") from None
        raise


def _announce(moved: MeetingRequest, step: Step[Role], was: Status) -> None:
    notices.moved(moved, step, was)
    publishing.publish(moved, step.change, now=step.now)
    faults.point("meeting.moved")

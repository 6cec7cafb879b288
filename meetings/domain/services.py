"""The doors through which a meeting request comes into being and moves on.

Every door takes `now` (aware), locks the meeting, then both people in ascending order, then the
ledger, and writes the state, its history row and the notifications in one transaction.
"""

from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain import teams, windows
from accounts.domain.windows import Window
from accounts.models import Team, User
from calendars.domain import ledger
from core.db.retrying import retrying
from core.errors import Forbidden, Invalid, InvalidTransition, NotFound
from core.ops import faults
from meetings.domain import numbering, when
from meetings.messages import notifications, publishing
from meetings.models import HistoryEntry, MeetingRequest
from meetings.models.enums import TRANSITIONS, Role, Status

DURATION = timedelta(hours=1)
_LINK_LENGTH = 1000
_REASON_LENGTH = 500
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
    start = _start(date, recipient, now)
    _check_link(link)

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
            meeting = MeetingRequest.objects.create(
                booking_number=numbering.next_number(now),
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
            _record(meeting, "", requester, Role.REQUESTER, "", now)
            # Registered before the hints are, so it comes to pass before them.
            transaction.on_commit(partial(faults.point, "meeting.committed"))
            publishing.publish(meeting, "created", now=now)
            notifications.requested(meeting, now=now)
            faults.point("meeting.requested")
        return meeting

    return retrying(write)


def _require_room(requester: User, recipient: User, now: datetime) -> None:
    asked = MeetingRequest.objects.filter(requester=requester, recipient=recipient)
    asked = asked.filter(created_at__gt=now - _REQUESTS.length).order_by("-created_at")
    moments = asked.values_list("created_at", flat=True)
    windows.require_room(_REQUESTS, moments, now=now, reader=requester)


def _start(date: str, recipient: User, now: datetime) -> datetime:
    try:
        start = when.read(date, recipient.zone)
    except when.UnreadableDate as error:
        raise Invalid(str(error), field="date") from error
    if start <= now:
        raise Invalid(_("The date is in the past."), field="date")
    return start


def _check_link(link: str) -> None:
    problem = Invalid(_("The link must be an http or https URL."), field="link")
    if not link:
        return
    try:
        parts = urlsplit(link)
        host = parts.hostname
        _port = parts.port
    except ValueError:
        raise problem from None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or len(link) > _LINK_LENGTH
        or any(ord(letter) <= 32 or ord(letter) == 127 for letter in link)
    ):
        raise problem


def find(*, meeting_id: int, user: User) -> MeetingRequest:
    """A meeting that this person is a party to, or NotFound."""
    meeting = MeetingRequest.objects.visible_to(user).with_people().filter(pk=meeting_id).first()
    if meeting is None:
        raise NotFound("meeting not found")
    return meeting


def confirm(
    *, meeting: MeetingRequest, actor: User, now: datetime, version: int | None = None
) -> MeetingRequest:
    """The recipient says yes: both people's time is claimed, or TimeTaken and nothing changes.

    PersonGone where the account of one of them is closed.
    """
    role = meeting.role_of(actor)
    return _move(meeting, Status.CONFIRMED, role, actor, now, version=version)


def reject(
    *,
    meeting: MeetingRequest,
    actor: User,
    now: datetime,
    reason: str = "",
    version: int | None = None,
) -> MeetingRequest:
    """The recipient says no."""
    role = meeting.role_of(actor)
    return _move(meeting, Status.REJECTED, role, actor, now, reason=reason, version=version)


def cancel(
    *, meeting: MeetingRequest, actor: User, now: datetime, reason: str = ""
) -> MeetingRequest:
    """The requester takes a request back, or either calls a confirmed meeting off."""
    return _move(meeting, Status.CANCELLED, meeting.role_of(actor), actor, now, reason=reason)


def cancel_as_staff(
    *, meeting: MeetingRequest, actor: User, now: datetime, reason: str = ""
) -> MeetingRequest:
    """Staff call a meeting off, whoever's it is."""
    return _move(meeting, Status.CANCELLED, Role.STAFF, actor, now, reason=reason)


def cancel_as_team(*, meeting: MeetingRequest, now: datetime) -> MeetingRequest:
    """End a request because one of the two has left its team."""
    return _move(meeting, Status.CANCELLED, Role.TEAM, None, now)


def record_overdue(*, meeting: MeetingRequest, now: datetime) -> MeetingRequest:
    """Write down that time has expired or completed this meeting."""
    return _move(meeting, meeting.status_at(now), Role.CLOCK, None, now)


def _move(
    meeting: MeetingRequest,
    to: Status,
    role: Role,
    actor: User | None,
    now: datetime,
    *,
    reason: str = "",
    version: int | None = None,
) -> MeetingRequest:
    """The one door of the state machine; `version` is the one that the actor saw, if it matters.

    The same move again by the same person changes nothing. Forbidden where this role never makes
    such a move; InvalidTransition where the map has none from the present status.
    """
    if len(reason) > _REASON_LENGTH:
        message = _("The reason is over %(count)d characters long.") % {"count": _REASON_LENGTH}
        raise Invalid(message, field="reason")
    if not any(role in movers.get(to, ()) for movers in TRANSITIONS.values()):
        raise Forbidden(_("Only the recipient can do that."))

    def write() -> MeetingRequest:
        with transaction.atomic():
            locked = _lock(meeting)
            present = Status(locked.status) if role is Role.CLOCK else locked.status_at(now)
            if present == to and _entered_by(locked, to) == (actor and actor.pk):
                return locked
            if role not in TRANSITIONS.get(present, {}).get(to, ()) or (
                version is not None and version != locked.version
            ):
                message = _("This meeting is %(status)s.") % {"status": present.label}
                raise InvalidTransition(message, reason=present)
            _keep_ledger(locked, present, to)
            locked.status = to
            locked.version += 1
            locked.updated_at = now
            locked.save(update_fields=["status", "version", "updated_at"])
            _record(locked, present, actor, role, reason, now)
            publishing.publish(locked, to, now=now)
            _notify(locked, present, to, role, actor, reason, now)
            faults.point("meeting.moved")
        return locked

    return retrying(write)


def _lock(meeting: MeetingRequest) -> MeetingRequest:
    rows = MeetingRequest.objects.with_people().select_for_update(of=("self",), no_key=True)
    return rows.get(pk=meeting.pk)


def _entered_by(meeting: MeetingRequest, status: Status) -> int | None:
    return meeting.history.filter(to_status=status).values_list("actor_id", flat=True).first()


def _keep_ledger(meeting: MeetingRequest, present: Status, to: Status) -> None:
    """A confirmed meeting holds both people's time; one that is called off gives it back."""
    people = [meeting.requester, meeting.recipient]
    if to == Status.CONFIRMED:
        ledger.lock_active(people)
        meeting.busy_times.set(
            [ledger.claim(user=p, start=meeting.start, end=meeting.end) for p in people]
        )
    elif present == Status.CONFIRMED and to == Status.CANCELLED:
        ledger.lock_people(person.pk for person in people)
        ledger.release(meeting.busy_times.values_list("pk", flat=True))


def _record(
    meeting: MeetingRequest,
    present: str,
    actor: User | None,
    role: Role,
    reason: str,
    now: datetime,
) -> None:
    HistoryEntry.objects.create(
        meeting=meeting,
        from_status=present,
        to_status=meeting.status,
        actor=actor,
        role=role,
        reason=reason,
        at=now,
    )


def _notify(
    meeting: MeetingRequest,
    was: Status,
    to: Status,
    role: Role,
    actor: User | None,
    reason: str,
    now: datetime,
) -> None:
    match to:
        case Status.CONFIRMED:
            notifications.confirmed(meeting, now=now)
        case Status.REJECTED:
            notifications.rejected(meeting, reason=reason, now=now)
        case Status.CANCELLED:
            notifications.cancelled(
                meeting, role=role, actor=actor, was=was, reason=reason, now=now
            )
        case Status.EXPIRED:
            notifications.expired(meeting, now=now)
        case Status.COMPLETED:
            notifications.completed(meeting, now=now)

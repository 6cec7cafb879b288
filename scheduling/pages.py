"""The pages behind the links in emails: an invitee's booking, and a host's answer to one."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts import clock
from config.errors import Conflict, NotFound, TimeTaken
from config.pages import SAFE, checked, limited, refusals_shown, unshared
from scheduling import availability, bookings, links
from scheduling.enums import TRANSITIONS, Change, Role, Status
from scheduling.forms import CancelForm, MoveForm, ReasonForm
from scheduling.models import Booking, EventType
from scheduling.notifications import Party, answers, parties

_WEEK = timedelta(days=7)

_STATUS_NAMES: dict[Role, dict[Status, Promise]] = {
    Role.INVITEE: {
        Status.PENDING: _("Waits for approval"),
        Status.CONFIRMED: _("Confirmed"),
        Status.REJECTED: _("Declined"),
        Status.CANCELLED: _("Cancelled"),
        Status.EXPIRED: _("Expired"),
        Status.COMPLETED: _("Completed"),
    }
}
_STATUS_NAMES[Role.HOST] = _STATUS_NAMES[Role.INVITEE] | {Status.PENDING: _("Waits for you")}


@dataclass(frozen=True)
class Card:
    """A booking as its invitee or its host sees it at a moment."""

    booking: Booking
    person: Party
    other: Party
    status: Status

    @property
    def is_host(self) -> bool:
        return self.person.role is Role.HOST

    @property
    def is_open(self) -> bool:
        return self.may(Change.CANCELLED)

    def may(self, change: Change) -> bool:
        return self.person.role in TRANSITIONS[change].get(self.status, ())

    @property
    def status_name(self) -> Promise:
        return _STATUS_NAMES[self.person.role][self.status]

    @property
    def title(self) -> str:
        what = {"what": self.booking.event_type.name, "name": self.other.name}
        return gettext("%(what)s with %(name)s") % what

    @property
    def answers(self) -> list[tuple[str, Any]]:
        return answers(self.booking)


def _card(booking: Booking, role: Role, now: datetime) -> Card:
    host, invitee = parties(booking)
    person, other = (host, invitee) if role is Role.HOST else (invitee, host)
    return Card(booking, person, other, booking.status_at(now))


@dataclass(frozen=True)
class Outcome:
    """How a booking stands, in a sentence, and the reason that somebody gave for it."""

    sentence: str
    reason: str = ""


_ASKED = _("%(name)s has been asked, and you will get an email with the answer.")
_TOO_OLD = _("It was moved since this link was sent. The newest email has a link to answer with.")
_BY_ITSELF = {
    Status.CONFIRMED: _("This booking is confirmed."),
    Status.EXPIRED: _("Its time came before an answer."),
    Status.COMPLETED: _("This booking has taken place."),
}
_BY_ME = {
    Status.REJECTED: _("You declined this booking."),
    Status.CANCELLED: _("You cancelled this booking."),
}
_BY_ANOTHER = {
    Status.REJECTED: _("%(name)s declined this booking."),
    Status.CANCELLED: _("%(name)s cancelled this booking."),
}


def _outcome(card: Card) -> Outcome:
    name = {"name": card.other.name}
    if card.status is Status.PENDING:
        return Outcome(str(_TOO_OLD if card.is_host else _ASKED) % name)
    if card.status in _BY_ITSELF:
        return Outcome(str(_BY_ITSELF[card.status]))
    step = card.booking.history.order_by("sequence").last()
    if step is None:  # history is written with what it tells of
        return Outcome(str(card.status_name))
    if step.role == card.person.role:
        return Outcome(str(_BY_ME[card.status]), step.reason)
    if step.role != card.other.role:
        # Who of the staff it was, is not for the two to know.
        name = {"name": gettext("The organisers")}
    return Outcome(str(_BY_ANOTHER[card.status]) % name, step.reason)


def _unmoved(error: Conflict) -> str:
    """Why a booking was not moved, to whoever wanted to move it."""
    if isinstance(error, TimeTaken):
        return gettext("%(why)s Nothing was changed; the times below are still open.") % {
            "why": error.message
        }
    return gettext(
        "Nothing was changed, because this booking has changed meanwhile. This is how it stands."
    )


def _broken(request: HttpRequest, error: NotFound) -> HttpResponse:
    return render(request, "scheduling/broken.html", {"why": error.message}, status=404)


# --- the invitee's page -------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """A start that is open: its epoch second, and its time on the reader's clock."""

    second: int
    time: str


@dataclass(frozen=True)
class Week:
    """Seven dates on the reader's clock, or fewer, and what is open on them.

    `earlier` and `later` are the first dates of the weeks beside it, where such can be offered.
    """

    first: date
    last: date
    days: list[tuple[date, list[Choice]]]
    earlier: date | None
    later: date | None


@unshared
@require_http_methods([*SAFE, "POST"])
@limited("ip", "600/m", SAFE)
@limited("ip", "30/m", ["POST"])
def manage(request: HttpRequest, token: str) -> HttpResponse:
    """What became of a booking; while it is open, its invitee moves or cancels it here.

    Only a POST changes anything, and nothing if the booking is no longer as its sender saw it. A
    broken link is 404. `?week=` is the first date to choose another time from.
    """
    try:
        booking = links.read_manage(token)
    except NotFound as error:
        return _broken(request, error)
    now = timezone.now()
    if request.method == "POST":
        return _managed(request, token, booking, now)
    card = _card(booking, Role.INVITEE, now)
    week = None
    if card.may(Change.RESCHEDULED):
        week = _week(card, request.GET.get("week", ""), now)
    return render(
        request, "scheduling/manage.html", {"card": card, "outcome": _outcome(card), "week": week}
    )


def _managed(request: HttpRequest, token: str, booking: Booking, now: datetime) -> HttpResponse:
    """Back to the page; where nothing was changed, to the week that was being looked at."""
    with refusals_shown(request, _unmoved):
        match request.POST.get("act"):
            case "move":
                messages.success(request, _move(request, booking, now))
                return redirect("scheduling:manage", token)
            case "cancel":
                messages.success(request, _cancel(request, booking, now))
                return redirect("scheduling:manage", token)
    return redirect(request.get_full_path())


def _move(request: HttpRequest, booking: Booking, now: datetime) -> str:
    wanted = checked(MoveForm(request.POST))
    moved = bookings.reschedule(
        booking=booking,
        start=availability.instant_of(wanted["start"]),
        actor=bookings.INVITEE,
        now=now,
        reason=wanted["reason"],
        sequence=wanted["sequence"],
    )
    if moved.status == Status.PENDING:
        name = {"name": moved.host.name}
        return gettext("Moved: %(name)s will be asked whether the new time suits.") % name
    return gettext("Moved: an email with the new time is on its way to you.")


def _cancel(request: HttpRequest, booking: Booking, now: datetime) -> str:
    wanted = checked(CancelForm(request.POST))
    cancelled = bookings.cancel(
        booking=booking,
        actor=bookings.INVITEE,
        now=now,
        reason=wanted["reason"],
        sequence=wanted["sequence"],
    )
    return gettext("Cancelled: %(name)s will hear of it.") % {"name": cancelled.host.name}


def _week(card: Card, wanted: str, now: datetime) -> Week:
    """The week that begins on the wanted date: today, if that is none or out of reach."""
    booking, zone = card.booking, card.person.zone
    event_type = EventType.objects.with_hours().get(pk=booking.event_type_id)
    today, furthest = now.astimezone(zone).date(), _furthest(event_type, zone, now)
    first = _date(wanted)
    if first is None or not today <= first <= furthest:
        first = today
    last = min(first + timedelta(days=6), furthest)
    slots = availability.slots_by_date(
        event_type, zone=zone, first=first, last=last, now=now, moving=booking
    )
    own = int(booking.start.timestamp())
    days = []
    for day, of_day in slots:
        starts = [slot.start for slot in of_day if not slot.reason and slot.start != own]
        if starts:
            days.append((day, _choices(starts, card.person)))
    return Week(
        first=first,
        last=last,
        days=days,
        earlier=max(first - _WEEK, today) if first > today else None,
        later=first + _WEEK if first + _WEEK <= furthest else None,
    )


def _furthest(event_type: EventType, zone: ZoneInfo, now: datetime) -> date:
    """The date on a clock in `zone` when the last date ends on which the host can be booked."""
    hours = event_type.host.weekly_availability
    day = now.astimezone(hours.zone).date() + timedelta(days=event_type.max_advance_booking)
    return datetime.combine(day, time.max, hours.zone).astimezone(zone).date()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _choices(starts: list[int], person: Party) -> list[Choice]:
    """Where the clock shows a time twice that day, it is told which one is meant."""
    moments = [datetime.fromtimestamp(start, person.zone) for start in starts]
    times = [clock.time(moment, person) for moment in moments]
    return [
        Choice(start, f"{text} {moment:%Z}" if times.count(text) > 1 else text)
        for start, moment, text in zip(starts, moments, times, strict=True)
    ]


# --- the host's answer --------------------------------------------------------------------------


@unshared
@require_http_methods([*SAFE, "POST"])
@limited("ip", "600/m", SAFE)
@limited("ip", "30/m", ["POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Approve or decline without signing in. Only a POST changes anything.

    A broken link is 404; one that is used or too old shows how things stand, which is no error.
    """
    try:
        booking, host, sequence = links.read_answer(token)
    except NotFound as error:
        return _broken(request, error)
    now = timezone.now()
    if request.method == "POST":
        actor = bookings.host(host)
        with refusals_shown(request, _unmoved):
            match request.POST.get("answer"):
                case "confirm":
                    bookings.confirm(booking=booking, actor=actor, now=now, sequence=sequence)
                case "reject":
                    reason = checked(ReasonForm(request.POST))["reason"]
                    bookings.reject(
                        booking=booking, actor=actor, now=now, reason=reason, sequence=sequence
                    )
        return redirect("scheduling:answer", token)
    card = _card(booking, Role.HOST, now)
    may_answer = card.may(Change.CONFIRMED) and sequence == booking.sequence
    outcome = None if may_answer else _outcome(card)
    return render(request, "scheduling/answer.html", {"card": card, "outcome": outcome})

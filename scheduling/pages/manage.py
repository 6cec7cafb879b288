"""Pages behind the link in an invitee's emails: see, reschedule or cancel a booking."""

from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import NotFound
from core.web.pages import SAFE, checked, limited, refusals_shown, unshared
from scheduling.domain import availability, bookings, erasure, limits
from scheduling.messages import calendar_links, links
from scheduling.messages.calendar_links import CalendarLink
from scheduling.messages.entries import calendar_object
from scheduling.messages.parties import parties
from scheduling.models import Booking
from scheduling.models.enums import Change, Method, Role, Status
from scheduling.pages.answer import broken
from scheduling.pages.cards import Card, card_of, outcome_of, unmoved
from scheduling.pages.client_limits import posted
from scheduling.pages.forms import CancelForm, MoveForm
from scheduling.pages.rescheduling import rescheduling_of


def _linked(
    view: Callable[[HttpRequest, str, Booking], HttpResponse],
) -> Callable[[HttpRequest, str], HttpResponse]:
    """Make a view of the booking behind a link.

    A broken link gets a page that says so, with 404.
    """

    @wraps(view)
    def linked(request: HttpRequest, token: str) -> HttpResponse:
        try:
            booking = links.read_manage(token)
        except NotFound as error:
            return broken(request, error)
        return view(request, token, booking)

    return linked


@unshared
@require_http_methods([*SAFE, "POST"])
@limited("ip", "600/m", SAFE)
@posted
@_linked
def manage(request: HttpRequest, token: str, booking: Booking) -> HttpResponse:
    """Show the state of a booking. While it is open, its invitee reschedules or cancels it here.

    Only a POST changes anything, and nothing if the booking has changed since its sender saw it.
    See `rescheduling_of` for how another time is chosen.
    """
    now = timezone.now()
    if request.method == "POST":
        return _managed(request, token, booking, now)
    card = card_of(booking, Role.INVITEE, now)
    moving = None
    if card.may(Change.RESCHEDULED):
        moving = rescheduling_of(request, card, now, page=request.path)
    context = {
        "card": card,
        "outcome": outcome_of(card),
        "moving": moving,
        "token": token,
        "calendars": calendars_of(card),
    }
    return render(request, "scheduling/manage.html", context)


@unshared
@require_safe
@limited("ip", "600/m", SAFE)
@_linked
def booked(request: HttpRequest, token: str, booking: Booking) -> HttpResponse:
    """Show a new booking, and how to put it into a calendar; later, go to the page to manage it."""
    card = card_of(booking, Role.INVITEE, timezone.now())
    if not card.is_open or card.is_host_gone:
        return redirect("scheduling:manage", token)
    context = {"card": card, "token": token, "calendars": calendars_of(card)}
    return render(request, "scheduling/booked.html", context)


@unshared
@require_safe
@limited("ip", "60/m", SAFE)
@_linked
def calendar(request: HttpRequest, token: str, booking: Booking) -> HttpResponse:
    """Return the entry for the invitee's calendar, as a file."""
    now = timezone.now()
    card = card_of(booking, Role.INVITEE, now)
    if not card.is_certain:
        return redirect("scheduling:manage", token)
    content = calendar_object(booking, Method.PUBLISH, card.person, now)
    name = f"{booking.event_type.slug}.ics"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


@unshared
@require_POST
@posted
@_linked
def erase(request: HttpRequest, token: str, booking: Booking) -> HttpResponse:
    """Erase the invitee. The link leads nowhere afterwards, so the answer is on another page."""
    erasure.erase_invitee(booking=booking, now=timezone.now())
    return redirect("scheduling:erased")


@require_safe
@limited("ip", "600/m", SAFE)
def erased(request: HttpRequest) -> HttpResponse:
    """Show that the invitee is erased. The page names nobody."""
    return render(request, "scheduling/erased.html")


def calendars_of(card: Card) -> list[CalendarLink]:
    """Return the links that add the booking to a web calendar; none before it is confirmed."""
    booking = card.booking
    if not card.is_certain:
        return []
    return calendar_links.links(
        title=card.title,
        start=booking.start,
        end=booking.end,
        details=links.manage_url(booking),
        location=card.join_url or booking.event_type.location_display,
    )


def _managed(request: HttpRequest, token: str, booking: Booking, now: datetime) -> HttpResponse:
    """Apply a POST and return to the page.

    If nothing was changed, return to the day that was shown.
    """
    with refusals_shown(request, unmoved):
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
    _host, invitee = parties(booking)
    moved = bookings.reschedule(
        booking=booking,
        start=availability.instant_of(wanted["start"]),
        actor=bookings.INVITEE,
        now=now,
        reason=wanted["reason"],
        sequence=wanted["sequence"],
        seen=wanted["terms"],
        admit=partial(
            limits.admit_move, booking=booking, role=Role.INVITEE, now=now, reader=invitee
        ),
    )
    if moved.status == Status.PENDING:
        name = {"name": moved.host.name}
        return gettext("Rescheduled. %(name)s has to approve the new time.") % name
    return gettext("Rescheduled. You get an email with the new time.")


def _cancel(request: HttpRequest, booking: Booking, now: datetime) -> str:
    wanted = checked(CancelForm(request.POST))
    cancelled = bookings.cancel(
        booking=booking,
        actor=bookings.INVITEE,
        now=now,
        reason=wanted["reason"],
        sequence=wanted["sequence"],
    )
    return gettext("Cancelled. %(name)s gets an email.") % {"name": cancelled.host.name}

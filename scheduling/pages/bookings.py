"""Bookings of the signed-in host: tab by tab, one by one, and the actions on them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.pages.signed_in import SignedIn
from calendars.domain import ledger
from calendars.models import BusyTime
from core.errors import TimeTaken
from core.text import times, zones
from core.web.csv_files import MOST_ROWS, csv_file, moment
from core.web.pages import (
    SAFE,
    action_view,
    checked,
    limited,
    own_address_or,
    page_of,
    refusals_shown,
    signed_in_at,
)
from scheduling.domain import availability, bookings, limits
from scheduling.models import Booking, EventType
from scheduling.models.enums import Change, Role, Status
from scheduling.pages.cards import Card, card_of, unmoved
from scheduling.pages.finding import FindBookingForm
from scheduling.pages.forms import CancelForm, MoveForm, NotesForm, SeenForm
from scheduling.pages.history import steps_of
from scheduling.pages.rescheduling import PARTS, rescheduling_of
from scheduling.pages.tabs import TABS, Row, tab_of, tab_page, wait

# Event types that a list can be narrowed to.
_MOST_KINDS = 200
# Rows of a file that are read at once.
_BATCH = 500


@require_safe
@login_required
def booking_list(request: SignedIn) -> HttpResponse:
    """Show one tab of the host's bookings. An unknown tab means the upcoming bookings."""
    now, every = timezone.now(), Booking.objects.visible_to(request.user)
    return tab_page(
        request,
        "scheduling/bookings.html",
        TABS,
        key=tab_of(request, TABS, default=Status.CONFIRMED),
        form=_find_form(request),
        every=every,
        rows_in=lambda status: every.in_status(status, now),
        rows_of=lambda rows: [_row(card_of(booking, Role.HOST, now), now) for booking in rows],
        section="bookings",
        waiting=TABS[Status.PENDING].name,
        now=now,
    )


def _find_form(request: SignedIn) -> FindBookingForm:
    kinds = EventType.objects.visible_to(request.user).order_by("name", "id")
    return FindBookingForm(
        request.GET, zone=request.user.zone, kinds=kinds.values_list("pk", "name")[:_MOST_KINDS]
    )


@require_safe
@login_required
@limited("user", "30/h", SAFE)
def booking_file(request: SignedIn) -> HttpResponseBase:
    """Answer with the bookings of one tab and its filters as a CSV file."""
    now, form = timezone.now(), _find_form(request)
    if not form.is_valid():
        return redirect(f"{reverse('scheduling:bookings')}?{request.GET.urlencode()}")
    status = tab_of(request, TABS, default=Status.CONFIRMED)
    rows = form.narrowed(Booking.objects.visible_to(request.user).in_status(status, now))
    rows = rows.with_people().prefetch_related("guests")
    rows = rows.order_by(*TABS[status].order)[: MOST_ROWS + 1]
    return csv_file(
        f"bookings-{TABS[status].name}-{now:%Y-%m-%d}.csv",
        [str(head) for head in _HEADS],
        (_cells(card_of(booking, Role.HOST, now)) for booking in rows.iterator(_BATCH)),
    )


_HEADS = (
    _("Number"),
    _("Status"),
    _("Event type"),
    _("Name"),
    _("Email"),
    _("Phone"),
    _("Start"),
    _("End"),
    _("Invitee's time zone"),
    _("Location"),
    _("Link to join"),
    _("Answers"),
    _("Notes"),
    _("Booked"),
    _("No-show"),
    _("Guests"),
)


def _cells(card: Card) -> list[object]:
    booking, zone = card.booking, card.person.zone
    return [
        booking.uuid,
        card.status_name,
        booking.event_type.name,
        card.other.name,
        booking.invitee_email,
        booking.invitee_phone,
        moment(booking.start, zone),
        moment(booking.end, zone),
        booking.timezone,
        booking.event_type.location_display,
        booking.link,
        "\n".join(f"{question}: {answer}" for question, answer in card.answers),
        booking.notes,
        moment(booking.created_at, zone),
        gettext("yes") if booking.no_show_at else "",
        "\n".join(guest.email for guest in booking.invited),
    ]


def _row(card: Card, now: datetime) -> Row:
    booking, url = card.booking, reverse("scheduling:booking", args=[card.booking.pk])
    said = [Truncator(booking.event_type.location_display).chars(60), *wait(card, now)]
    if booking.no_show_at:
        said.append(gettext("No-show"))
    if card.zones_differ:
        said.append(_their_time(card))
    can_move = card.may_move and not card.may_answer
    can_cancel = card.is_open and not card.may_answer
    return Row(
        key=f"booking-{booking.pk}",
        start=booking.start,
        end=booking.end,
        title=card.title,
        url=url,
        said=said,
        join_url=card.join_url,
        move_url=f"{url}?day=#move" if can_move else "",
        color=booking.event_type.color,
        person=None,
        more=[(gettext("Cancel"), f"{url}?cancel=#cancel")] if can_cancel else [],
        card=card,
    )


def _their_time(card: Card) -> str:
    span, other = (card.booking.start, card.booking.end), card.other
    start = card.booking.start
    is_same_day = start.astimezone(other.zone).date() == start.astimezone(card.person.zone).date()
    time = (
        f"{times.hours(*span, other)} ({zones.in_words(other.zone)})"
        if is_same_day
        else times.span(*span, other)
    )
    return gettext("For %(name)s: %(time)s") % {"name": other.short_name, "time": time}


@require_safe
@login_required
def booking(request: SignedIn, booking_id: int) -> HttpResponse:
    """Show one booking. `?day=`, `?month=` and `?start=` choose another time for it."""
    found = _find(booking_id, request.user)
    return _shown(request, found, NotesForm(initial={"notes": found.notes}), timezone.now())


def _find(booking_id: int, user: User) -> Booking:
    return bookings.find(key=str(booking_id), user=user)


def _shown(
    request: SignedIn,
    found: Booking,
    notes: NotesForm,
    now: datetime,
    chosen: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Show a booking. `chosen` is what a form that moves it has sent, to be confirmed."""
    card, page = card_of(found, Role.HOST, now), reverse("scheduling:booking", args=[found.pk])
    history = page_of(request, found.history.all(), name="history")
    is_moving = chosen or any(part in request.GET for part in PARTS)
    moving = None
    if is_moving and card.may(Change.RESCHEDULED):
        sent = {name: chosen[name] for name in ("start", "reason")} if chosen else {}
        moving = rescheduling_of(request, card, now, page=page, **sent)
    return render(
        request,
        "scheduling/booking.html",
        {
            "section": "bookings",
            "card": card,
            "tab": TABS[card.status],
            "history": history,
            "steps": steps_of(card, list(history)),
            "moving": moving,
            "outside": _outside(found) if card.is_open and not chosen else [],
            "has_begun": found.has_begun(now),
            "is_cancelling": "cancel" in request.GET,
            "notes": notes,
        },
    )


def _outside(booking: Booking) -> list[BusyTime]:
    """Return what the host's own calendars have at the time of this booking."""
    [claims] = ledger.conflicts_of_each(user=booking.host, spans=[(booking.start, booking.end)])
    return [each for each in claims if not each.exclusive]


# --- what a host does with a booking ------------------------------------------------------------


def _acting(view: Callable[[SignedIn, Booking], str]) -> Callable[..., HttpResponseBase]:
    """Make the page of an action on a booking, which itself shows why nothing was changed."""

    @action_view("scheduling:booking", "booking_id", words=unmoved, is_shown_there=True)
    @wraps(view)
    def act(request: SignedIn, booking_id: int) -> str:
        return view(request, _find(booking_id, request.user))

    return act


@_acting
def confirm(request: SignedIn, found: Booking) -> str:
    bookings.confirm(
        booking=found,
        actor=bookings.host(request.user),
        now=timezone.now(),
        sequence=checked(SeenForm(request.POST))["sequence"],
    )
    return gettext("Approved. %(name)s gets an email.") % _invitee(found)


@_acting
def reject(request: SignedIn, found: Booking) -> str:
    wanted = checked(CancelForm(request.POST))
    bookings.reject(
        booking=found,
        actor=bookings.host(request.user),
        now=timezone.now(),
        reason=wanted["reason"],
        sequence=wanted["sequence"],
    )
    return gettext("Declined. %(name)s gets an email.") % _invitee(found)


@_acting
def cancel(request: SignedIn, found: Booking) -> str:
    wanted = checked(CancelForm(request.POST))
    bookings.cancel(
        booking=found,
        actor=bookings.host(request.user),
        now=timezone.now(),
        reason=wanted["reason"],
        sequence=wanted["sequence"],
    )
    return gettext("Cancelled. %(name)s gets an email.") % _invitee(found)


@_acting
def no_show(request: SignedIn, found: Booking) -> str:
    marked = bookings.mark_no_show(
        booking=found, no_show=request.POST.get("no_show") == "1", now=timezone.now()
    )
    if marked.no_show_at:
        return gettext("Noted: %(name)s did not come.") % _invitee(found)
    return gettext("Noted: %(name)s came.") % _invitee(found)


def _invitee(booking: Booking) -> dict[str, str]:
    return {"name": booking.invitee}


@require_POST
@signed_in_at("scheduling:booking", "booking_id")
@limited("user", "30/10m", ["POST"])
def move(request: SignedIn, booking_id: int) -> HttpResponse:
    """Move it to another time; on a refusal, go back to the day that was shown.

    Where only the host's own calendar is in the way, show what it has then, and ask again.
    """
    found = _find(booking_id, request.user)
    page = reverse("scheduling:booking", args=[booking_id])
    back = own_address_or(page, request, request.POST.get("next", ""))
    now = timezone.now()
    with refusals_shown(request, unmoved):
        wanted = checked(MoveForm(request.POST))
        try:
            bookings.reschedule(
                booking=found,
                start=availability.instant_of(wanted["start"]),
                actor=bookings.host(request.user),
                now=now,
                reason=wanted["reason"],
                sequence=wanted["sequence"],
                seen=wanted["terms"],
                over_calendar="over_calendar" in request.POST,
                admit=partial(
                    limits.admit_move, booking=found, role=Role.HOST, now=now, reader=request.user
                ),
            )
        except TimeTaken as taken:
            if taken.reason != "calendar":
                raise
            notes = NotesForm(initial={"notes": found.notes})
            return _shown(request, found, notes, now, chosen=wanted)
        messages.success(request, gettext("Rescheduled. %(name)s gets an email.") % _invitee(found))
        back = page
    return redirect(back)


@require_POST
@signed_in_at("scheduling:booking", "booking_id")
def note(request: SignedIn, booking_id: int) -> HttpResponse:
    """Save the notes about it."""
    found, now = _find(booking_id, request.user), timezone.now()
    form = NotesForm(request.POST)
    if not form.is_valid():
        return _shown(request, found, form, now)
    bookings.update(booking=found, now=now, notes=form.cleaned_data["notes"])
    messages.success(request, gettext("The notes are saved."))
    return redirect("scheduling:booking", booking_id)

"""Pages of a booking whose invitee confirms their address first."""

from datetime import datetime
from functools import partial
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import DomainError, NotFound
from core.web.pages import SAFE, limited, unshared
from scheduling.domain import holds, limits
from scheduling.messages import links
from scheduling.messages.hold_letters import invitee_of
from scheduling.models import Hold
from scheduling.pages.answer import broken
from scheduling.pages.client_limits import posted
from scheduling.pages.leading_on import lead_on, let_lead_on


def _admit(hold: Hold, now: datetime) -> None:
    """Count the booking as any other: what its guests get was not counted by the hold."""
    wanted = holds.said(hold)
    limits.admit_invitee(
        host=hold.host,
        email=wanted["invitee"].email,
        guests=wanted["with_guests"],
        now=now,
        reader=invitee_of(hold),
    )


@require_safe
@limited("ip", "600/m", SAFE)
def held(request: HttpRequest) -> HttpResponse:
    """Show that an email is on its way. The page names nobody."""
    minutes = int(holds.LENGTH.total_seconds()) // 60
    return render(request, "scheduling/held.html", {"minutes": minutes})


@unshared
@require_http_methods([*SAFE, "POST"])
@limited("ip", "600/m", SAFE)
@posted
def confirm_hold(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is held; a POST books it. Once it is booked, the link leads to the booking."""
    now = timezone.now()
    try:
        hold = holds.find(token)
    except NotFound as error:
        return broken(request, error)
    refusal = ""
    if hold.booking is None and request.method == "POST":
        try:
            return lead_on(holds.confirm(hold=hold, now=now, admit=partial(_admit, hold, now)))
        except DomainError as error:
            refusal = error.message
    if hold.booking is not None:
        if hold.booking.erased_at:
            return redirect("scheduling:erased")
        return redirect("scheduling:booked", links.manage_token(hold.booking))
    is_open = hold.is_open(now) and not refusal
    context = {
        "hold": hold,
        "person": invitee_of(hold) if is_open else None,
        "refusal": refusal,
    }
    status = HTTPStatus.OK if is_open else HTTPStatus.CONFLICT if refusal else HTTPStatus.GONE
    page = render(request, "scheduling/confirm_hold.html", context, status=status)
    return let_lead_on(request, page, hold.event_type)

"""Way on from a new booking: to its page, or to where its host wants invitees to go."""

from http import HTTPStatus

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.text.links import origin_of
from scheduling.messages import links
from scheduling.models import Booking, EventType


def lead_on(booked: Booking) -> HttpResponse:
    """Redirect to the page after a booking: the host's own, or ours."""
    if elsewhere := booked.event_type.redirect_url:
        return HttpResponse(status=HTTPStatus.SEE_OTHER, headers={"Location": elsewhere})
    return redirect("scheduling:booked", links.manage_token(booked))


def let_lead_on(
    request: HttpRequest, response: HttpResponse, event_type: EventType
) -> HttpResponse:
    """Let the forms of this page lead to the origin where `lead_on` redirects.

    Browsers apply `form-action` to where the answer to a form redirects, too.
    """
    if origin := origin_of(event_type.redirect_url):
        csp_update({"form-action": [origin]})(lambda _request: response)(request)
    return response

"""The page behind the link in a host's email: approve or decline without signing in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.errors import NotFound
from core.web.pages import SAFE, checked, limited, refusals_shown, unshared
from scheduling.domain import bookings
from scheduling.messages import links
from scheduling.models.enums import Change, Role
from scheduling.pages.cards import broken, card_of, outcome_of, unmoved
from scheduling.pages.forms import ReasonForm


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
        return broken(request, error)
    now = timezone.now()
    if request.method == "POST":
        actor = bookings.host(host)
        with refusals_shown(request, unmoved):
            match request.POST.get("answer"):
                case "confirm":
                    bookings.confirm(booking=booking, actor=actor, now=now, sequence=sequence)
                case "reject":
                    reason = checked(ReasonForm(request.POST))["reason"]
                    bookings.reject(
                        booking=booking, actor=actor, now=now, reason=reason, sequence=sequence
                    )
        return redirect("scheduling:answer", token)
    card = card_of(booking, Role.HOST, now)
    may_answer = card.may(Change.CONFIRMED) and sequence == booking.sequence
    outcome = None if may_answer else outcome_of(card)
    return render(request, "scheduling/answer.html", {"card": card, "outcome": outcome})

"""Page behind the link in an email: answer a request without signing in."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import User
from core.errors import Conflict, NotFound
from core.web.pages import SAFE, checked, limited, refusals_shown, unshared
from scheduling.domain import bookings
from scheduling.messages import links
from scheduling.models import Booking
from scheduling.models.enums import Role
from scheduling.models.lifecycle import L
from scheduling.pages.cards import Outcome, card_of, outcome_of, unmoved
from scheduling.pages.forms import ReasonForm


def answer_page(
    app: str,
    *,
    read: Callable[[str], tuple[L, User, int]],
    verbs_of: Callable[[L, User], Mapping[str, Callable[..., object]]],
    card_of: Callable[[L, User, datetime], Any],
    outcome_of: Callable[[Any], Outcome],
    unmoved: Callable[[Conflict], str],
) -> Callable[..., HttpResponse]:
    """Return the view behind a link that `read` knows. Only a POST changes anything.

    A link may name the answer that its page makes ready to be sent (`?answer=reject`).

    `verbs_of` returns the verbs by the answers that a form can send. `reject` takes a reason.

    A broken link is 404. One that is used or too old shows how things stand, which is no error.
    """

    @unshared
    @require_http_methods([*SAFE, "POST"])
    @limited("ip", "600/m", SAFE, group=f"{app}.answer")
    @limited("ip", "30/m", ["POST"], group=f"{app}.answer")
    def answer(request: HttpRequest, token: str) -> HttpResponse:
        try:
            row, person, sequence = read(token)
        except NotFound as error:
            return broken(request, error, app)
        now = timezone.now()
        if request.method == "POST":
            verbs, seen = verbs_of(row, person), {"now": now, "sequence": sequence}
            with refusals_shown(request, unmoved):
                match request.POST.get("answer"):
                    case "reject":
                        verbs["reject"](reason=checked(ReasonForm(request.POST))["reason"], **seen)
                    case str(answer) if answer in verbs:
                        verbs[answer](**seen)
            return redirect(f"{app}:answer", token)
        card = card_of(row, person, now)
        may_answer = card.may_answer and sequence == row.sequence
        outcome = None if may_answer else outcome_of(card)
        shown = {"card": card, "outcome": outcome, "chosen": request.GET.get("answer", "")}
        return render(request, f"{app}/answer.html", shown)

    return answer


def broken(request: HttpRequest, error: NotFound, app: str = "scheduling") -> HttpResponse:
    return render(request, f"{app}/broken.html", {"why": error.message}, status=404)


def _verbs_of(booking: Booking, host: User) -> dict[str, Callable[..., object]]:
    actor = bookings.host(host)
    return {
        "confirm": partial(bookings.confirm, booking=booking, actor=actor),
        "reject": partial(bookings.reject, booking=booking, actor=actor),
    }


answer = answer_page(
    "scheduling",
    read=links.read_answer,
    verbs_of=_verbs_of,
    card_of=lambda booking, _host, now: card_of(booking, Role.HOST, now),
    outcome_of=outcome_of,
    unmoved=unmoved,
)

"""Page behind the link in an email: answer a request without signing in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

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
from scheduling.models.enums import Change, Role
from scheduling.models.lifecycle import L
from scheduling.pages.cards import Outcome, card_of, outcome_of, unmoved
from scheduling.pages.forms import ReasonForm


@dataclass(frozen=True)
class Answering(Generic[L]):
    """Parts of an answer page that depend on the model.

    `read` returns the row, the person who may answer and the `sequence` that they saw; or
    NotFound. `confirm` and `reject` take the row, the person and keywords. `show` returns the card
    and, where it cannot be answered as it was seen, the outcome.
    """

    app: str
    read: Callable[[str], tuple[L, User, int]]
    confirm: Callable[..., object]
    reject: Callable[..., object]
    show: Callable[[L, User, int, datetime], tuple[Any, Outcome | None]]
    unmoved: Callable[[Conflict], str]

    def as_view(self) -> Callable[..., HttpResponse]:
        group = f"{self.app}.answer"
        view = limited("ip", "30/m", ["POST"], group=group)(self._answer)
        view = limited("ip", "600/m", SAFE, group=group)(view)
        return unshared(require_http_methods([*SAFE, "POST"])(view))

    def _answer(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show the request, or answer it by POST.

        A broken link is 404. One that is used or too old shows how things stand.
        """
        try:
            row, person, sequence = self.read(token)
        except NotFound as error:
            return broken(request, error, self.app)
        now = timezone.now()
        if request.method == "POST":
            with refusals_shown(request, self.unmoved):
                match request.POST.get("answer"):
                    case "confirm":
                        self.confirm(row, person, now=now, sequence=sequence)
                    case "reject":
                        reason = checked(ReasonForm(request.POST))["reason"]
                        self.reject(row, person, now=now, sequence=sequence, reason=reason)
            return redirect(f"{self.app}:answer", token)
        card, outcome = self.show(row, person, sequence, now)
        return render(request, f"{self.app}/answer.html", {"card": card, "outcome": outcome})


def broken(request: HttpRequest, error: NotFound, app: str = "scheduling") -> HttpResponse:
    return render(request, f"{app}/broken.html", {"why": error.message}, status=404)


def _show(booking: Booking, host: User, sequence: int, now: datetime) -> tuple[Any, Outcome | None]:
    card = card_of(booking, Role.HOST, now)
    may_answer = card.may(Change.CONFIRMED) and sequence == booking.sequence
    return card, None if may_answer else outcome_of(card)


answer = Answering(
    app="scheduling",
    read=links.read_answer,
    confirm=lambda booking, host, **seen: bookings.confirm(
        booking=booking, actor=bookings.host(host), **seen
    ),
    reject=lambda booking, host, **seen: bookings.reject(
        booking=booking, actor=bookings.host(host), **seen
    ),
    show=_show,
    unmoved=unmoved,
).as_view()

"""Settings page of the weekly hours."""

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.pages.signed_in import SignedIn
from core.errors import Invalid
from core.web.pages import PER_PAGE, SAFE, limited
from scheduling.domain import outside
from scheduling.models import Booking
from scheduling.pages.hour_forms import WeekForm


@require_http_methods([*SAFE, "POST"])
@login_required
@limited("user", "120/10m", ["POST"])
def hours(request: SignedIn) -> HttpResponse:
    """Show the week. A POST saves it, or applies one of its buttons to the typed values."""
    user = request.user
    if request.method != "POST":
        return _shown(request, WeekForm.kept(user.weekly_availability, user.week_start))
    form = WeekForm.sent(request.POST, user.week_start)
    act = request.POST.get("act", "save")
    if act != "save":
        form.change(act, request.POST)
        return _shown(request, form)
    if not form.check():
        return _shown(request, form)
    try:
        left = outside.set_hours(
            user=user,
            days=form.days_changed(),
            timezone=form.zone,
            agreed=agreed(request),
            now=timezone.now(),
        )
    except Invalid as error:
        messages.error(request, error.message)
        return _shown(request, form)
    if left:
        return warned(request, left)
    messages.success(request, gettext("Your hours are saved."))
    return redirect("scheduling:hours")


def _shown(request: SignedIn, form: WeekForm) -> HttpResponse:
    return render(request, "scheduling/hours.html", {"part": "hours", "form": form})


def agreed(request: SignedIn) -> Sequence[str]:
    """Return the marks of the bookings that the page before has shown."""
    return request.POST.get("agreed", "").split()


def warned(request: SignedIn, left: Sequence[Booking]) -> HttpResponse:
    """Show the bookings that would be left outside.

    The page keeps all typed values: the host can save them anyway, or correct them.
    """
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in {"csrfmiddlewaretoken", "act", "agreed"}
        for value in values
    ]
    marks = " ".join(outside.mark(booking) for booking in left)
    context = {
        "part": "hours",
        "count": len(left),
        "left": left[:PER_PAGE],
        "more": max(0, len(left) - PER_PAGE),
        "typed": typed,
        "marks": marks,
    }
    return render(request, "scheduling/hours_outside.html", context)

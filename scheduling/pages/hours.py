"""Settings pages of the weekly hours, schedule by schedule."""

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain import limits
from accounts.pages.signed_in import SignedIn
from core.errors import Invalid, LimitReached
from core.web.pages import PER_PAGE, SAFE, action_view, limited, signed_in_at
from scheduling.domain import outside, services
from scheduling.models import Booking, Schedule
from scheduling.pages.hour_forms import ScheduleNameForm, WeekForm

_DEFAULT = "scheduling:hours"
# Event types that the page of a schedule names.
_MOST_FOLLOWERS = 10


@require_http_methods([*SAFE, "POST"])
@login_required
@limited("user", "120/10m", ["POST"])
def hours(request: SignedIn) -> HttpResponse:
    """Show the week of the default schedule. A POST does as that of `schedule`."""
    return _week(request, request.user.weekly_availability.default)


@require_http_methods([*SAFE, "POST"])
@login_required
@limited("user", "120/10m", ["POST"])
def schedule(request: SignedIn, schedule_id: int) -> HttpResponse:
    """Show the week of a schedule.

    A POST saves it, or applies one of its buttons to the typed values.
    """
    return _week(request, _find(request, schedule_id))


def _week(request: SignedIn, shown: Schedule) -> HttpResponse:
    user = request.user
    if request.method != "POST":
        return _shown(request, shown)
    form = WeekForm.sent(request.POST, user.week_start)
    act = request.POST.get("act", "save")
    if act != "save":
        form.change(act, request.POST)
        return _shown(request, shown, form)
    if not form.check():
        return _shown(request, shown, form)
    try:
        left = outside.set_hours(
            schedule=shown,
            days=form.days_changed(),
            timezone=form.zone,
            agreed=agreed(request),
            now=timezone.now(),
        )
    except Invalid as error:
        messages.error(request, error.message)
        return _shown(request, shown, form)
    if left:
        return warned(request, left)
    messages.success(request, gettext("Your availability is saved."))
    return redirect(request.path)


def _shown(
    request: SignedIn,
    shown: Schedule,
    form: WeekForm | None = None,
    *,
    new: ScheduleNameForm | None = None,
    renamed: ScheduleNameForm | None = None,
) -> HttpResponse:
    weekly = request.user.weekly_availability
    schedules = list(Schedule.objects.visible_to(request.user))
    context = {
        "part": "hours",
        "form": form or WeekForm.kept(shown, weekly.timezone, request.user.week_start),
        "schedule": shown,
        "is_default": shown.pk == weekly.default_id,
        "followers": services.followers(schedule=shown)[:_MOST_FOLLOWERS],
        "address": _address(shown, weekly.default_id),
        "schedules": [
            (each, _address(each, weekly.default_id), each.pk == weekly.default_id)
            for each in schedules
        ],
        "new": new or ScheduleNameForm(auto_id="new_%s"),
        "renamed": renamed or ScheduleNameForm(auto_id="renamed_%s", initial={"name": shown.name}),
        "full": limits.refusal_at("schedules", len(schedules)),
    }
    return render(request, "scheduling/hours.html", context)


def _address(schedule: Schedule, default_id: int) -> str:
    if schedule.pk == default_id:
        return reverse(_DEFAULT)
    return reverse("scheduling:schedule", args=[schedule.pk])


def _find(request: SignedIn, schedule_id: int) -> Schedule:
    return services.find_schedule(key=str(schedule_id), user=request.user)


# --- what a host does with a schedule -------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("user", "120/10m", ["POST"])
def add_schedule(request: SignedIn) -> HttpResponse:
    """Add a schedule. Show the default schedule again if the form has an error."""
    if request.method != "POST":
        return redirect(_DEFAULT)
    form = ScheduleNameForm(request.POST, auto_id="new_%s")
    if form.is_valid():
        try:
            made = services.create_schedule(user=request.user, name=form.cleaned_data["name"])
        except (Invalid, LimitReached) as error:
            form.add_error("name", error.message)
        else:
            said = gettext("%(name)s is created. Choose it in the event types that should use it.")
            messages.success(request, said % {"name": made.name})
            return redirect("scheduling:schedule", made.pk)
    return _shown(request, request.user.weekly_availability.default, new=form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("user", "120/10m", ["POST"])
def rename_schedule(request: SignedIn, schedule_id: int) -> HttpResponse:
    """Rename a schedule. Show it again if the form has an error."""
    found = _find(request, schedule_id)
    if request.method != "POST":
        return redirect("scheduling:schedule", schedule_id)
    form = ScheduleNameForm(request.POST, auto_id="renamed_%s")
    if form.is_valid():
        try:
            services.update_schedule(schedule=found, name=form.cleaned_data["name"])
        except Invalid as error:
            form.add_error("name", error.message)
        else:
            messages.success(request, gettext("The schedule is renamed."))
            return redirect("scheduling:schedule", schedule_id)
    return _shown(request, found, renamed=form)


@require_POST
@signed_in_at("scheduling:schedule", "schedule_id")
@limited("user", "120/10m", ["POST"])
def make_default(request: SignedIn, schedule_id: int) -> HttpResponse:
    """Make it the default schedule, unless the page of bookings outside has to be shown first."""
    found = _find(request, schedule_id)
    if request.POST.get("act") == "back":
        return redirect("scheduling:schedule", schedule_id)
    left = outside.make_default(schedule=found, agreed=agreed(request), now=timezone.now())
    if left:
        return warned(request, left)
    said = gettext("%(name)s is your default schedule now.")
    messages.success(request, said % {"name": found.name})
    return redirect(_DEFAULT)


@action_view(_DEFAULT)
def delete_schedule(request: SignedIn, schedule_id: int) -> str:
    found = _find(request, schedule_id)
    services.delete_schedule(schedule=found)
    return gettext("%(name)s is deleted.") % {"name": found.name}


# --- bookings that would be left outside ----------------------------------------------------------


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

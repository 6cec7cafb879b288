"""Settings page of the date-specific hours."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.pages.signed_in import SignedIn
from core.errors import Invalid, LimitReached
from core.text import times
from core.web.pages import SAFE, limited, page_of
from scheduling.domain import outside
from scheduling.models import DateOverride, Schedule
from scheduling.pages import grid
from scheduling.pages.hour_forms import DateForm, Kind
from scheduling.pages.hours import agreed, warned
from scheduling.pages.picker import date_of
from scheduling.rules.slots import Interval

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_YEARS_AHEAD = 5


@dataclass(frozen=True)
class Cell:
    """Date of a month.

    `kind` is the kind of its hours, `hours` the hours in words (empty: none).
    """

    date: date
    kind: Kind
    hours: str
    is_past: bool
    is_today: bool
    is_chosen: bool


@dataclass(frozen=True)
class Month:
    """Month of the host's dates, in weeks of seven (None: another month's date)."""

    first: date
    weekdays: Sequence[tuple[str, str]]
    weeks: Sequence[Sequence[Cell | None]]
    earlier: date | None
    later: date | None


@dataclass(frozen=True)
class Coming:
    """Future date that has date-specific hours."""

    date: date
    hours: str


@require_http_methods([*SAFE, "POST"])
@login_required
@limited("user", "120/10m", ["POST"])
def dates(request: SignedIn) -> HttpResponse:
    """Show a month (`?month=2026-03`), and the hours of the date chosen in it (`?date=`).

    A POST saves these hours, or applies one of the form's buttons to the typed values. Dates are in
    the zone of the hours.
    """
    now, weekly = timezone.now(), request.user.weekly_availability
    today = now.astimezone(weekly.zone).date()
    day = _day(request.GET.get("date", ""), today)
    if request.method == "POST":
        if day is None:
            raise Http404("no date to come")
        return _posted(request, day, today, now)
    form = None
    if day is not None:
        override = request.user.date_overrides.filter(date=day).first()
        usual = weekly.default.windows.get(day.isoweekday(), [])
        form = DateForm.kept(day, override, usual)
    return _shown(request, form, today)


def _posted(request: SignedIn, day: date, today: date, now: datetime) -> HttpResponse:
    form = DateForm.sent(day, request.POST)
    act = request.POST.get("act", "save")
    if act != "save":
        form.change(act)
        return _shown(request, form, today)
    if not form.check():
        return _shown(request, form, today)
    try:
        left = outside.set_override(
            user=request.user, day=day, windows=form.wanted(), agreed=agreed(request), now=now
        )
    except (Invalid, LimitReached) as error:
        messages.error(request, error.message)
        return _shown(request, form, today)
    if left:
        return warned(request, left)
    messages.success(request, _saved(form))
    return redirect(f"{reverse('scheduling:dates')}?month={day:%Y-%m}")


def _saved(form: DateForm) -> str:
    day = {"day": times.full_date(form.day)}
    match form.kind:
        case Kind.USUAL:
            return gettext("%(day)s has its weekly hours.") % day
        case Kind.OFF:
            return gettext("%(day)s is a day off.") % day
    return gettext("The hours of %(day)s are saved.") % day


def _shown(request: SignedIn, form: DateForm | None, today: date) -> HttpResponse:
    user = request.user
    weekly, default = user.weekly_availability, user.weekly_availability.default
    first = _first(request.GET.get("month", ""), form.day if form else today, today)
    overrides = user.date_overrides.filter(date__gte=today)
    of_month = overrides.filter(date__gte=first, date__lt=_moved(first, 1))
    page = page_of(request, overrides)
    context = {
        "part": "hours",
        "form": form,
        "usual": _words(default.windows.get(form.day.isoweekday(), ()), user) if form else "",
        "weekly": weekly,
        "has_schedules": user.schedules.count() > 1,
        "month": _month(user, default, of_month, first, today, form.day if form else None),
        "page": page,
        "shown_month": f"{first:%Y-%m}",
        "coming": [Coming(each.date, _words(each.windows, user)) for each in page],
    }
    return render(request, "scheduling/hours_dates.html", context)


def _month(
    user: User,
    default: Schedule,
    overrides: Iterable[DateOverride],
    first: date,
    today: date,
    chosen: date | None,
) -> Month:
    others = {each.date: each.windows for each in overrides}

    def cell(day: date) -> Cell:
        kind = Kind.USUAL
        if day in others:
            kind = Kind.OTHER if others[day] else Kind.OFF
        found = _windows_on(day, others, default)
        return Cell(day, kind, _words(found, user), day < today, day == today, day == chosen)

    return Month(
        first=first,
        weekdays=grid.weekdays(user.week_start),
        weeks=[
            [cell(day) if day else None for day in days]
            for days in grid.weeks(first, user.week_start)
        ],
        earlier=_moved(first, -1) if first > today else None,
        later=_moved(first, 1) if _moved(first, 1) <= _furthest(today) else None,
    )


def _windows_on(
    day: date, others: Mapping[date, Sequence[Interval]], default: Schedule
) -> Sequence[Interval]:
    return others[day] if day in others else default.windows.get(day.isoweekday(), ())


def _words(windows: Sequence[Interval], user: User) -> str:
    """Return `9:00 AM – 12:00 PM, 1:00 PM – 5:00 PM`, or empty text if there are no windows."""
    spans = (
        f"{times.time_of_day(start, user)} – {times.time_of_day(end, user)}"
        for start, end in windows
    )
    return pgettext("between the hours of a day", ", ").join(spans)


def _day(text: str, today: date) -> date | None:
    day = date_of(text)
    return day if day and today <= day and _first_of(day) <= _furthest(today) else None


def _first(text: str, otherwise: date, today: date) -> date:
    """Return the first day of the wanted month.

    If that is invalid or out of reach, return the first day of the month of `otherwise`.
    """
    found = _MONTH.fullmatch(text)
    if found:
        year, month = int(found[1]), int(found[2])
        if (today.year, today.month) <= (year, month) <= (today.year + _YEARS_AHEAD, today.month):
            return date(year, month, 1)
    return _first_of(otherwise)


def _first_of(day: date) -> date:
    return day.replace(day=1)


def _furthest(today: date) -> date:
    """Return the first day of the last month that can be shown."""
    return date(today.year + _YEARS_AHEAD, today.month, 1)


def _moved(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)

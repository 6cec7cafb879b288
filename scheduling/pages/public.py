"""The pages on which anybody books: a host, and what can be booked of them."""

from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from config.errors import DomainError, TimeTaken
from config.pages import SAFE, limited, page_of
from scheduling import availability, bookings, links
from scheduling.booking_form import BookingForm
from scheduling.forms import StartField
from scheduling.models import EventType
from scheduling.pages.month import Month, month_of, nearest_starts, next_open_day
from scheduling.pages.visitors import Visitor, remember, visitor_of
from scheduling.pages.weeks import choices_of, date_of, furthest
from scheduling.slots import Reason

_NEAREST = 6


@gzip_page
@require_safe
@limited("ip", "600/m", SAFE)
def host(request: HttpRequest, username: str) -> HttpResponse:
    """What can be booked of a person."""
    if username != username.lower():
        return redirect("public:host", username.lower(), permanent=True)
    found = _host(username)
    offered = found.event_types.filter(is_active=True)
    context = {"host": found, "page": page_of(request, offered)}
    return render(request, "scheduling/public/host.html", context)


def _host(username: str) -> User:
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise Http404("user not found")
    return found


@gzip_page
@require_http_methods([*SAFE, "POST"])
@limited("ip", "600/m", SAFE)
@limited("ip", "30/m", ["POST"])
def event_type(request: HttpRequest, username: str, slug: str) -> HttpResponse:
    """Choose a day (`?month=`, `?day=`), then a time (`?start=`, an epoch second), then book it.

    Times are those of `?zone=`, by twelve or twenty-four `?hours=`.
    """
    if username != username.lower():
        return redirect("public:event_type", username.lower(), slug, permanent=True)
    offers = EventType.objects.with_hours().filter(is_active=True, host__is_active=True)
    offered = offers.filter(host__username=username, slug=slug).first()
    if offered is None:
        return _gone(request, _host(username))
    visitor = visitor_of(request, default=offered.zone)
    now = timezone.now()
    if request.method == "POST":
        return _book(request, offered, visitor, now)
    start = _start(request.GET.get("start", ""))
    if start is None or _closed(offered, start, now):
        response = _choose_time(request, offered, visitor, now, wanted=start)
    else:
        form = BookingForm(event_type=offered, initial=_known(request) | {"start": start})
        response = _say_who(request, offered, visitor, start, form)
    remember(visitor, response)
    return response


def _gone(request: HttpRequest, host: User) -> HttpResponse:
    return render(request, "scheduling/public/gone.html", {"host": host}, status=404)


def _start(text: str) -> int | None:
    try:
        return int(StartField().clean(text)) if text else None
    except ValidationError:
        return None


def _closed(offered: EventType, start: int, now: datetime) -> bool:
    return availability.judge(offered, start=availability.instant_of(start), now=now) != Reason.OPEN


def _known(request: HttpRequest) -> dict[str, Any]:
    user = request.user
    return {"name": user.name, "email": user.email} if user.is_authenticated else {}


# --- choosing a time ----------------------------------------------------------------------------


def _choose_time(
    request: HttpRequest,
    offered: EventType,
    visitor: Visitor,
    now: datetime,
    *,
    wanted: int | None,
) -> HttpResponse:
    """A month of days, and the times of one of them. `wanted` is a start that cannot be had."""
    day = date_of(request.GET.get("day", ""))
    if wanted is not None:
        day = datetime.fromtimestamp(wanted, visitor.zone).date()
    asked = day or date_of(f"{request.GET.get('month', '')}-01")
    month, next_open = _month(offered, asked, visitor, now)
    if day is None or (day.year, day.month) != (month.first.year, month.first.month):
        day = next(iter(month.opens), None)
    choices = choices_of(month.opens.get(day, ()), visitor) if day else []
    return _page(
        request, offered, visitor, month=month, day=day, choices=choices, next_open=next_open,
        is_taken=wanted is not None, now=now.astimezone(visitor.zone),
    )  # fmt: skip


def _month(
    offered: EventType, asked: date | None, visitor: Visitor, now: datetime
) -> tuple[Month, date | None]:
    """The month that was asked for, or the first with something open.

    With it the next open day, where the month has none.
    """
    today, last = now.astimezone(visitor.zone).date(), furthest(offered, visitor.zone, now)
    first = min(max(asked or today, today), last).replace(day=1)
    month = month_of(offered, first, reader=visitor, now=now)
    if month.opens or month.later is None:
        return month, None
    next_open = next_open_day(offered, month.last, reader=visitor, now=now)
    if asked is None and next_open is not None:
        return month_of(offered, next_open.replace(day=1), reader=visitor, now=now), None
    return month, next_open


# --- saying who one is --------------------------------------------------------------------------


def _say_who(
    request: HttpRequest, offered: EventType, visitor: Visitor, start: int, form: BookingForm
) -> HttpResponse:
    return _page(request, offered, visitor, form=form, **_span(offered, visitor, start))


def _span(offered: EventType, visitor: Visitor, start: int) -> dict[str, datetime]:
    return {
        "starts_at": datetime.fromtimestamp(start, visitor.zone),
        "ends_at": datetime.fromtimestamp(start + offered.duration * 60, visitor.zone),
    }


def _book(
    request: HttpRequest, offered: EventType, visitor: Visitor, now: datetime
) -> HttpResponse:
    """Booked; or the form again, with what was typed, and other times where that one is taken."""
    form = BookingForm(request.POST, event_type=offered)
    start = _start(request.POST.get("start", ""))
    if start is None:
        return _choose_time(request, offered, visitor, now, wanted=None)
    if form.is_valid():
        said = form.cleaned_data
        invitee = bookings.Invitee(
            name=" ".join(said["name"].split()),
            email=said["email"],
            timezone=str(visitor.zone),
            phone=said.get("phone", ""),
            language=translation.get_language(),
            time_format=visitor.time_format,
        )
        try:
            booked = bookings.book(
                event_type=offered, start=availability.instant_of(start), invitee=invitee,
                actor=bookings.INVITEE, now=now, notes=said["notes"], answers=form.answers,
            )  # fmt: skip
        except DomainError as error:
            if isinstance(error, TimeTaken) or error.field == "start_time":
                return _offer_others(request, offered, visitor, start, form, now, error)
            form.add_refusal(error.field, error.message)
        else:
            return redirect("scheduling:booked", links.manage_token(booked))
    return _say_who(request, offered, visitor, start, form)


def _offer_others(
    request: HttpRequest,
    offered: EventType,
    visitor: Visitor,
    start: int,
    form: BookingForm,
    now: datetime,
    error: DomainError,
) -> HttpResponse:
    """What was typed stays; beside it stand the open times nearest to the one that is not."""
    starts = nearest_starts(offered, start, count=_NEAREST, reader=visitor, now=now)
    by_day = groupby(starts, key=lambda each: datetime.fromtimestamp(each, visitor.zone).date())
    nearest = [(day, choices_of(list(of_day), visitor)) for day, of_day in by_day]
    return _page(
        request, offered, visitor, form=form, nearest=nearest, refusal=error.message,
        **_span(offered, visitor, start),
    )  # fmt: skip


def _page(
    request: HttpRequest, offered: EventType, visitor: Visitor, **context: Any
) -> HttpResponse:
    common = {"event_type": offered, "host": offered.host, "visitor": visitor}
    return render(request, "scheduling/public/event_type.html", common | context)

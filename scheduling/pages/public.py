"""Pages on which anybody books: a host, and the host's event types."""

from datetime import datetime
from functools import partial
from http import HTTPStatus
from itertools import groupby
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from allauth.account.models import EmailAddress
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import FormerUsername, User, usernames
from core.db.prepared import Prepared
from core.errors import Busy, DomainError, TimeTaken
from core.web.pages import SAFE, limited, page_of
from scheduling.domain import availability, bookings, holds, limits
from scheduling.models import EventType, FormerSlug
from scheduling.pages.booking_form import BookingForm, initial_of, prefill_of
from scheduling.pages.client_limits import count_client, count_hold, posted
from scheduling.pages.leading_on import lead_on, let_lead_on
from scheduling.pages.picker import Asked, asked_by, choice_of, pick, start_of
from scheduling.pages.starts import furthest, nearest_starts, open_starts
from scheduling.pages.visitors import Visitor, remember, visitor_of
from scheduling.rules.slots import Reason

_NEAREST = 6


@gzip_page
@require_safe
@limited("ip", "600/m", SAFE)
def host(request: HttpRequest, username: str) -> HttpResponse:
    """Show the event types of a host."""
    if username != username.lower():
        return _moved(request, "public:host", username.lower(), permanent=True)
    found = _host(username)
    if found is None:
        return _moved(request, "public:host", _renamed(username), permanent=False)
    offered = EventType.objects.visible_to(found).listed()
    context = {
        "host": found,
        "page": page_of(request, offered),
        "query": urlencode(prefill_of(request.GET)),
    }
    return render(request, "scheduling/public/host.html", context)


def _host(username: str) -> User | None:
    return User.objects.filter(username=username, is_active=True).first()


def _renamed(username: str) -> str:
    """Return the present username of the person who had this one."""
    rows = FormerUsername.objects.filter(username=username, user__is_active=True)
    present = rows.values_list("user__username", flat=True).first()
    if present is None:
        raise Http404("user not found")
    return present


def _moved(request: HttpRequest, name: str, *parts: str, permanent: bool) -> HttpResponse:
    """Redirect to the page's present URL, with the query. A form is sent there again."""
    page, query = reverse(name, args=parts), request.META.get("QUERY_STRING", "")
    return redirect(
        f"{page}?{query}" if query else page,
        permanent=permanent,
        preserve_request=request.method == "POST",
    )


@require_safe
def unslashed(request: HttpRequest, path: str) -> HttpResponse:
    """Redirect from a URL with extra slashes at its end to the one without, if that is a page.

    The URL may be a secret link that acts for its holder, so the response is treated as secret.
    """
    wanted = path.rstrip("/")
    match = resolve(f"/{wanted}")  # or 404
    if match.app_name == "public" and usernames.is_reserved(wanted.partition("/")[0]):
        raise Http404("no page")
    page, query = f"/{quote(wanted, safe='/:')}", request.META.get("QUERY_STRING", "")
    response = redirect(f"{page}?{query}" if query else page, permanent=True)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


_OFFERED = Prepared[EventType](
    lambda username, slug: EventType.objects.bookable().filter(host__username=username, slug=slug)
)


@gzip_page
@require_http_methods([*SAFE, "POST"])
@limited("ip", "600/m", SAFE)
@posted
def event_type(request: HttpRequest, username: str, slug: str) -> HttpResponse:
    """Choose a day (`?month=`, `?day=`), then a time (`?start=`, an epoch second), then book it.

    `?duration=` is one of several, in minutes. Times are in the zone `?zone=`, on a clock of 12 or
    24 `?hours=`. See `prefill_of` for the values that a URL can fill in.
    """
    lower = username.lower(), slug.lower()
    if (username, slug) != lower:
        return _moved(request, "public:event_type", *lower, permanent=True)
    found = _OFFERED.objects(username=username, slug=slug)
    if not found:
        return _elsewhere(request, username, slug)
    return _offered(request, found[0])


class Desk(Protocol):
    """Place where an event type is booked: the form, and for whom."""

    @property
    def form(self) -> type[BookingForm]: ...

    def initial(self, request: HttpRequest, visitor: Visitor) -> dict[str, Any]:
        """Return what the form is filled in with, before values in the URL are looked at."""

    def book(
        self,
        request: HttpRequest,
        offered: EventType,
        visitor: Visitor,
        form: BookingForm,
        *,
        start: datetime,
        seen: str,
        now: datetime,
    ) -> HttpResponse:
        """Book what the valid form says and lead on, or raise the domain's error."""


def _offered(request: HttpRequest, offered: EventType) -> HttpResponse:
    """Serve the event type to anybody."""
    response = serve(request, offered, _Public())
    return let_lead_on(request, response, offered)


def serve(request: HttpRequest, offered: EventType, desk: Desk) -> HttpResponse:
    """Show the times, then the form of this desk, and book by it."""
    visitor = visitor_of(request, default=offered.zone)
    offered, now = _lasting(request, offered), timezone.now()
    if request.method == "POST":
        return _book(request, offered, visitor, now, desk)
    start = asked_by(request).start
    if start is None or _closed(offered, start, now):
        response = _choose_time(request, offered, visitor, now, wanted=start)
    else:
        questions = offered.custom_fields
        given = initial_of(prefill_of(request.GET, questions), questions)
        initial = given | desk.initial(request, visitor) | {"start": start}
        form = desk.form(event_type=offered, initial=initial)
        response = _say_who(request, offered, visitor, start, form)
    remember(visitor, response)
    return response


def _lasting(request: HttpRequest, offered: EventType) -> EventType:
    """Return the event type with the `duration` that the request asks for, if it is offered."""
    sent = request.POST if request.method == "POST" else request.GET
    wanted = sent.get("duration", "")
    return next((offered.lasting(each) for each in offered.lengths if str(each) == wanted), offered)


def _elsewhere(request: HttpRequest, username: str, slug: str) -> HttpResponse:
    """Redirect to the present page if the host or the event type was renamed.

    Otherwise show that it is gone.
    """
    host = _host(username)
    if host is None:
        return _moved(request, "public:event_type", _renamed(username), slug, permanent=False)
    renamed = FormerSlug.objects.filter(host=host, slug=slug, event_type__is_active=True)
    present = renamed.values_list("event_type__slug", flat=True).first()
    if present is not None:
        return _moved(request, "public:event_type", username, present, permanent=False)
    return render(request, "scheduling/public/gone.html", {"host": host}, status=404)


def _closed(offered: EventType, start: int, now: datetime) -> bool:
    return availability.judge(offered, start=availability.instant_of(start), now=now) != Reason.OPEN


class _Public:
    """Desk at which anybody books for themselves."""

    form = BookingForm

    def initial(self, request: HttpRequest, visitor: Visitor) -> dict[str, Any]:
        """Return the signed-in person's name and email address.

        They take precedence over values in the URL, so a stranger's link cannot name somebody else.
        """
        user = request.user
        return {"name": user.name, "email": user.email} if user.is_authenticated else {}

    def book(
        self,
        request: HttpRequest,
        offered: EventType,
        visitor: Visitor,
        form: BookingForm,
        *,
        start: datetime,
        seen: str,
        now: datetime,
    ) -> HttpResponse:
        invitee = form.invitee(
            timezone=str(visitor.zone),
            time_format=visitor.time_format,
            language=translation.get_language(),
        )
        guests = form.wanted["with_guests"]
        count_client(request, offered.host, mails=1 + len(guests))
        named = {
            "host": offered.host,
            "email": invitee.email,
            "guests": guests,
            "now": now,
            "reader": visitor,
        }
        wanted = {
            "event_type": offered,
            "duration": offered.duration,
            "start": start,
            "invitee": invitee,
            "now": now,
            "seen": seen,
            **form.wanted,
        }
        if offered.confirm_email and not _is_verified(request, invitee.email):
            count_hold(request, offered.host)
            holds.place(**wanted, admit=partial(limits.admit_hold, **named))
            return redirect("scheduling:held")
        booked = bookings.book(
            **wanted, actor=bookings.INVITEE, admit=partial(limits.admit_invitee, **named)
        )
        return lead_on(booked)


def _is_verified(request: HttpRequest, email: str) -> bool:
    """Return whether the person who is signed in has confirmed this address."""
    user = request.user
    if not user.is_authenticated:
        return False
    own = EmailAddress.objects.filter(user=user, email__iexact=email, verified=True)
    return bool(own.exists())


# --- choosing a time ----------------------------------------------------------------------------


def _choose_time(
    request: HttpRequest,
    offered: EventType,
    visitor: Visitor,
    now: datetime,
    *,
    wanted: int | None,
) -> HttpResponse:
    """Show a month of days, and the times of one day. `wanted` is a start that is not open."""
    asked = asked_by(request)
    if wanted is not None:
        asked = Asked(day=datetime.fromtimestamp(wanted, visitor.zone).date())
    picker = pick(
        partial(open_starts, offered, reader=visitor, now=now),
        asked,
        until=furthest(offered, visitor.zone, now),
        reader=visitor,
        now=now,
    )
    return _page(request, offered, visitor, picker=picker, is_taken=wanted is not None)


# --- saying who one is --------------------------------------------------------------------------


def _say_who(
    request: HttpRequest,
    offered: EventType,
    visitor: Visitor,
    start: int,
    form: BookingForm,
    *,
    changed: str = "",
) -> HttpResponse:
    span = _span(offered, visitor, start)
    return _page(request, offered, visitor, form=form, changed=changed, **span)


def _span(offered: EventType, visitor: Visitor, start: int) -> dict[str, datetime]:
    return {
        "starts_at": datetime.fromtimestamp(start, visitor.zone),
        "ends_at": datetime.fromtimestamp(start + offered.duration * 60, visitor.zone),
    }


def _book(
    request: HttpRequest, offered: EventType, visitor: Visitor, now: datetime, desk: Desk
) -> HttpResponse:
    """Book, or show the form again with the typed values, and other times if the start is taken."""
    form, refused = desk.form(request.POST, event_type=offered), None
    start, seen = start_of(request.POST.get("start", "")), request.POST.get("terms", "")
    if start is None:
        return _choose_time(request, offered, visitor, now, wanted=None)
    is_offered = request.POST.get("duration", "") in ("", str(offered.duration))
    if (seen and seen != offered.terms_digest) or not is_offered:
        return _ask_again(request, offered, visitor, start, form, now)
    if form.is_valid():
        at = availability.instant_of(start)
        try:
            return desk.book(request, offered, visitor, form, start=at, seen=seen, now=now)
        except DomainError as error:
            if error.field in ("terms", "duration"):  # they were changed just now
                offered = EventType.objects.with_hours().get(pk=offered.pk)
                offered = _lasting(request, offered)
                form = desk.form(request.POST, event_type=offered)
                return _ask_again(request, offered, visitor, start, form, now)
            if isinstance(error, TimeTaken) or error.field == "start_time":
                return _offer_others(request, offered, visitor, start, form, now, error.message)
            form.add_refusal(error.field, error.message)
            refused = error
    response = _say_who(request, offered, visitor, start, form)
    if isinstance(refused, Busy):
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(refused.retry_after)
    return response


def _ask_again(
    request: HttpRequest,
    offered: EventType,
    visitor: Visitor,
    start: int,
    form: BookingForm,
    now: datetime,
) -> HttpResponse:
    """Show the present terms. The typed values stay."""
    said = gettext("The terms have changed since you opened this page. These hold now:")
    if _closed(offered, start, now):
        return _offer_others(request, offered, visitor, start, form, now, said, is_changed=True)
    return _say_who(request, offered, visitor, start, form, changed=said)


def _offer_others(
    request: HttpRequest,
    offered: EventType,
    visitor: Visitor,
    start: int,
    form: BookingForm,
    now: datetime,
    refusal: str,
    *,
    is_changed: bool = False,
) -> HttpResponse:
    """Show the form with the typed values, beside the open times nearest to the wanted one."""
    starts = nearest_starts(offered, start, count=_NEAREST, reader=visitor, now=now)
    by_day = groupby(starts, key=lambda each: datetime.fromtimestamp(each, visitor.zone).date())
    nearest = [(day, [*map(choice_of(visitor), of_day)]) for day, of_day in by_day]
    return _page(
        request,
        offered,
        visitor,
        form=form,
        nearest=nearest,
        refusal=refusal,
        is_changed=is_changed,
        **_span(offered, visitor, start),
    )


def _page(
    request: HttpRequest, offered: EventType, visitor: Visitor, **context: Any
) -> HttpResponse:
    prefill = prefill_of(request.GET, offered.custom_fields)
    clock = {"zone": str(visitor.zone), "hours": visitor.hours}
    lengths = []
    if len(offered.lengths) > 1:
        when = request.GET.get("day", "")[:10]
        kept = clock | prefill | ({"day": when} if when else {})
        lengths = [(each, f"?{urlencode(kept | {'duration': each})}") for each in offered.lengths]
        prefill["duration"] = str(offered.duration)
    common = {
        "event_type": offered,
        "host": offered.host,
        "visitor": visitor,
        "prefill": prefill,
        "lengths": lengths,
        "query": urlencode(clock | prefill),
    }
    return render(request, "scheduling/public/event_type.html", common | context)

"""Home page. Strangers see an introduction; signed-in people see what is next and what waits."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict, cast

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe
from django_stubs_ext import WithAnnotations

from accounts.models import User
from accounts.pages.signed_in import SignedIn
from calendars.models import BusyTime
from meetings.models import MeetingQuerySet, MeetingRequest
from meetings.models.enums import Tab
from meetings.pages.cards import Card, cards_of
from meetings.pages.week import Claim, Week, first_day, instants, week_of
from scheduling.models import Booking, DateOverride, EventType, WeeklyAvailability
from scheduling.models.enums import STANDING, Role, Status
from scheduling.pages.cards import Card as BookingCard
from scheduling.pages.cards import card_of
from scheduling.rules.slots import Hours, Interval

# Items of each list. The pages of bookings and of meetings show all of them.
_MOST = 5
# Meetings of one week. Those that hold time are at most one an hour.
_MOST_OF_WEEK = 300
_A_MOMENT = timedelta(seconds=10)


class _SoFar(TypedDict):
    has_event_types: bool
    has_bookings: bool


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the home page. `?week=` is any date of the week to show."""
    if not request.user.is_authenticated:
        return render(request, "meetings/landing.html")
    user, now = cast(SignedIn, request).user, timezone.now()
    hours = _hours_of(user)
    today = now.astimezone(user.zone).date()
    first = first_day(request.GET.get("week", ""), today=today, week_start=user.week_start)
    bookings, requests = _waiting_bookings(user, now), _waiting_requests(user, now)
    return render(
        request,
        "meetings/home.html",
        {
            "section": "home",
            "greeting": _greeting(user, now),
            "now": now,
            "today": today,
            "ahead": _ahead(user, now),
            "bookings": bookings[:_MOST],
            "requests": requests[:_MOST],
            "more_bookings": len(bookings) > _MOST,
            "more_requests": len(requests) > _MOST,
            "week": _week(user, hours, first=first, now=now),
            "hours": hours,
            "is_set_up": hours.has_event_types and hours.has_bookings,
            # Every account starts with hours. A later save means that the person has looked at
            # them.
            "has_own_hours": hours.updated_at - user.created_at > _A_MOMENT,
            "address": settings.PUBLIC_URL + reverse("public:host", args=[user.username]),
        },
    )


def _greeting(user: User, now: datetime) -> str:
    name = {"name": user.get_short_name()}
    match now.astimezone(user.zone).hour:
        case hour if 5 <= hour < 12:
            return gettext("Good morning, %(name)s") % name
        case hour if 12 <= hour < 18:
            return gettext("Good afternoon, %(name)s") % name
    return gettext("Good evening, %(name)s") % name


def _hours_of(user: User) -> "WithAnnotations[WeeklyAvailability, _SoFar]":
    """Return the weekly hours, and whether this person has active event types and bookings."""
    return WeeklyAvailability.objects.annotate(
        has_event_types=Exists(EventType.objects.filter(host=OuterRef("user"), is_active=True)),
        has_bookings=Exists(Booking.objects.filter(host=OuterRef("user"))),
    ).get(user=user)


# --- what is next, and what waits -----------------------------------------------------------------


@dataclass(frozen=True)
class Ahead:
    """A confirmed booking or meeting."""

    title: str
    url: str
    start: datetime
    end: datetime
    where: str
    join_url: str


def _ahead(user: User, now: datetime) -> list[Ahead]:
    """Return the next confirmed bookings and meetings by start, with those under way."""
    bookings = Booking.objects.visible_to(user).in_status(Status.CONFIRMED, now)
    meetings = MeetingRequest.objects.visible_to(user).in_status(Status.CONFIRMED, now)
    found = [
        Ahead(
            card_of(one, Role.HOST, now).title,
            reverse("scheduling:booking", args=[one.pk]),
            one.start,
            one.end,
            one.event_type.location_display,
            one.link,
        )
        for one in bookings.with_people().order_by("start", "id")[:_MOST]
    ] + [
        Ahead(
            Card(one, user, Status.CONFIRMED).title,
            reverse("meetings:meeting", args=[one.pk]),
            one.start,
            one.end,
            "",
            one.link,
        )
        for one in meetings.with_people().order_by("start", "id")[:_MOST]
    ]
    return sorted(found, key=lambda one: one.start)[:_MOST]


def _waiting_bookings(user: User, now: datetime) -> list[BookingCard]:
    """Return the first bookings to approve, and one more if there are more than fit."""
    waiting = Booking.objects.visible_to(user).in_status(Status.PENDING, now)
    found = waiting.with_people().order_by("start", "id")[: _MOST + 1]
    return [card_of(booking, Role.HOST, now) for booking in found]


def _waiting_requests(user: User, now: datetime) -> list[Card]:
    """Return the first requests to answer, and one more if there are more than fit."""
    waiting = MeetingRequest.objects.in_tab(Tab.PENDING, user, now)
    return cards_of(waiting.with_people().order_by("start", "id")[: _MOST + 1], user, now)


# --- the week -------------------------------------------------------------------------------------


def _week(user: User, hours: WeeklyAvailability, *, first: date, now: datetime) -> Week:
    around = first - timedelta(days=2), first + timedelta(days=8)  # the hours may have another zone
    overrides = DateOverride.objects.filter(user=user, date__range=around)
    return week_of(
        first,
        zone=user.zone,
        hours=Hours(
            zone=hours.zone,
            weekly=hours.windows,
            overrides=dict(overrides.values_list("date", "windows")),
        ),
        claims=_claims(user, instants(first, user.zone), now),
        now=now,
    )


def _claims(user: User, week: Interval, now: datetime) -> Iterator[Claim]:
    """Yield the claims on this person's time in these instants, and the meetings asked for then."""
    since, until = week
    rows = BusyTime.objects.filter(user=user, start__lt=until, end__gt=since)
    known: set[int] = set()
    for meeting in _meetings(user, week, now):
        known.update(row.pk for row in meeting.busy_times.all())
        span = int(meeting.start.timestamp()), int(meeting.end.timestamp())
        yield Claim(
            *span,
            kept=span,
            who=meeting.other_party(user).name,
            what=gettext("Meeting"),
            url=reverse("meetings:meeting", args=[meeting.pk]),
            waits=meeting.status == Status.PENDING,
        )
    for row in rows.select_related("booking__event_type"):
        if row.pk in known:
            continue
        booking: Booking | None = getattr(row, "booking", None)
        if booking is None:
            yield Claim(row.start, row.end, (row.start, row.end), who=gettext("Taken"))
            continue
        yield Claim(
            int(booking.start.timestamp()),
            int(booking.end.timestamp()),
            kept=(row.start, row.end),
            who=booking.invitee,
            what=booking.event_type.name,
            url=reverse("scheduling:booking", args=[booking.pk]),
            waits=booking.status == Status.PENDING,
        )


def _meetings(user: User, week: Interval, now: datetime) -> MeetingQuerySet:
    """Return the week's meetings that hold time, and the open requests.

    Each meeting has this person's ledger rows prefetched.
    """
    since, until = (datetime.fromtimestamp(instant, UTC) for instant in week)
    meetings = MeetingRequest.objects.visible_to(user).filter(start__lt=until, end__gt=since)
    holds = Q(status__in=STANDING)
    asked = Q(status=Status.PENDING, start__gt=now)
    own = Prefetch("busy_times", queryset=BusyTime.objects.filter(user=user))
    found = meetings.filter(holds | asked).with_people().prefetch_related(own)
    # By status, so that what holds time comes before what is asked for.
    return found.order_by("status", "start", "id")[:_MOST_OF_WEEK]

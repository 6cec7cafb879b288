"""Home page. Strangers see an introduction; signed-in people see what is next and what waits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import cast

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.pages.signed_in import SignedIn
from calendars.domain import accounts as calendars
from calendars.models import BusyTime
from calendars.rules.expansion import ShownAs
from core.db.prepared import Prepared
from meetings.models import MeetingRequest
from meetings.models.enums import Tab
from meetings.pages.cards import Card, cards_of
from meetings.pages.week import Claim, Week, first_day, instants, week_of
from scheduling.domain import availability
from scheduling.models import Booking, EventType, Schedule, WeeklyAvailability
from scheduling.models.enums import STANDING, Role, Status, Weekday
from scheduling.models.lifecycle import L, LifecycleQuerySet
from scheduling.pages.cards import Card as BookingCard
from scheduling.pages.cards import card_of
from scheduling.pages.tabs import wait
from scheduling.rules.slots import Hours, Interval

# Items of each list. The pages of bookings and of meetings show all of them.
_MOST = 5
# Meetings of one week, and entries of outside calendars. Meetings that hold time are at most one an
# hour.
_MOST_OF_WEEK = 300


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the home page. `?week=` is the first of the seven days to show, if it is not today."""
    if not request.user.is_authenticated:
        return render(request, "meetings/landing.html")
    user, now = cast(SignedIn, request).user, timezone.now()
    [hours], [so_far] = _HOURS.objects(user=user.pk), _SO_FAR.rows(user=user.pk)
    has_event_types, has_bookings = map(bool, so_far)
    today = now.astimezone(user.zone).date()
    first = first_day(request.GET.get("week", ""), today=today)
    inbox = _inbox(user, now)
    return render(
        request,
        "meetings/home.html",
        {
            "section": "home",
            "greeting": _greeting(user, now),
            "now": now,
            "today": today,
            "troubled": calendars.troubled(user.pk),
            "ahead": _ahead(user, now),
            "inbox": inbox[:_MOST],
            "more_bookings": any(isinstance(card, BookingCard) for card in inbox[_MOST:]),
            "more_requests": any(isinstance(card, Card) for card in inbox[_MOST:]),
            "week": _week(user, hours, first=first, now=now),
            "has_event_types": has_event_types,
            "has_bookings": has_bookings,
            "is_set_up": has_event_types and has_bookings,
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


_HOURS = Prepared(
    lambda user: WeeklyAvailability.objects.filter(user=user).select_related("default")
)
_SO_FAR = Prepared(
    lambda user: WeeklyAvailability.objects.filter(user=user),
    lambda rows: rows.values_list(
        Exists(EventType.objects.filter(host=OuterRef("user"), is_active=True)),
        Exists(Booking.objects.filter(host=OuterRef("user"))),
    ),
)


# --- what comes, and what needs an answer -------------------------------------------------------


@dataclass(frozen=True)
class Ahead:
    """A confirmed booking or meeting. `color` is that of its event type, `lead` how soon it is."""

    title: str
    url: str
    start: datetime
    end: datetime
    where: str
    join_url: str
    color: str
    lead: Sequence[str]


def _by_start(rows: LifecycleQuerySet[L]) -> LifecycleQuerySet[L]:
    return rows.with_people().order_by("start", "id")


_NEXT_BOOKINGS = Prepared[Booking](
    lambda user, now: _by_start(
        Booking.objects.filter(host=user).in_status(Status.CONFIRMED, now),
    )
)
_WAITING_BOOKINGS = Prepared[Booking](
    lambda user, now: _by_start(
        Booking.objects.filter(host=user).in_status(Status.PENDING, now),
    )
)
_NEXT_MEETINGS = Prepared[MeetingRequest](
    lambda user, now: _by_start(MeetingRequest.objects.in_tab(Tab.CONFIRMED, user, now))
)
_WAITING_MEETINGS = Prepared[MeetingRequest](
    lambda user, now: _by_start(MeetingRequest.objects.in_tab(Tab.PENDING, user, now))
)


def _ahead(user: User, now: datetime) -> list[Ahead]:
    """Return the next confirmed bookings and meetings by start, with those under way."""
    found = []
    for booking in _NEXT_BOOKINGS.objects(_MOST, user=user.pk, now=now):
        url, card = (
            reverse("scheduling:booking", args=[booking.pk]),
            card_of(booking, Role.HOST, now),
        )
        kind = booking.event_type
        found.append(_ahead_of(card, url, now, where=kind.location_display, color=kind.color))
    for meeting in _NEXT_MEETINGS.objects(_MOST, user=user.pk, now=now):
        url = reverse("meetings:meeting", args=[meeting.pk])
        found.append(_ahead_of(Card(meeting, user, Status.CONFIRMED), url, now))
    return sorted(found, key=lambda one: one.start)[:_MOST]


def _ahead_of(
    card: BookingCard | Card, url: str, now: datetime, *, where: str = "", color: str = ""
) -> Ahead:
    lead = wait(card, now)
    return Ahead(card.title, url, card.start, card.end, where, card.join_url, color, lead)


def _inbox(user: User, now: datetime) -> list[BookingCard | Card]:
    """Return the first bookings to approve and requests to answer, by start.

    There are more of them than fit if there is more to answer.
    """
    waiting = {"user": user.pk, "now": now}
    bookings = _WAITING_BOOKINGS.objects(_MOST + 1, **waiting)
    requests = cards_of(_WAITING_MEETINGS.objects(_MOST + 1, **waiting), user, now)
    cards: list[BookingCard | Card] = [
        *(card_of(booking, Role.HOST, now) for booking in bookings),
        *requests,
    ]
    return sorted(cards, key=lambda card: card.start)


# --- the week -------------------------------------------------------------------------------------


def _week(user: User, hours: WeeklyAvailability, *, first: date, now: datetime) -> Week:
    around = first - timedelta(days=2), first + timedelta(days=8)  # the hours may have another zone
    return week_of(
        first,
        zone=user.zone,
        hours=Hours(
            zone=hours.zone,
            weekly=_weekly(hours),
            overrides=availability.overrides(user.pk, *around),
        ),
        claims=_claims(user, instants(first, user.zone), now),
        now=now,
    )


_CHOSEN = Prepared(lambda user: Schedule.objects.filter(user=user).chosen())


def _weekly(hours: WeeklyAvailability) -> dict[int, list[Interval]]:
    """Return the hours of each weekday in which a person can be booked, by any schedule."""
    schedules = [hours.default, *_CHOSEN.objects(user=hours.user_id)]
    return {
        weekday: [window for schedule in schedules for window in schedule.windows.get(weekday, ())]
        for weekday in Weekday.values
    }


# Bookings have their row of the ledger with them; a meeting is drawn without buffers.
_TAKEN = Prepared[BusyTime](
    lambda user, since, until: BusyTime.objects.filter(
        ~Exists(MeetingRequest.busy_times.through.objects.filter(busytime=OuterRef("pk"))),
        user=user,
        start__lt=until,
        end__gt=since,
        exclusive=True,
    ).select_related("booking__event_type")
)
_OUTSIDE = Prepared[BusyTime](
    lambda user, since, until: (
        BusyTime.objects.filter(
            user=user, start__lt=until, end__gt=since, exclusive=False, entry__isnull=False
        )
        .select_related("entry__calendar")
        .order_by("start", "pk")
    )
)
# By status, so that what holds time comes before what is asked for.
_MEETINGS = Prepared[MeetingRequest](
    lambda user, now, since, until: (
        MeetingRequest.objects.visible_to(user)
        .filter(
            Q(status__in=STANDING) | Q(status=Status.PENDING, start__gt=now),
            start__lt=until,
            end__gt=since,
        )
        .with_people()
        .order_by("status", "start", "id")
    )
)


def _claims(user: User, week: Interval, now: datetime) -> Iterator[Claim]:
    """Yield the claims on this person's time in these instants, and the meetings asked for then."""
    since, until = week
    for meeting in _MEETINGS.objects(
        _MOST_OF_WEEK,
        user=user.pk,
        now=now,
        since=datetime.fromtimestamp(since, UTC),
        until=datetime.fromtimestamp(until, UTC),
    ):
        span = int(meeting.start.timestamp()), int(meeting.end.timestamp())
        yield Claim(
            *span,
            kept=span,
            who=meeting.other_party(user).name,
            what=gettext("Meeting"),
            url=reverse("meetings:meeting", args=[meeting.pk]),
            waits=meeting.status == Status.PENDING,
        )
    for row in _TAKEN.objects(user=user.pk, since=since, until=until):
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
            color=booking.event_type.color,
        )
    for row in _OUTSIDE.objects(_MOST_OF_WEEK, user=user.pk, since=since, until=until):
        entry = row.entry
        yield Claim(
            row.start,
            row.end,
            kept=(row.start, row.end),
            who=entry.title or gettext("Busy"),
            what=entry.calendar.name,
            waits=entry.shown_as == ShownAs.TENTATIVE,
            outside=True,
        )

"""First page of a new person: their hours, and the address to share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.pages.signed_in import SignedIn
from core.text import times
from scheduling.models import EventType, Schedule, WeeklyAvailability
from scheduling.models.enums import Weekday
from scheduling.rules.slots import Interval


@dataclass(frozen=True)
class Days:
    """Days that follow each other and have the same hours, in words."""

    first: str
    last: str
    windows: Sequence[str]


@require_safe
@login_required
def start(request: SignedIn) -> HttpResponse:
    """Show the person's hours and the address at which others book them."""
    user = request.user
    weekly = WeeklyAvailability.objects.select_related("default").get(user=user)
    page = reverse("public:host", args=[user.username])
    there = timezone.now().astimezone(weekly.zone)
    context = {
        "zone": weekly.timezone,
        "clock": times.time_of_day(there.hour * 60 + there.minute, user),
        "days": list(days_of(weekly.default, user)),
        "event_type": EventType.objects.visible_to(user).filter(is_active=True).first(),
        "page": page,
        "address": settings.PUBLIC_URL + page,
    }
    return render(request, "scheduling/start.html", context)


def days_of(schedule: Schedule, reader: User) -> Iterator[Days]:
    """Yield the working days of a schedule, in the order of the reader's week."""

    def windows(day: Weekday) -> tuple[Interval, ...]:
        kept = schedule.days[str(day)]
        return tuple((first, last) for first, last in kept["windows"]) if kept["enabled"] else ()

    for found, group in groupby(Weekday.week(reader.week_start), key=windows):
        days = list(group)
        if found:
            written = [
                f"{times.time_of_day(first, reader)} – {times.time_of_day(last, reader)}"
                for first, last in found
            ]
            yield Days(str(days[0].label), str(days[-1].label), written)

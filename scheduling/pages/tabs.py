"""Lists that are shown tab by tab and day by day, and the tabs of a host's bookings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Protocol, TypeVar

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.pages.signed_in import SignedIn
from core.text import times
from core.web.pages import page_of
from scheduling.models.enums import Status
from scheduling.models.lifecycle import L, LifecycleQuerySet
from scheduling.pages.finding import FindForm

K = TypeVar("K")

_PER_PAGE = 20
_SOON = timedelta(days=1)


@dataclass(frozen=True)
class Tab:
    """Name of a tab in addresses, its texts, also for an empty list, and its order."""

    name: str
    title: Promise
    empty: Promise
    hint: Promise
    order: tuple[str, ...]


class Standing(Protocol):
    """An appointment as one of its people sees it."""

    @property
    def start(self) -> datetime: ...
    @property
    def is_open(self) -> bool: ...


@dataclass(frozen=True)
class Row:
    """One appointment in a list: its texts, where its title leads, and what its reader can do.

    `more` are texts and addresses of further actions, the gravest last. `card` is what the answer's
    template shows, `color` that of its event type, `person` the other one if they have an account.
    """

    key: str
    start: datetime
    end: datetime
    title: str
    url: str
    said: Sequence[str]
    join_url: str
    move_url: str
    color: str
    person: User | None
    more: Sequence[tuple[str, str]]
    card: Any


@dataclass(frozen=True)
class Day:
    """The rows of a list that start on one date. `name` is "Today", "Tomorrow" or empty."""

    date: date
    name: str
    written: str
    rows: Sequence[tuple[Row, str]]


def days_of(rows: Iterable[Row], *, person: times.Reader, now: datetime) -> list[Day]:
    """Return the rows with their times as this person reads them, by their date, in their order."""
    today = now.astimezone(person.zone).date()
    names = {today: gettext("Today"), today + timedelta(days=1): gettext("Tomorrow")}
    return [
        Day(
            day,
            names.get(day, ""),
            times.long_date(day) if day.year == today.year else times.full_date(day),
            [(row, times.hours(row.start, row.end, person)) for row in found],
        )
        for day, found in groupby(rows, key=lambda row: row.start.astimezone(person.zone).date())
    ]


def wait(card: Standing, now: datetime) -> list[str]:
    """Return how long it is until an open appointment that starts within a day, or nothing."""
    lead = card.start - now
    return [times.lead(lead)] if card.is_open and timedelta(0) < lead < _SOON else []


def tab_of(request: SignedIn, tabs: Mapping[K, Tab], *, default: K) -> K:
    """Return the key of the tab that `?tab=` names, or else the default one."""
    asked = request.GET.get("tab")
    return next((key for key, tab in tabs.items() if tab.name == asked), default)


def tab_page(
    request: SignedIn,
    template: str,
    tabs: Mapping[K, Tab],
    *,
    key: K,
    form: FindForm,
    every: LifecycleQuerySet[L],
    rows_in: Callable[[K], LifecycleQuerySet[L]],
    rows_of: Callable[[Iterable[L]], list[Row]],
    now: datetime,
    **context: object,
) -> HttpResponse:
    """Show the tab with this key, narrowed to what the form finds. One query counts all tabs.

    The rows of a tab come from its key in `tabs`; `every` holds the rows of all.
    """
    counts = form.narrowed(every).aggregate(
        **{
            tab.name: Count("pk", filter=Q(pk__in=rows_in(k).values("pk")))
            for k, tab in tabs.items()
        }
    )
    tab = tabs[key]
    rows = form.narrowed(rows_in(key)).with_people().order_by(*tab.order)
    page = page_of(request, rows, per_page=_PER_PAGE, count=counts[tab.name])
    return render(
        request,
        template,
        {
            "tab": tab,
            "form": form,
            "query": f"tab={tab.name}{form.query}",
            "tabs": [(each, counts[each.name]) for each in tabs.values()],
            "page": page,
            "days": days_of(rows_of(page), person=request.user, now=now),
            **context,
        },
    )


SOONEST, LATEST = ("start", "id"), ("-start", "-id")
TABS: dict[Status, Tab] = {
    Status.CONFIRMED: Tab(
        "upcoming",
        _("Upcoming"),
        _("No upcoming bookings"),
        _("Share your public page. Bookings appear here, and you get an email for each one."),
        SOONEST,
    ),
    Status.PENDING: Tab(
        "pending",
        _("Needs your answer"),
        _("Nothing needs your answer"),
        _(
            "Bookings that need your approval appear here until you approve or decline them. Their"
            " time is held until then."
        ),
        SOONEST,
    ),
    Status.COMPLETED: Tab(
        "completed",
        _("Completed"),
        _("No past bookings"),
        _("Bookings move here after they have taken place."),
        LATEST,
    ),
    Status.REJECTED: Tab(
        "rejected",
        _("Declined"),
        _("Nothing declined"),
        _("Bookings that you declined appear here, with your reason."),
        LATEST,
    ),
    Status.CANCELLED: Tab(
        "cancelled",
        _("Cancelled"),
        _("Nothing cancelled"),
        _("Bookings that you or your invitees cancelled appear here. Their time is free again."),
        LATEST,
    ),
    Status.EXPIRED: Tab(
        "expired",
        _("Expired"),
        _("Nothing expired"),
        _("Bookings that were not approved in time appear here."),
        LATEST,
    ),
}
"""Tabs of a host's bookings, by the status that each holds."""

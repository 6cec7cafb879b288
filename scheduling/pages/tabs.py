"""Lists that are shown tab by tab, and the tabs of a host's bookings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.web.pages import page_of
from scheduling.models.enums import Status
from scheduling.models.lifecycle import L, LifecycleQuerySet

K = TypeVar("K")

_PER_PAGE = 20


@dataclass(frozen=True)
class Tab:
    """Name of a tab in addresses, its texts, also for an empty list, and its order."""

    name: str
    title: Promise
    empty: Promise
    hint: Promise
    order: tuple[str, ...]


def tab_page(
    request: HttpRequest,
    template: str,
    tabs: Mapping[K, Tab],
    *,
    default: K,
    every: LifecycleQuerySet[L],
    rows_in: Callable[[K], LifecycleQuerySet[L]],
    cards_of: Callable[[Iterable[L]], list[Any]],
    **context: object,
) -> HttpResponse:
    """Show the tab that `?tab=` names, or else the default one. One query counts all tabs.

    Rows and cards of a tab come from its key in `tabs`; `every` holds the rows of all.
    """
    asked = request.GET.get("tab")
    key = next((key for key, tab in tabs.items() if tab.name == asked), default)
    counts = every.aggregate(
        **{
            tab.name: Count("pk", filter=Q(pk__in=rows_in(k).values("pk")))
            for k, tab in tabs.items()
        }
    )
    tab = tabs[key]
    rows = rows_in(key).with_people().order_by(*tab.order)
    page = page_of(request, rows, per_page=_PER_PAGE, count=counts[tab.name])
    return render(
        request,
        template,
        {
            "tab": tab,
            "tabs": [(each, counts[each.name]) for each in tabs.values()],
            "page": page,
            "cards": cards_of(page),
            **context,
        },
    )


SOONEST, LATEST = ("start", "id"), ("-start", "-id")
TABS: dict[Status, Tab] = {
    Status.CONFIRMED: Tab(
        "upcoming",
        _("Upcoming"),
        _("Nothing is booked yet"),
        _(
            "Share the address of your public page. What people book there stands here, and you"
            " get an email about each."
        ),
        SOONEST,
    ),
    Status.PENDING: Tab(
        "pending",
        _("Waiting for you"),
        _("Nothing waits for you"),
        _(
            "Where an event type asks for your approval, a booking stands here until you"
            " approve or decline it. Until then its time is kept."
        ),
        SOONEST,
    ),
    Status.COMPLETED: Tab(
        "completed",
        _("Completed"),
        _("No booking behind you"),
        _("Bookings move here when they have taken place."),
        LATEST,
    ),
    Status.REJECTED: Tab(
        "rejected",
        _("Declined"),
        _("Nothing was declined"),
        _("Bookings that you said no to stand here, with the reason you gave."),
        LATEST,
    ),
    Status.CANCELLED: Tab(
        "cancelled",
        _("Cancelled"),
        _("Nothing was cancelled"),
        _("Bookings that you or your invitees called off stand here. Their time is free again."),
        LATEST,
    ),
    Status.EXPIRED: Tab(
        "expired",
        _("Expired"),
        _("Nothing has expired"),
        _("A booking that was not approved before its time came ends here by itself."),
        LATEST,
    ),
}
"""Tabs of a host's bookings, by the status that each holds."""

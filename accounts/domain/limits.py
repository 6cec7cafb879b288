"""Limits of an account or a team for each kind of thing: `settings.LIMITS`, where 0 is no limit.

A function that makes something locks its owner first (`services.lock`, or the team) and then asks
here. So requests that run at the same time cannot pass a limit together.
"""

from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from core.errors import LimitReached

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")

_REACHED = {
    "calendars": _("You have reached the limit of %(count)d calendars. Disconnect one first."),
    "applications": _("You have reached the limit of %(count)d applications. Delete one first."),
    "event_types": _(
        "You have reached the limit of %(count)d event types, inactive ones included. Delete one"
        " first, or change one."
    ),
    "overrides": _(
        "You have reached the limit of %(count)d date-specific hours. Remove one first."
    ),
    "schedules": _("You have reached the limit of %(count)d schedules. Delete one first."),
    "team_members": _(
        "This team has reached the limit of %(count)d people, invitations included. Remove"
        " somebody or withdraw an invitation first."
    ),
    "teams": _("You have reached the limit of %(count)d teams. Leave one first."),
    "tokens": _("You have reached the limit of %(count)d API tokens. Revoke one first."),
    "webhooks": _("You have reached the limit of %(count)d webhooks. Delete one first."),
}
# Rows that one statement deletes at most: the rest goes with the next one.
_BATCH = 1_000


def refusal(name: str, *rows: QuerySet[Any, Any]) -> str:
    """Return why there can be no more of these rows, in words; empty where there is room."""
    most: int = settings.LIMITS[name]
    return refusal_at(name, sum(each.order_by()[:most].count() for each in rows) if most else 0)


def refusal_at(name: str, count: int) -> str:
    """Return the same of so many rows."""
    most: int = settings.LIMITS[name]
    return str(_REACHED[name] % {"count": most}) if most and count >= most else ""


def require_room(name: str, *rows: QuerySet[Any, Any]) -> None:
    """Raise LimitReached where there can be no more of these rows. The caller holds the lock."""
    if message := refusal(name, *rows):
        raise LimitReached(message)


def surplus(rows: QuerySet[M, Row], most: int) -> list[Row]:
    """Return the rows beyond the first `most`, which the caller takes away; none where that is 0.

    The order of the rows is the order in which they are kept.
    """
    return list(rows[most : most + _BATCH]) if most else []


def trim(rows: QuerySet[M, M], most: int) -> None:
    """Delete the rows beyond the first `most`, in the order in which they are kept."""
    if ids := surplus(rows.values_list("pk", flat=True), most):
        rows.model._base_manager.filter(pk__in=ids).delete()

"""Base of the staff pages of outboxes: filters for what is stuck, and the actions on it.

The actions are those of `manage.py outbox`.
"""

from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from accounts.staff.base import ReadOnlyAdmin, staff_action
from core.db import outboxes
from core.db.outbox import OutboxRow

R = TypeVar("R", bound=OutboxRow)

_AGES = {
    "10m": timedelta(minutes=10),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}


class OfKind(admin.SimpleListFilter):
    """Filter `?kind=booking_confirmed`: rows of one kind."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        boxes = outboxes.of_table(model_admin.model)
        self._path = boxes[0].kind
        return [(kind, kind) for kind in sorted({each for box in boxes for each in box.kinds()})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self._path: self.value()}) if self.value() else queryset


class DueFor(admin.SimpleListFilter):
    """Filter `?due_for=1h`: rows that are due for longer than that."""

    title = _("due")
    parameter_name = "due_for"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        now = timezone.now()
        return [(name, f"> {timesince(now - age, now)}") for name, age in _AGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        age = _AGES.get(self.value() or "")
        return queryset.filter(due_at__lte=timezone.now() - age) if age else queryset


class OutboxAdmin(ReadOnlyAdmin[R]):
    """A table of outbox rows, without their content and address."""

    list_filter: ClassVar[Any] = ("state", OfKind, DueFor)
    actions = ("requeue", "withdraw")

    @staff_action(_("Send again"))
    def requeue(self, request: HttpRequest, row: R) -> None:
        outboxes.of_table(type(row))[0].requeue(pk=row.pk, now=timezone.now())

    @staff_action(_("Withdraw unsent messages"), warning=_("It is not sent any more."))
    def withdraw(self, request: HttpRequest, row: R) -> None:
        outboxes.of_table(type(row))[0].withdraw(pk=row.pk, now=timezone.now())

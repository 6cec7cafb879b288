"""Search and filters of lists of appointments, from the query of their address."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.text.lines import LineFormField
from scheduling.models.lifecycle import L, LifecycleQuerySet

_MOST_WORDS = 5
_EARLIEST, _LATEST = date(1970, 1, 2), date(2999, 12, 31)


class FindForm(forms.Form):
    """Search and filters of a list. An invalid value shows its error and narrows nothing.

    `kinds` are the numbers and names of what the appointments are of. Dates are those of `zone`.
    """

    kind: ClassVar[str]
    """Name of the field, and of the column, that says what the appointments are of."""
    kind_label: ClassVar[Promise]
    all_kinds: ClassVar[Promise]
    searched: ClassVar[Promise]

    q = LineFormField(required=False, max_length=100)

    def __init__(
        self, query: QueryDict, *, zone: ZoneInfo, kinds: Iterable[tuple[int, str]]
    ) -> None:
        super().__init__(query)
        self._zone = zone
        self.fields["q"].label = str(self.searched)
        self.fields["q"].widget.attrs["placeholder"] = str(self.searched)
        self.fields[self.kind] = forms.TypedChoiceField(
            label=str(self.kind_label),
            required=False,
            choices=[("", self.all_kinds), *kinds],
            coerce=int,
            empty_value=None,
        )
        # Two of the names are no names in Python.
        self.fields["from"] = _day_field(_("From"))
        self.fields["to"] = _day_field(_("To"))

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        first, last = found.get("from"), found.get("to")
        if first and last and last < first:
            self.add_error("to", _("This date is before the first one."))
        return found

    @property
    def is_used(self) -> bool:
        """Return whether the list is narrowed, or was meant to be."""
        return any(self.data.get(name) for name in self.fields)

    @property
    def filters(self) -> list[forms.BoundField]:
        """Return the fields beside the search."""
        return [field for field in self if field.name != "q"]

    @property
    def is_filtered(self) -> bool:
        return any(self.data.get(name) for name in self.fields if name != "q")

    @property
    def query(self) -> str:
        """Return the valid values for an address, each after an ampersand."""
        kept = {name: self.data[name] for name in self.fields if self._value(name)}
        return f"&{urlencode(kept)}" if kept else ""

    def narrowed(self, rows: LifecycleQuerySet[L]) -> LifecycleQuerySet[L]:
        for word in (self._value("q") or "").split()[:_MOST_WORDS]:
            rows = rows.filter(self.names(word))
        if kind := self._value(self.kind):
            rows = rows.filter(**{self.kind: kind})
        if first := self._value("from"):
            rows = rows.filter(start__gte=self._midnight(first))
        if last := self._value("to"):
            rows = rows.filter(start__lt=self._midnight(last + timedelta(days=1)))
        return rows

    def names(self, word: str) -> Q:
        """Return the filter for rows whose other person this word of the search names."""
        raise NotImplementedError

    def _value(self, name: str) -> Any:
        return self.cleaned_data.get(name) if self.is_bound and not self.errors.get(name) else None

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self._zone)


def _day_field(label: Promise) -> forms.DateField:
    return forms.DateField(
        label=str(label),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(_EARLIEST), MaxValueValidator(_LATEST)],
    )


class FindBookingForm(FindForm):
    kind, kind_label, all_kinds = "event_type", _("Event type"), _("All event types")
    searched = _("Search by name or email address")

    def names(self, word: str) -> Q:
        return Q(invitee_name__icontains=word) | Q(invitee_email__icontains=word)

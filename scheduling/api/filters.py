"""Filters of the lists of event types and of events."""

import re
from typing import Any

from django.core.validators import RegexValidator
from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter, Filter, FilterSet
from drf_spectacular.utils import extend_schema_field

from core.api.fields import MOMENT, BooleanFormField
from core.api.filters import MomentFilter, UpdatedAfterFilter
from core.text.lines import AddressFormField
from scheduling.models import EventType
from scheduling.models.enums import Status

_KEY = re.compile(r"^([0-9]{1,18}|et_[a-z0-9]{20})$")
_NO_KEY = "Use the number or the uuid of an event type."


class EmailFilter(Filter):
    field_class = AddressFormField


class BooleanFilter(Filter):
    """Boolean filter that refuses an invalid value, which django-filter's own filter ignores."""

    field_class = BooleanFormField


def _as(schema: dict[str, Any], filter_: Filter) -> Filter:
    """Return the filter with its schema for the API document."""
    return extend_schema_field(schema)(filter_)  # type: ignore[type-var]  # it takes these too


def _moment(lookup: str, description: str) -> Filter:
    return _as({**MOMENT, "description": description}, MomentFilter("start", lookup))


class EventTypeFilters(FilterSet):
    active = _as({"type": "boolean"}, BooleanFilter("is_active"))


class EventFilters(FilterSet):
    """Filters of events. `status` is the status at present."""

    status = ChoiceFilter(choices=Status.choices, method="in_status")
    event_type = _as(
        {"type": "string", "pattern": _KEY.pattern, "description": "Its number or its uuid."},
        CharFilter(method="of_event_type", validators=[RegexValidator(_KEY, _NO_KEY)]),
    )
    start_after = _moment("gte", "Starting then or later; UTC unless it has an offset.")
    start_before = _moment("lt", "Starting earlier; UTC unless it has an offset.")
    email = _as(
        {"type": "string", "format": "email", "description": "The invitee's, in any case."},
        EmailFilter("invitee_email", "iexact"),
    )
    updated_after = UpdatedAfterFilter()

    def in_status(self, rows: Any, name: str, value: Status) -> Any:
        return rows.in_status(Status(value), timezone.now())

    def of_event_type(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(event_type__in=EventType.objects.named(value))

"""Fields that accept only their own JSON type: no "5" for 5, and no 5 for "5"."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import SkipField, empty
from rest_framework.request import Request

from core.text.lines import validate_address, validate_line
from core.text.links import LONGEST as LONGEST_LINK

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ufeff]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Years in which every clock in the world, and a notice or a horizon more, can be counted with.
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_YEAR = "(19[0-9]{2}|[2-8][0-9]{3}|9000)"
# Up to here a float is a whole number exactly.
_EXACT = 2**53

# For the schema: `moment` and `calendar_date`. It names the one spelling that all clients write.
MOMENT: dict[str, Any] = {"type": "string", "format": "date-time", "pattern": f"^{_YEAR}-"}
CALENDAR_DATE: dict[str, Any] = {"type": "string", "format": "date", "pattern": f"^{_YEAR}-"}


def moment(text: str) -> datetime:
    """Parse ISO 8601 with a date and a time. The result is naive if the text has no offset.

    The seconds are optional, because browsers leave them out. ValueError for any other text.
    """
    if not _MOMENT.fullmatch(text):
        raise ValueError("Use a date and a time such as 2026-12-15T14:00:00Z (ISO 8601).")
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("There is no such date and time.") from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"Use a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return found


def calendar_date(text: str) -> date:
    """Parse a date such as `2026-12-15`. ValueError for any other text."""
    if not _DATE.fullmatch(text):
        raise ValueError("Use a date such as 2026-12-15.")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError("There is no such date.") from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"Use a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return found


def at(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, of a wall time in this zone.

    An offset in `moment` wins over the zone. A wall time that the clock skips is read with the
    offset before the change. Of two equal wall times, the first is meant.
    """
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


class StrictIntegerField(serializers.IntegerField):
    """A whole number, also written as 30.0 (JSON has one type of number).

    Not a text, not `true`.
    """

    def to_internal_value(self, data: Any) -> int:
        if type(data) is float and data.is_integer() and abs(data) < _EXACT:
            data = int(data)
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """`true` or `false`; not "yes", not 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictCharField(serializers.CharField):
    """A text, not a number. NUL characters are refused, as in DRF's own field.

    A text that may not be blank must have a visible character. The maximum length counts the text
    before it is trimmed. A field that does not trim refuses spaces at the beginning and the end.
    """

    default_error_messages = {"surrounded": "May not begin or end with a space."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not self.allow_blank and not _VISIBLE.search(data):
            self.fail("blank")
        if self.max_length is not None and len(data.strip()) <= self.max_length < len(data):
            self.fail("max_length", max_length=self.max_length)
        if not self.trim_whitespace and data != data.strip():
            self.fail("surrounded")
        return super().to_internal_value(data)


class LineField(StrictCharField):
    """A text of one line without invisible characters, such as a name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(validate_line)


@extend_schema_field(
    {
        "type": "string",
        "maxLength": LONGEST_LINK,
        "pattern": r"^([Hh][Tt][Tt][Pp][Ss]?://[^\x00-\x20\x7f]+)?$",
    }
)
class LinkField(StrictCharField):
    """An http(s) URL, or an empty text. The domain checks it (see `require_link`)."""


class AddressField(serializers.EmailField):
    """An email address that mail can reach (see `AddressValidator`)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators = [
            validate_address if isinstance(each, EmailValidator) else each
            for each in self.validators
        ]


@extend_schema_field(MOMENT)
class MomentField(serializers.Field[datetime, str, str, Any]):
    """A date and a time, naive where it has no offset (see `moment`)."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return moment(data if isinstance(data, str) else "")
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


@extend_schema_field(CALENDAR_DATE)
class CalendarDateField(serializers.Field[date, str, str, Any]):
    """A date (see `calendar_date`)."""

    def to_internal_value(self, data: Any) -> date:
        try:
            return calendar_date(data if isinstance(data, str) else "")
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


@extend_schema_field(
    {
        "type": "string",
        "format": "decimal",
        "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$",
        "description": "An amount with at most two decimals. A JSON number is read too.",
    }
)
class PriceField(serializers.DecimalField):
    """An amount of money with at most two decimals: a text such as "150.00", or a number."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # A decimal field of DRF's takes an empty text for null.
        return (False, data) if isinstance(data, str) else super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Decimal:
        if type(data) not in (str, int, float):
            raise serializers.ValidationError('Use an amount such as "150.00".')
        # What a float cannot hold exactly is forgiven, a third decimal is not.
        text = f"{data:.6f}".rstrip("0").rstrip(".") if isinstance(data, float) else str(data)
        if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,2})?", text):
            raise serializers.ValidationError('Use an amount such as "150.00".')
        return super().to_internal_value(text)


@cache
def _fields_of(shape: type[serializers.Serializer[Any]]) -> Mapping[str, Any]:
    # To make a serializer takes longer than to ask the fields of one, which keep nothing.
    return shape().fields


def query_of(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return the values of the query, read by the fields of this serializer.

    ValidationError if wrong. Each value is read as plain text. In a QueryDict, DRF would take an
    empty value for a missing one.
    """
    fields = _fields_of(shape)
    require_single(request, fields)
    found, wrong = dict[str, Any](), dict[str, Any]()
    for name, field in fields.items():
        try:
            found[name] = field.run_validation(request.query_params.get(name, empty))
        except SkipField:
            continue
        except serializers.ValidationError as error:
            wrong[name] = error.detail
    if wrong:
        raise serializers.ValidationError(wrong)
    return found


def require_single(request: Request, names: Iterable[str]) -> None:
    """Refuse (ValidationError) a query that gives one of these parameters more than once."""
    query = request.query_params
    twice = [name for name in names if len(query.getlist(name)) > 1]
    if twice:
        raise serializers.ValidationError({name: ["Give this parameter once."] for name in twice})


class QueryIntegerField(serializers.IntegerField):
    """A whole number in a query, also as 30.0. Only ASCII digits: int() would also take ` 1_0 `."""

    def to_internal_value(self, data: Any) -> int:
        whole = re.fullmatch(r"(-?[0-9]+)(\.0+)?", str(data))
        if not whole:
            self.fail("invalid")
        return super().to_internal_value(whole[1])


def query_boolean(text: str) -> bool:
    """Return the truth value of `true`, `false`, `1` or `0`, in any case.

    ValueError for other texts.
    """
    words = {"true": True, "1": True, "false": False, "0": False}
    try:
        return words[text.lower()]
    except KeyError:
        raise ValueError("Use true or false.") from None


class QueryBooleanField(serializers.BooleanField):
    """A truth value in a query (see `query_boolean`)."""

    def to_internal_value(self, data: Any) -> bool:
        try:
            return query_boolean(str(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class StrictModelSerializer(serializers.ModelSerializer[Any]):
    """The input for a model.

    Its ranges, lengths and choices are the model's own, checked strictly.
    """

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.BooleanField: StrictBooleanField,
        models.CharField: StrictCharField,
        models.PositiveSmallIntegerField: StrictIntegerField,
        models.SmallIntegerField: StrictIntegerField,
        models.TextField: StrictCharField,
    }


class BooleanFormField(forms.Field):
    """`QueryBooleanField` for a filter. The value is None if the query does not give it."""

    def to_python(self, value: Any) -> bool | None:
        try:
            return query_boolean(value) if value else None
        except ValueError as error:
            raise ValidationError(str(error)) from None


class MomentFormField(forms.Field):
    """`MomentField` in a query; a time without an offset is UTC."""

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            return at(moment(value), ZoneInfo("UTC"))
        except ValueError as error:
            raise ValidationError(str(error)) from None

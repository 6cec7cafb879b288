"""Serializers of outside calendars and the feed."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from calendars.api import examples
from calendars.domain import counts
from calendars.domain.feeds import address_of
from calendars.domain.problems import in_words
from calendars.models import Calendar, CalendarAccount, Feed
from calendars.models.accounts import known_as_of
from core.api.fields import LineField, QueryBooleanField, StrictBooleanField, StrictCharField
from core.api.reading import Derived, Many
from core.api.schema import example

_TEXT_OR_NULL = serializers.CharField(allow_null=True)


def _or_null(text: str) -> str | None:
    return text or None


def _in_words_or_null(code: str) -> str | None:
    return in_words(code) if code else None


def _error_class(column: str, help_text: str) -> Derived:
    return Derived(_or_null, column, like=_TEXT_OR_NULL, help_text=help_text)


def _error_in_words(column: str) -> Derived:
    return Derived(
        _in_words_or_null,
        column,
        like=_TEXT_OR_NULL,
        help_text="The same in words, and what to do.",
    )


@example(examples.CALENDAR_OF_ACCOUNT)
class CalendarOfAccountSerializer(serializers.Serializer[Calendar]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    color = Derived(_or_null, "color", like=_TEXT_OR_NULL)
    timezone = Derived(
        _or_null,
        "timezone",
        like=_TEXT_OR_NULL,
        help_text="Of all-day entries and times without a zone; null: that of your profile.",
    )
    is_writable = serializers.BooleanField()
    blocks = serializers.BooleanField(help_text="Its entries close your time.")
    blocks_tentative = serializers.BooleanField(help_text="Tentative entries too.")
    blocks_all_day = serializers.BooleanField(help_text="All-day entries too.")
    writes = serializers.BooleanField(help_text="Your bookings are written to it.")
    entries = serializers.IntegerField(
        source="entry_count",
        help_text="How many are known. A series is one; what Parley wrote there does not count.",
    )
    unreadable = serializers.IntegerField(
        source="unreadable_count", help_text="How many could not be read."
    )
    as_of = Derived(
        known_as_of,
        "read_at",
        "account.read_at",
        like=serializers.DateTimeField(allow_null=True),
        help_text="When it was read last. Only calendars that close time are read.",
    )
    error = _error_class("error", "Why the last reading failed, such as `timeout` or `http_503`.")
    message = _error_in_words("error")
    unwritten = serializers.IntegerField(
        source="unwritten_count",
        help_text="How many changes of your bookings and meetings still wait to be written to it.",
    )
    write_error = _error_class("write_error", "Why bookings cannot be written to it.")
    write_message = _error_in_words("write_error")


class AccountOfCalendarSerializer(serializers.Serializer[CalendarAccount]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()


@example(examples.CALENDAR)
class CalendarSerializer(CalendarOfAccountSerializer):
    account = AccountOfCalendarSerializer()


@example(examples.ACCOUNT)
class CalendarAccountSerializer(serializers.Serializer[CalendarAccount]):
    """An account at a calendar server. What opens it is never answered."""

    uuid = serializers.CharField()
    id = serializers.IntegerField()
    provider = serializers.ChoiceField(CalendarAccount.Provider.choices)
    name = serializers.CharField()
    server = serializers.CharField(source="host")
    state = serializers.ChoiceField(CalendarAccount.State.choices)
    state_since = serializers.DateTimeField()
    error = _error_class("error", "Why the last reading failed, such as `timeout` or `http_503`.")
    message = _error_in_words("error")
    read_at = serializers.DateTimeField(
        allow_null=True, help_text="When all its calendars were read last."
    )
    calendars = Many(
        CalendarOfAccountSerializer(),
        model=Calendar,
        owner="account",
        annotate=counts.with_counts,
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


@extend_schema_field(
    {
        "type": "string",
        "maxLength": 2000,
        "pattern": r"^([Hh][Tt][Tt][Pp][Ss]?|[Ww][Ee][Bb][Cc][Aa][Ll])://[^\x00-\x20\x7f]+$",
    }
)
class CalendarUrlField(serializers.RegexField):
    """An address of a calendar or of a server. The provider judges whether it can be reached."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            r"(?i)^(https?|webcal)://[^\x00-\x20\x7f]+\Z",
            max_length=2000,
            trim_whitespace=False,
            error_messages={"invalid": in_words("invalid_url")},
            **options,
        )

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


_URL_HELP = "`webcal` is read as `https`. For CalDAV any address of the server or of a calendar."


@example(examples.NEW_ACCOUNT)
class NewCalendarAccountSerializer(serializers.Serializer[Any]):
    """An account to connect. CalDAV needs `username` and `password`, an ICS address has none."""

    provider = serializers.ChoiceField(CalendarAccount.Provider.choices)
    name = LineField(
        max_length=120,
        allow_blank=True,
        default="",
        help_text="Default: the name that the server tells.",
    )
    url = CalendarUrlField(help_text=_URL_HELP)
    username = StrictCharField(max_length=255, trim_whitespace=False, allow_blank=True, default="")
    password = StrictCharField(
        max_length=1000,
        trim_whitespace=False,
        allow_blank=True,
        default="",
        help_text="Best one that is for Parley alone (an app password).",
    )


@example(examples.ACCOUNT_CHANGE)
class CalendarAccountChangeSerializer(serializers.Serializer[Any]):
    """Changes to an account. A field that you leave out keeps its value."""

    name = LineField(max_length=120, required=False)
    url = CalendarUrlField(
        required=False, help_text=f"{_URL_HELP} Another address needs the `password` again."
    )
    username = StrictCharField(max_length=255, trim_whitespace=False, required=False)
    password = StrictCharField(max_length=1000, trim_whitespace=False, required=False)


class DisconnectQuery(serializers.Serializer[Any]):
    """The query of a deletion."""

    take_back = QueryBooleanField(
        default=False, help_text="Also delete there what was written to its calendars."
    )


@example(examples.CALENDAR_CHANGE)
class CalendarChangeSerializer(serializers.Serializer[Any]):
    """Changes to a calendar. A field that you leave out keeps its value."""

    blocks = StrictBooleanField(required=False, help_text="Its entries close your time.")
    blocks_tentative = StrictBooleanField(required=False)
    blocks_all_day = StrictBooleanField(required=False)
    writes = StrictBooleanField(
        required=False,
        help_text="Your bookings are written to it, and to no other calendar any more.",
    )


@example(examples.FEED)
class FeedSerializer(serializers.Serializer[Feed]):
    """Your bookings and confirmed meetings, as other calendars subscribe to them."""

    url = Derived(address_of, "token", like=serializers.CharField(), help_text="It is a secret.")
    shows_titles = serializers.BooleanField(help_text="False: every entry says only “Busy”.")
    created_at = serializers.DateTimeField()


@example(examples.NEW_FEED)
class NewFeedSerializer(serializers.Serializer[Any]):
    shows_titles = StrictBooleanField(
        required=False, help_text="Default: as before; at first true."
    )

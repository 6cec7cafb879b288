"""Serializers of event types, their slots, and events."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.serializers import ZoneField
from calendars.models import Calendar
from calendars.models.accounts import known_as_of
from core.api.fields import (
    AddressField,
    CalendarDateField,
    LineField,
    LinkField,
    MomentField,
    PriceField,
    QueryBooleanField,
    QueryIntegerField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictModelSerializer,
)
from core.api.reading import Derived
from core.api.schema import NO_NUL, example
from core.text.links import LONGEST as LONGEST_LINK
from core.text.names import validate_name
from scheduling.api import examples
from scheduling.domain.guests import MOST as MOST_GUESTS
from scheduling.domain.readings import (
    TEXT_OR_NULL,
    EventDetailsSerializer,
    EventSerializer,
    or_null,
)
from scheduling.models import (
    EventType,
    HistoryEntry,
    link_is_later,
    location_in_words,
)
from scheduling.models.enums import (
    Change,
    Location,
    PaymentMethod,
    Role,
    Status,
    Weekday,
)
from scheduling.models.event_types import (
    LONGEST_DURATION,
    LONGEST_REMINDER,
    MOST_DURATIONS,
    MOST_REMINDERS,
    SHORTEST_DURATION,
    SHORTEST_REMINDER,
)
from scheduling.rules import custom_fields, metadata
from scheduling.rules.custom_fields import FieldType
from scheduling.rules.phones import LONGEST as LONGEST_PHONE
from scheduling.rules.slots import Reason

MOST_DAYS = 62
_PHONE_HELP = (
    "In any usual form, with the country code or as it is dialled in the country of your hours."
    " Answers have E.164, with an extension after it. A `phone_call` needs one."
)
OVER_CALENDAR_HELP = (
    "Take the time although your own calendar has something then. Without it, that is a conflict"
    " with the `reason` `calendar`."
)
_WEEKDAYS = [day.name.lower() for day in Weekday]
_CLOSED = [
    reason.value
    for reason in (
        Reason.NOTICE,
        Reason.HORIZON,
        Reason.DAILY_LIMIT,
        Reason.WEEKLY_LIMIT,
        Reason.BUSY,
        Reason.BUFFER,
    )
]


# --- event types --------------------------------------------------------------------------------


class LocationSerializer(serializers.Serializer[EventType]):
    type = serializers.ChoiceField(Location.choices, source="location")
    display = Derived(
        location_in_words, "location", "location_custom", like=serializers.CharField()
    )
    custom = Derived(or_null, "location_custom", like=TEXT_OR_NULL)
    link = Derived(or_null, "location_link", like=TEXT_OR_NULL)
    link_later = Derived(
        link_is_later,
        "location",
        "location_link",
        like=serializers.BooleanField(),
        help_text="People meet by a link, and it follows.",
    )


class SchedulingSettingsSerializer(serializers.Serializer[EventType]):
    buffer_time_before = serializers.IntegerField(help_text="Minutes.")
    buffer_time_after = serializers.IntegerField(help_text="Minutes.")
    min_advance_booking = serializers.IntegerField(help_text="Hours.")
    max_advance_booking = serializers.IntegerField(help_text="Days.")
    available_days = Derived(
        lambda numbers: [_WEEKDAYS[number - 1] for number in numbers],
        "available_days",
        like=serializers.ListField(child=serializers.ChoiceField(_WEEKDAYS)),
    )
    slot_interval = serializers.IntegerField(
        allow_null=True, help_text="Minutes from one start to the next; null: with the buffers."
    )
    daily_limit = serializers.IntegerField(allow_null=True)
    weekly_limit = serializers.IntegerField(
        allow_null=True, help_text="Of an ISO week, in the zone of your hours."
    )
    cancellation_notice = serializers.IntegerField(
        help_text="Minutes before the start. The invitee may cancel or reschedule until then."
    )
    reminders = serializers.ListField(
        child=serializers.IntegerField(), help_text="Minutes before the start."
    )
    schedule_id = serializers.IntegerField(
        allow_null=True, help_text="The schedule that it follows; null: your default schedule."
    )


class PaymentSerializer(serializers.Serializer[EventType]):
    is_paid = Derived(bool, "price", like=serializers.BooleanField())
    price = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    payment_method = Derived(
        or_null,
        "payment_method",
        like=serializers.ChoiceField(PaymentMethod.choices, allow_null=True),
    )


class CustomFieldSerializer(serializers.Serializer[Any]):
    """A question for the invitee of a booking."""

    name = serializers.RegexField(
        r"^[a-z][a-z0-9_]{0,59}\Z",
        trim_whitespace=False,
        help_text="Its key among an event's `custom_field_values`.",
    )
    # In the API's words, though a DRF field has attributes of these names too.
    label = LineField(max_length=200, required=False)  # type: ignore[assignment]
    type = serializers.ChoiceField([kind.value for kind in FieldType])
    required = StrictBooleanField(default=False)  # type: ignore[assignment]
    options = serializers.ListField(child=LineField(max_length=200), default=list, max_length=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**attrs, "label": attrs.get("label") or attrs["name"]}


@example(examples.EVENT_TYPE)
class EventTypeSerializer(serializers.Serializer[EventType]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField()
    duration = serializers.IntegerField(help_text="Minutes.")
    durations = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Minutes to choose from; empty: there is nothing to choose.",
    )
    color = serializers.CharField()
    location = LocationSerializer(source="*")
    is_active = serializers.BooleanField()
    is_hidden = serializers.BooleanField(help_text="Your public page does not list it.")
    requires_approval = serializers.BooleanField()
    confirm_email = serializers.BooleanField(
        help_text="Invitees confirm their address before a public booking is made."
    )
    scheduling_settings = SchedulingSettingsSerializer(source="*")
    timezone = serializers.CharField()
    payment = PaymentSerializer(source="*")
    custom_fields = CustomFieldSerializer(many=True)
    redirect_url = Derived(
        or_null, "redirect_url", like=TEXT_OR_NULL, help_text="Where a browser goes after booking."
    )
    sort_order = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    uri = Derived("/api/v1/event_types/{}".format, "id", like=serializers.CharField())
    scheduling_url = Derived("{}/{}".format, "host.username", "slug", like=serializers.CharField())


@extend_schema_field(
    {"type": "array", "minItems": 1, "maxItems": 7, "items": {"type": "string", "enum": _WEEKDAYS}}
)
class DaysField(serializers.ListField):
    """Names of weekdays. The model requires at least one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.ChoiceField(_WEEKDAYS), max_length=7, **options)


@example(examples.NEW_EVENT_TYPE)
class NewEventTypeSerializer(StrictModelSerializer):
    """An event type in the flat form of a request. A field that you leave out has its default."""

    timezone = ZoneField(required=False, help_text="Default: UTC.")
    schedule_id = StrictIntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=10**18,
        help_text="The schedule that it follows; null: your default schedule.",
    )
    durations = serializers.ListField(
        child=StrictIntegerField(min_value=SHORTEST_DURATION, max_value=LONGEST_DURATION),
        required=False,
        max_length=MOST_DURATIONS,
        help_text="Minutes that invitees choose from. `duration` is always one of them.",
    )
    available_days = DaysField(required=False)
    reminders = serializers.ListField(
        child=StrictIntegerField(min_value=SHORTEST_REMINDER, max_value=LONGEST_REMINDER),
        required=False,
        max_length=MOST_REMINDERS,
        help_text="Minutes before the start. Default: a day and 15 minutes.",
    )
    custom_fields = serializers.ListField(
        child=CustomFieldSerializer(), required=False, max_length=50
    )
    price = PriceField(max_digits=10, decimal_places=2, required=False, allow_null=True)
    payment_method = serializers.ChoiceField(PaymentMethod.choices, required=False, allow_null=True)
    location_custom = StrictCharField(
        required=False, allow_null=True, allow_blank=True, max_length=500
    )
    location_link = LinkField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Where people join: of `zoom_meeting`, `google_meet` and `custom`.",
    )
    link_later = StrictBooleanField(
        required=False, help_text="The link follows; the default where none is given."
    )

    redirect_url = LinkField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=LONGEST_LINK,
        help_text="An https URL where the browser goes after a booking on your public page.",
    )

    class Meta:
        model = EventType
        fields = (
            "name",
            "duration",
            "durations",
            "description",
            "color",
            "location",
            "location_custom",
            "location_link",
            "link_later",
            "timezone",
            "slug",
            "is_active",
            "is_hidden",
            "requires_approval",
            "confirm_email",
            "buffer_time_before",
            "buffer_time_after",
            "min_advance_booking",
            "max_advance_booking",
            "schedule_id",
            "available_days",
            "slot_interval",
            "daily_limit",
            "weekly_limit",
            "cancellation_notice",
            "reminders",
            "price",
            "currency",
            "payment_method",
            "custom_fields",
            "redirect_url",
            "sort_order",
        )
        extra_kwargs = {
            "slug": {"required": False, "trim_whitespace": False},
            "color": {"trim_whitespace": False},
            "currency": {"trim_whitespace": False},
        }

    def validate_available_days(self, names: list[str]) -> list[int]:
        return sorted({_WEEKDAYS.index(name) + 1 for name in names})

    def validate_reminders(self, minutes: list[int]) -> list[int]:
        return sorted(set(minutes), reverse=True)

    def validate_payment_method(self, method: str | None) -> str:
        return method or ""

    def validate_location_custom(self, text: str | None) -> str:
        return text or ""

    def validate_redirect_url(self, link: str | None) -> str:
        return link or ""

    def validate_location_link(self, link: str | None) -> str:
        return link or ""


@example(examples.EVENT_TYPE_CHANGE)
class EventTypeChangeSerializer(NewEventTypeSerializer):
    """Changes of an event type. A field that you leave out stays unchanged."""

    # Not by `partial=True`: that would reach into the custom fields, which come whole.
    class Meta(NewEventTypeSerializer.Meta):
        extra_kwargs = NewEventTypeSerializer.Meta.extra_kwargs | {
            "name": {"required": False},
            "duration": {"required": False},
        }


# --- availability -------------------------------------------------------------------------------


class SlotSerializer(serializers.Serializer[Any]):
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    available = serializers.BooleanField()
    reason = serializers.ChoiceField(
        _CLOSED, required=False, help_text="Why a closed slot is closed: the first that holds."
    )
    # In the API's words, though a DRF field has an attribute of this name too.
    source = serializers.CharField(  # type: ignore[assignment]
        required=False,
        help_text=(
            "Of `busy` and `buffer`: `booking`, `meeting`, or `calendar: ` and the calendar's name."
        ),
    )


class SlotsOfDateSerializer(serializers.Serializer[Any]):
    date = serializers.DateField(help_text="In the time zone of the query.")
    slots = SlotSerializer(many=True)


class ReadCalendarSerializer(serializers.Serializer[Calendar]):
    """A calendar that closes time, and when it was read last."""

    uuid = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    as_of = Derived(
        known_as_of,
        "read_at",
        "account.read_at",
        like=serializers.DateTimeField(allow_null=True),
    )
    error = Derived(or_null, "error", like=TEXT_OR_NULL, help_text="Why the last reading failed.")


@example(examples.SLOTS)
class SlotsOfDateListSerializer(serializers.Serializer[Any]):
    data = SlotsOfDateSerializer(many=True)  # type: ignore[assignment]
    calendars = ReadCalendarSerializer(
        many=True, required=False, help_text="With `include_unavailable` only."
    )


class AvailabilityQuery(serializers.Serializer[Any]):
    """The query of an event type's availability."""

    start_date = CalendarDateField(required=False, help_text="Default: today.")
    end_date = CalendarDateField(
        required=False,
        help_text=f"Default: six days later; at most {MOST_DAYS} dates, both ends counted.",
    )
    timezone = ZoneField(required=False, help_text="Default: the event type's.")
    duration = QueryIntegerField(
        required=False,
        min_value=SHORTEST_DURATION,
        max_value=LONGEST_DURATION,
        help_text="Minutes, one of `durations`. Default: the event type's `duration`.",
    )
    include_unavailable = QueryBooleanField(default=False)


# --- events -------------------------------------------------------------------------------------


example(examples.EVENT)(EventSerializer)
example(examples.EVENT_DETAILS)(EventDetailsSerializer)


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": custom_fields.MOST_ANSWERS,
        "propertyNames": {
            "type": "string",
            "maxLength": custom_fields.LONGEST_NAME,
            "pattern": NO_NUL,
        },
        "additionalProperties": {},
    }
)
class AnswersField(serializers.DictField):
    """Answers of any type, by the names of their questions."""


class _AsItIsField(serializers.CharField):
    """A text, with the spaces around it."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": metadata.MOST,
        "propertyNames": {
            "type": "string",
            "minLength": 1,
            "maxLength": metadata.LONGEST_KEY,
            "pattern": NO_NUL,
        },
        "additionalProperties": {
            "type": "string",
            "maxLength": metadata.LONGEST_VALUE,
            "pattern": NO_NUL,
        },
    }
)
class MetadataField(serializers.DictField):
    """Texts by names of the caller's own. The domain knows how many, and how long."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=_AsItIsField(allow_blank=True, trim_whitespace=False), **options)


@example(examples.NEW_EVENT)
class NewEventSerializer(serializers.Serializer[Any]):
    event_type_id = StrictIntegerField(min_value=1, max_value=10**18)
    attendee_email = AddressField(max_length=254)
    attendee_name = LineField(max_length=200, validators=[validate_name])
    start_time = MomentField(
        help_text="ISO 8601. Without an offset it is read in `timezone`, else the event type's."
    )
    duration = StrictIntegerField(
        required=False,
        min_value=SHORTEST_DURATION,
        max_value=LONGEST_DURATION,
        help_text="Minutes, one of the event type's `durations`. Default: its `duration`.",
    )
    attendee_phone = StrictCharField(
        max_length=LONGEST_PHONE, allow_blank=True, default="", help_text=_PHONE_HELP
    )
    timezone = ZoneField(required=False, help_text="The invitee's; default: the event type's.")
    notes = StrictCharField(max_length=5000, allow_blank=True, default="")
    custom_field_values = AnswersField(
        default=dict, help_text="By the names of the event type's fields; others are kept as text."
    )
    guests = serializers.ListField(
        child=AddressField(max_length=254),
        max_length=MOST_GUESTS,
        default=list,
        help_text="Addresses of people whom the invitee brings along. They are invited too.",
    )
    join_url = LinkField(
        allow_null=True, allow_blank=True, default="", help_text="In place of the event type's."
    )
    metadata = MetadataField(default=dict, help_text="Your own texts. They stay as they are.")
    over_calendar = StrictBooleanField(default=False, help_text=OVER_CALENDAR_HELP)

    def validate_join_url(self, link: str | None) -> str:
        return link or ""


@example(examples.EVENT_CHANGE)
class EventChangeSerializer(serializers.Serializer[Any]):
    """Changes of an event. A field that you leave out stays unchanged.

    Single custom field values that you leave out stay too. Send null to remove one of these.
    """

    notes = StrictCharField(max_length=5000, allow_blank=True, required=False)
    attendee_phone = StrictCharField(
        max_length=LONGEST_PHONE, allow_blank=True, required=False, help_text=_PHONE_HELP
    )
    custom_field_values = AnswersField(required=False)
    join_url = LinkField(
        allow_null=True,
        allow_blank=True,
        required=False,
        help_text="In place of the event type's, which counts again after null.",
    )

    def validate_join_url(self, link: str | None) -> str:
        return link or ""


@example(examples.RESCHEDULE)
class RescheduleSerializer(serializers.Serializer[Any]):
    start_time = MomentField(
        help_text="ISO 8601. Without an offset it is read in `timezone`, else the event type's."
    )
    timezone = ZoneField(required=False)
    reason = StrictCharField(max_length=500, allow_blank=True, allow_null=True, default="")
    over_calendar = StrictBooleanField(default=False, help_text=OVER_CALENDAR_HELP)


@example(examples.REASON)
class ReasonSerializer(serializers.Serializer[Any]):
    reason = StrictCharField(max_length=500, allow_blank=True, allow_null=True, default="")


@example(examples.NO_SHOW)
class NoShowSerializer(serializers.Serializer[Any]):
    no_show = StrictBooleanField()


@example(examples.HISTORY)
class HistorySerializer(serializers.Serializer[HistoryEntry]):
    sequence = serializers.IntegerField(help_text="The event's, from then on.")
    change = serializers.ChoiceField(Change.choices)
    from_status = Derived(
        or_null, "from_status", like=serializers.ChoiceField(Status.choices, allow_null=True)
    )
    to_status = serializers.ChoiceField(Status.choices)
    start_time = serializers.DateTimeField(source="start", help_text="From then on.")
    end_time = serializers.DateTimeField(source="end", help_text="From then on.")
    by = serializers.ChoiceField(Role.choices, source="role")
    reason = serializers.CharField()
    calendars_as_of = serializers.DateTimeField(
        allow_null=True,
        help_text="As of when your calendars were known, if they could not be read right before.",
    )
    at = serializers.DateTimeField()

"""The shapes of the v3 meeting API."""

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.fields import StrictCharField, StrictIntegerField
from config.api.reading import Derived
from config.api.schema import example
from config.errors import Invalid
from meetings.api import examples
from meetings.enums import Status, status_at
from meetings.models import MeetingRequest

_REQUIRED = ("user_id", "team_id", "date")
_INTEGER = serializers.IntegerField()


def _epoch_second(moment: datetime) -> int:
    return int(moment.timestamp())


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": 2**63 - 1})
class IdField(StrictIntegerField):
    """The number of something that may or may not be there."""


@extend_schema_field({"type": "string", "maxLength": 64})
class DateField(StrictCharField):
    """Date and time, as people write them (see `meetings.when`)."""


@extend_schema_field(
    {
        "type": "string",
        "maxLength": 1000,
        "pattern": r"^([Hh][Tt][Tt][Pp][Ss]?://[^\x00-\x20\x7f]+)?$",
    }
)
class LinkField(StrictCharField):
    """An http(s) URL, or nothing."""


@example(examples.NEW_MEETING)
class NewMeetingSerializer(serializers.Serializer[Any]):
    """What is asked for. `user_id` is the recipient."""

    user_id = IdField(help_text="The person to meet, a member of the team.")
    team_id = IdField(help_text="A team that both belong to.")
    date = DateField(help_text="Date and time. Without an offset it is the recipient's wall clock.")
    link = LinkField(
        allow_null=True, allow_blank=True, default="", help_text="Where to meet: an http(s) URL."
    )

    def to_internal_value(self, data: Any) -> Any:
        # The document has one sentence for whichever of the three is missing, before all else.
        if isinstance(data, dict) and any(data.get(name) in (None, "") for name in _REQUIRED):
            raise Invalid("user_id, team_id, and date are required")
        return super().to_internal_value(data)


@example(examples.MEETING)
class MeetingSerializer(serializers.Serializer[MeetingRequest]):
    """A meeting: the eleven fields of the document in its order, then ours."""

    id = serializers.IntegerField()
    booking_number = serializers.CharField()
    client_id = serializers.IntegerField(source="recipient_id", help_text="The recipient.")
    user_id = serializers.IntegerField(source="requester_id", help_text="Who asked.")
    team_id = serializers.IntegerField()
    timezone = serializers.CharField(help_text="The zone in which the date was read.")
    booking_date = Derived(
        lambda start: f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "start",
        like=serializers.CharField(),
        help_text="The start, in UTC: `2026-12-15 19:00:00`.",
    )
    start_time = Derived(
        _epoch_second, "start", like=_INTEGER, help_text="The start, in epoch seconds."
    )
    end_time = Derived(_epoch_second, "end", like=_INTEGER, help_text="The end, in epoch seconds.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    status = Derived(
        lambda status, start, end: status_at(status, start, end, timezone.now()),
        "status",
        "start",
        "end",
        like=serializers.ChoiceField(Status.choices),
    )
    link = Derived(lambda link: link or None, "link", like=serializers.CharField(allow_null=True))

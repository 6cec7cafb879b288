"""Serializers of the v3 meeting API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import LinkField, StrictBooleanField, StrictCharField, StrictIntegerField
from core.api.schema import example
from core.errors import Invalid
from meetings.api import examples
from meetings.domain.readings import MeetingSerializer
from scheduling.api.serializers import OVER_CALENDAR_HELP

_REQUIRED = ("user_id", "team_id", "date")


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": 2**63 - 1})
class IdField(StrictIntegerField):
    """An id. The object with this id may or may not exist."""


@extend_schema_field({"type": "string", "maxLength": 64})
class DateField(StrictCharField):
    """Date and time as people write them (see `meetings.domain.when`)."""


@example(examples.NEW_MEETING)
class NewMeetingSerializer(serializers.Serializer[Any]):
    """A request for a meeting. `user_id` is the recipient."""

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


@example(examples.CONFIRMATION)
class ConfirmationSerializer(serializers.Serializer[Any]):
    over_calendar = StrictBooleanField(default=False, help_text=OVER_CALENDAR_HELP)


example(examples.MEETING)(MeetingSerializer)

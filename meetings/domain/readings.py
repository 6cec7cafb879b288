"""Fields of a meeting in API responses and webhook payloads."""

from datetime import UTC, datetime

from rest_framework import serializers

from core.api.reading import Derived
from meetings.models import MeetingRequest
from scheduling.domain.readings import present_status

_INTEGER = serializers.IntegerField()


def _epoch_second(moment: datetime) -> int:
    return int(moment.timestamp())


class MeetingSerializer(serializers.Serializer[MeetingRequest]):
    """A meeting between two members of a team. `status` and `link` come last."""

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
    status = present_status()
    link = Derived(lambda link: link or None, "link", like=serializers.CharField(allow_null=True))

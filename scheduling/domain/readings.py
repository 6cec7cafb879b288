"""Fields of a booking in API responses and webhook payloads."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts.domain.readings import NameField
from core.api.reading import Derived
from scheduling.models import Booking, EventType, name_of_invitee
from scheduling.models.enums import Status
from scheduling.models.lifecycle import status_at

TEXT_OR_NULL = serializers.CharField(allow_null=True)


def or_null(text: str) -> str | None:
    """Return None for a text that is empty in the database and null in the API."""
    return text or None


def present_status() -> Derived:
    """Return the column of the status that is true when it is shown."""
    return Derived(
        lambda status, start, end: status_at(status, start, end, timezone.now()),
        "status",
        "start",
        "end",
        like=serializers.ChoiceField(Status.choices),
    )


class EventTypeOfEventSerializer(serializers.Serializer[EventType]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    duration = serializers.IntegerField(help_text="Minutes.")


class InviteeSerializer(serializers.Serializer[Booking]):
    name = Derived(name_of_invitee, "invitee_name", "erased_at", like=serializers.CharField())
    email = serializers.CharField(source="invitee_email")
    phone = Derived(or_null, "invitee_phone", like=TEXT_OR_NULL)


class HostSerializer(serializers.Serializer[Any]):
    name = NameField()
    email = serializers.CharField()


class EventSerializer(serializers.Serializer[Booking]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    status = present_status()
    start_time = serializers.DateTimeField(source="start")
    end_time = serializers.DateTimeField(source="end")
    timezone = serializers.CharField(help_text="The invitee's.")
    event_type = EventTypeOfEventSerializer()
    invitee = InviteeSerializer(source="*")
    host = HostSerializer()
    notes = serializers.CharField()
    custom_field_values = serializers.DictField()
    sequence = serializers.IntegerField(help_text="Rises with every change of status or time.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    uri = Derived("/api/v1/events/{}".format, "id", like=serializers.CharField())

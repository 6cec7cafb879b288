"""Fields of a booking in API responses and webhook payloads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.domain.readings import NameField
from core.api.reading import Derived, Many
from scheduling.domain import links
from scheduling.models import (
    Booking,
    EventType,
    Guest,
    link_to_join,
    location_in_words,
    name_of_invitee,
)
from scheduling.models.enums import Change, Location, Role, Status
from scheduling.models.lifecycle import status_at
from scheduling.rules.custom_fields import CustomField, questions_with_answers

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


def _link_or_null(own: str, shared: str) -> str | None:
    return or_null(link_to_join(own, shared))


def _questions(
    questions: Sequence[CustomField], answers: Mapping[str, Any]
) -> list[dict[str, Any]]:
    found = questions_with_answers(questions, answers)
    return [{"label": label, "answer": answer} for label, answer in found]


def _previous(start: datetime | None, end: datetime | None) -> dict[str, Any] | None:
    return {"start_time": start, "end_time": end} if start else None


def link() -> Derived:
    """Return the link of a booking, by its own column and that of its event type."""
    return Derived(
        _link_or_null,
        "join_url",
        "event_type.location_link",
        like=TEXT_OR_NULL,
        help_text="Where both join: the event's own link, else that of its type.",
    )


class LocationOfEventSerializer(serializers.Serializer[Booking]):
    type = serializers.ChoiceField(Location.choices, source="event_type.location")
    display = Derived(
        location_in_words,
        "event_type.location",
        "event_type.location_custom",
        like=serializers.CharField(),
    )
    custom = Derived(or_null, "event_type.location_custom", like=TEXT_OR_NULL)
    join_url = link()


class QuestionSerializer(serializers.Serializer[Any]):
    # In the API's words, though a DRF field has an attribute of this name too.
    label = serializers.CharField()  # type: ignore[assignment]
    answer = serializers.JSONField(help_text="A text, a number or a truth value.")


class LastChangeSerializer(serializers.Serializer[Booking]):
    """Newest entry of the history."""

    change = serializers.ChoiceField(Change.choices, source="last_change")
    by = serializers.ChoiceField(Role.choices, source="last_by")
    reason = serializers.CharField(source="last_reason")
    at = serializers.DateTimeField(source="last_at")


class PreviousSerializer(serializers.Serializer[Any]):
    """Time before the last reschedule."""

    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()


class InviteeSerializer(serializers.Serializer[Booking]):
    name = Derived(name_of_invitee, "invitee_name", "erased_at", like=serializers.CharField())
    email = serializers.CharField(source="invitee_email")
    phone = Derived(or_null, "invitee_phone", like=TEXT_OR_NULL)


class HostSerializer(serializers.Serializer[Any]):
    name = NameField()
    email = serializers.CharField()


class GuestSerializer(serializers.Serializer[Guest]):
    email = serializers.CharField()


@extend_schema_field(serializers.ListField(child=serializers.CharField()))
class GuestsField(Many):
    """Addresses of the guests, in the order in which they were named."""

    def __init__(self) -> None:
        super().__init__(
            GuestSerializer(),
            source="invited",
            model=Guest,
            owner="booking",
            annotate=lambda rows: rows.exclude(email=""),
            only="email",
            help_text="Addresses of people whom the invitee brings along.",
        )


class EventSerializer(serializers.Serializer[Booking]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    status = present_status()
    start_time = serializers.DateTimeField(source="start")
    end_time = serializers.DateTimeField(source="end")
    timezone = serializers.CharField(help_text="The invitee's.")
    event_type = EventTypeOfEventSerializer()
    location = LocationOfEventSerializer(source="*")
    join_url = link()
    invitee = InviteeSerializer(source="*")
    guests = GuestsField()
    host = HostSerializer()
    notes = serializers.CharField()
    custom_field_values = serializers.DictField()
    questions = Derived(
        _questions,
        "event_type.custom_fields",
        "custom_field_values",
        like=QuestionSerializer(many=True),
        help_text="The answers under the labels of their questions.",
    )
    metadata = serializers.DictField(
        child=serializers.CharField(), help_text="What was given when it was created."
    )
    no_show = Derived(
        lambda at: at is not None,
        "no_show_at",
        like=serializers.BooleanField(),
        help_text="Whether the host noted that the invitee did not come.",
    )
    sequence = serializers.IntegerField(
        help_text="Rises with every change of status, time or link."
    )
    last_change = LastChangeSerializer(source="*")
    previous = Derived(
        _previous,
        "previous_start",
        "previous_end",
        like=PreviousSerializer(allow_null=True),
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    uri = Derived("/api/v1/events/{}".format, "id", like=serializers.CharField())


class EventDetailsSerializer(EventSerializer):
    """An event with links to its invitee's page. Anybody who has one of them can act with it."""

    cancel_url = Derived(links.cancel_url, "id", "invitee_email", "erased_at", like=TEXT_OR_NULL)
    reschedule_url = Derived(
        links.reschedule_url, "id", "invitee_email", "erased_at", like=TEXT_OR_NULL
    )

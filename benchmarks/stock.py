"""The list of events as a new project would write it: generic view, model serializers.

It shows the same rows and fields as `GET /api/v1/events`, to every caller. It looks up no caller,
checks no scope and counts no request. It is served under `benchmarks.stock_settings`.
"""

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from rest_framework import generics, serializers

from accounts.models import User
from scheduling.models import Booking, EventType
from scheduling.rules.custom_fields import questions_with_answers


class EventTypeSerializer(serializers.ModelSerializer[EventType]):
    class Meta:
        model = EventType
        fields = ("uuid", "id", "name", "slug", "duration")


class HostSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("name", "email")


class InviteeSerializer(serializers.ModelSerializer[Booking]):
    name = serializers.CharField(source="invitee")
    email = serializers.CharField(source="invitee_email")
    phone = serializers.SerializerMethodField()

    class Meta:
        model = Booking
        fields = ("name", "email", "phone")

    def get_phone(self, booking: Booking) -> str | None:
        return booking.invitee_phone or None


class LocationSerializer(serializers.ModelSerializer[Booking]):
    type = serializers.CharField(source="event_type.location")
    display = serializers.CharField(source="event_type.location_display")
    custom = serializers.SerializerMethodField()
    join_url = serializers.SerializerMethodField()

    class Meta:
        model = Booking
        fields = ("type", "display", "custom", "join_url")

    def get_custom(self, booking: Booking) -> str | None:
        return booking.event_type.location_custom or None

    def get_join_url(self, booking: Booking) -> str | None:
        return booking.link or None


class LastChangeSerializer(serializers.ModelSerializer[Booking]):
    change = serializers.CharField(source="last_change")
    by = serializers.CharField(source="last_by")
    reason = serializers.CharField(source="last_reason")
    at = serializers.DateTimeField(source="last_at")

    class Meta:
        model = Booking
        fields = ("change", "by", "reason", "at")


class EventSerializer(serializers.ModelSerializer[Booking]):
    status = serializers.SerializerMethodField()
    start_time = serializers.DateTimeField(source="start")
    end_time = serializers.DateTimeField(source="end")
    event_type = EventTypeSerializer()
    location = LocationSerializer(source="*")
    join_url = serializers.SerializerMethodField()
    invitee = InviteeSerializer(source="*")
    host = HostSerializer()
    questions = serializers.SerializerMethodField()
    last_change = LastChangeSerializer(source="*")
    previous = serializers.SerializerMethodField()
    uri = serializers.SerializerMethodField()

    class Meta:
        model = Booking
        fields = (
            "uuid",
            "id",
            "status",
            "start_time",
            "end_time",
            "timezone",
            "event_type",
            "location",
            "join_url",
            "invitee",
            "host",
            "notes",
            "custom_field_values",
            "questions",
            "metadata",
            "sequence",
            "last_change",
            "previous",
            "created_at",
            "updated_at",
            "uri",
        )

    def get_status(self, booking: Booking) -> str:
        return booking.status_at(timezone.now())

    def get_join_url(self, booking: Booking) -> str | None:
        return booking.link or None

    def get_questions(self, booking: Booking) -> list[dict[str, Any]]:
        asked, answers = booking.event_type.custom_fields, booking.custom_field_values
        return [
            {"label": label, "answer": answer}
            for label, answer in questions_with_answers(asked, answers)
        ]

    def get_previous(self, booking: Booking) -> dict[str, Any] | None:
        if booking.previous_start is None:
            return None
        return {"start_time": booking.previous_start, "end_time": booking.previous_end}

    def get_uri(self, booking: Booking) -> str:
        return f"/api/v1/events/{booking.pk}"


class Events(generics.ListAPIView[Booking]):
    serializer_class = EventSerializer

    def get_queryset(self) -> QuerySet[Booking, Booking]:
        of_host = Booking.objects.filter(host__username=self.kwargs["username"])
        return of_host.select_related("event_type", "host")


urlpatterns = [path("events/<str:username>", Events.as_view())]

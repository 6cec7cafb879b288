"""The list of events as a new project would write it: generic view, model serializers.

It shows the same rows and fields as `GET /api/v1/events`, to every caller. It looks up no caller,
checks no scope and counts no request. It is served under `benchmarks.stock_settings`.
"""

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from rest_framework import generics, serializers

from accounts.models import User
from scheduling.models import Booking, EventType


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


class EventSerializer(serializers.ModelSerializer[Booking]):
    status = serializers.SerializerMethodField()
    start_time = serializers.DateTimeField(source="start")
    end_time = serializers.DateTimeField(source="end")
    event_type = EventTypeSerializer()
    invitee = InviteeSerializer(source="*")
    host = HostSerializer()
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
            "invitee",
            "host",
            "notes",
            "custom_field_values",
            "sequence",
            "created_at",
            "updated_at",
            "uri",
        )

    def get_status(self, booking: Booking) -> str:
        return booking.status_at(timezone.now())

    def get_uri(self, booking: Booking) -> str:
        return f"/api/v1/events/{booking.pk}"


class Events(generics.ListAPIView[Booking]):
    serializer_class = EventSerializer

    def get_queryset(self) -> QuerySet[Booking, Booking]:
        of_host = Booking.objects.filter(host__username=self.kwargs["username"])
        return of_host.select_related("event_type", "host")


urlpatterns = [path("events/<str:username>", Events.as_view())]

"""`/api/v1/users/me/availability`: the weekly hours and the date-specific hours of a person."""

from datetime import date

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import caller
from accounts.api.serializers import DeletedSerializer
from core.api import envelope
from core.api.fields import CALENDAR_DATE, calendar_date
from core.api.reading import Reading
from core.api.schema import ErrorSerializer, answer
from core.errors import NotFound
from scheduling.api.serializers_of_hours import (
    AvailabilityChangeSerializer,
    AvailabilitySerializer,
    OverrideChangeSerializer,
    OverrideSerializer,
)
from scheduling.domain import services
from scheduling.models import DateOverride, WeeklyAvailability

_AVAILABILITY = envelope.item_of(AvailabilitySerializer)
_HOURS = Reading(AvailabilitySerializer, lambda user: WeeklyAvailability.objects.filter(user=user))
_OVERRIDES = Reading(OverrideSerializer, lambda user: DateOverride.objects.filter(user=user))
_DELETED = answer(DeletedSerializer, {"message": "Override deleted successfully"})
_DATE = OpenApiParameter("date", CALENDAR_DATE, OpenApiParameter.PATH)


class AvailabilityViewSet(ViewSet):
    scope = "availability"

    @extend_schema(operation_id="get_availability", responses=_AVAILABILITY)
    def retrieve(self, request: Request) -> Response:
        """Return your weekly hours, by day."""
        return envelope.item(_HOURS.all(user=caller(request).pk)[0])

    @extend_schema(
        operation_id="update_availability",
        request=AvailabilityChangeSerializer,
        responses=_AVAILABILITY,
    )
    def partial_update(self, request: Request) -> Response:
        """Change the days that you send; other days stay unchanged.

        A disabled day keeps its hours.
        """
        asked = AvailabilityChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        weekly = services.set_hours(
            user=caller(request),
            days=wanted["availability"],
            timezone=wanted.get("timezone", ""),
        )
        return envelope.item(AvailabilitySerializer(weekly).data)

    @extend_schema(
        operation_id="replace_availability",
        request=AvailabilityChangeSerializer,
        responses=_AVAILABILITY,
    )
    def update(self, request: Request) -> Response:
        """Change the days that you send. The same as PATCH."""
        return self.partial_update(request)


class OverrideViewSet(ViewSet):
    scope = "availability"
    lookup_url_kwarg = "date"

    @extend_schema(
        operation_id="list_overrides",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(OverrideSerializer),
    )
    def list(self, request: Request) -> Response:
        """List your date-specific hours, by date."""
        return envelope.page(request, _OVERRIDES.of(user=caller(request).pk))

    @extend_schema(
        operation_id="set_override",
        parameters=[_DATE],
        request=OverrideChangeSerializer,
        responses={
            200: envelope.item_of(OverrideSerializer),
            409: OpenApiResponse(ErrorSerializer, "There are as many of them as there can be."),
        },
    )
    def update(self, request: Request, date: str) -> Response:
        """Set the hours of one date, in place of its weekday's hours. No windows mean a day off."""
        asked = OverrideChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        override = services.set_override(
            user=caller(request), day=_date(date), windows=asked.validated_data["windows"]
        )
        return envelope.item(OverrideSerializer(override).data)

    @extend_schema(operation_id="delete_override", parameters=[_DATE], responses={200: _DELETED})
    def destroy(self, request: Request, date: str) -> Response:
        """Remove the date-specific hours of one date. Its weekday's hours apply again."""
        services.delete_override(user=caller(request), day=_date(date))
        return Response({"message": "Override deleted successfully"})


def _date(text: str) -> date:
    try:
        return calendar_date(text)
    except ValueError as error:
        raise NotFound(str(error)) from None

"""`/api/v1/users/me/availability` and `…/schedules`: the hours by week and by date of a person."""

from datetime import date

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import caller
from accounts.api.serializers import DeletedSerializer
from core.api import envelope
from core.api.fields import CALENDAR_DATE, calendar_date
from core.api.idempotency import answer_once
from core.api.reading import Reading
from core.api.schema import IDEMPOTENCY_KEY, ErrorSerializer, answer
from core.errors import NotFound
from scheduling.api.serializers_of_hours import (
    AvailabilityChangeSerializer,
    AvailabilitySerializer,
    NewScheduleSerializer,
    OverrideChangeSerializer,
    OverrideSerializer,
    ScheduleChangeSerializer,
    ScheduleSerializer,
)
from scheduling.domain import services
from scheduling.models import DateOverride, Schedule, WeeklyAvailability

_AVAILABILITY = envelope.item_of(AvailabilitySerializer)
_HOURS = Reading(AvailabilitySerializer, lambda user: WeeklyAvailability.objects.filter(user=user))
_SCHEDULE = envelope.item_of(ScheduleSerializer)
_SCHEDULES = Reading(ScheduleSerializer, Schedule.objects.visible_to, "schedule")
_OVERRIDES = Reading(OverrideSerializer, lambda user: DateOverride.objects.filter(user=user))
_DELETED = answer(DeletedSerializer, {"message": "Override deleted successfully"})
_SCHEDULE_DELETED = answer(DeletedSerializer, {"message": "Schedule deleted successfully"})
_DATE = OpenApiParameter("date", CALENDAR_DATE, OpenApiParameter.PATH)


class AvailabilityViewSet(ViewSet):
    scope = "availability"

    @extend_schema(operation_id="get_availability", responses=_AVAILABILITY)
    def retrieve(self, request: Request) -> Response:
        """Return the weekly hours of your default schedule, by day."""
        return envelope.item(_HOURS.all(user=caller(request).pk)[0])

    @extend_schema(
        operation_id="update_availability",
        request=AvailabilityChangeSerializer,
        responses=_AVAILABILITY,
    )
    def partial_update(self, request: Request) -> Response:
        """Change the days that you send of your default schedule; other days stay unchanged.

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


class ScheduleViewSet(ViewSet):
    scope = "availability"
    lookup_url_kwarg = "key"
    key_prefix = "sch"
    links = (
        "key",
        "/data/uuid",
        "get_schedule",
        "update_schedule",
        "delete_schedule",
        "make_default_schedule",
    )

    @extend_schema(
        operation_id="list_schedules",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(ScheduleSerializer),
    )
    def list(self, request: Request) -> Response:
        """List your schedules, oldest first."""
        return envelope.page(request, _SCHEDULES.of(user=caller(request).pk))

    @extend_schema(
        operation_id="create_schedule",
        parameters=[IDEMPOTENCY_KEY],
        request=NewScheduleSerializer,
        responses={201: _SCHEDULE},
    )
    def create(self, request: Request) -> Response:
        """Create a schedule. Event types follow it once their `schedule_id` names it."""

        def create() -> Response:
            asked = NewScheduleSerializer(data=request.data)
            asked.is_valid(raise_exception=True)
            wanted = asked.validated_data
            made = services.create_schedule(
                user=caller(request), name=wanted["name"], days=wanted.get("availability")
            )
            return envelope.item(ScheduleSerializer(made).data, status=201)

        return answer_once(request, create)

    @extend_schema(operation_id="get_schedule", responses=_SCHEDULE)
    def retrieve(self, request: Request, key: str) -> Response:
        """Return one of your schedules."""
        return envelope.item(_SCHEDULES.one(key, user=caller(request).pk))

    @extend_schema(
        operation_id="update_schedule", request=ScheduleChangeSerializer, responses=_SCHEDULE
    )
    def partial_update(self, request: Request, key: str) -> Response:
        """Change the name or the days that you send; the others stay unchanged."""
        found = _schedule(request, key)
        asked = ScheduleChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        changed = services.update_schedule(
            schedule=found, name=wanted.get("name"), days=wanted.get("availability")
        )
        return envelope.item(ScheduleSerializer(changed).data)

    @extend_schema(
        operation_id="replace_schedule", request=ScheduleChangeSerializer, responses=_SCHEDULE
    )
    def update(self, request: Request, key: str) -> Response:
        """Change the name or the days that you send. The same as PATCH."""
        return self.partial_update(request, key)

    @extend_schema(
        operation_id="delete_schedule",
        responses={
            200: _SCHEDULE_DELETED,
            409: OpenApiResponse(
                ErrorSerializer, "It is the default schedule, or event types follow it."
            ),
        },
    )
    def destroy(self, request: Request, key: str) -> Response:
        """Delete a schedule that is not the default and that no event type follows."""
        services.delete_schedule(schedule=_schedule(request, key))
        return Response({"message": "Schedule deleted successfully"})

    @extend_schema(operation_id="make_default_schedule", request=None, responses=_SCHEDULE)
    @action(detail=True, methods=["post"])
    def make_default(self, request: Request, key: str) -> Response:
        """Make it your default schedule, which event types without one of their own follow."""
        made = services.make_default(schedule=_schedule(request, key))
        return envelope.item(ScheduleSerializer(made).data)


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


def _schedule(request: Request, key: str) -> Schedule:
    return services.find_schedule(key=key, user=caller(request))


def _date(text: str) -> date:
    try:
        return calendar_date(text)
    except ValueError as error:
        raise NotFound(str(error)) from None

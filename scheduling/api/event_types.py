"""`/api/v1/event_types`: what can be booked of a host, and which starts are free."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import caller
from accounts.api.serializers import DeletedSerializer
from calendars.models import Calendar
from core.api import envelope
from core.api.fields import query_of
from core.api.filters import filtered
from core.api.idempotency import answer_once
from core.api.reading import Reading
from core.api.rendering import instant
from core.api.schema import IDEMPOTENCY_KEY, answer
from core.errors import Invalid
from core.text.zones import zone_of
from scheduling.api.filters import EventTypeFilters
from scheduling.api.serializers import (
    MOST_DAYS,
    AvailabilityQuery,
    EventTypeChangeSerializer,
    EventTypeSerializer,
    NewEventTypeSerializer,
    ReadCalendarSerializer,
    SlotsOfDateListSerializer,
)
from scheduling.domain import availability, explain, services
from scheduling.models import EventType
from scheduling.rules.slots import Slot

_EVENT_TYPE = envelope.item_of(EventTypeSerializer)
_BLOCKING = Reading(
    ReadCalendarSerializer, lambda user: Calendar.objects.visible_to(user).filter(blocks=True)
)
_EVENT_TYPES = Reading(EventTypeSerializer, EventType.objects.visible_to, "event type")
_DELETED = answer(DeletedSerializer, {"message": "Event type deleted successfully"})


class EventTypeViewSet(ViewSet):
    scope = "event_types"
    lookup_url_kwarg = "key"
    key_prefix = "et"
    queryset = EventType.objects.none()
    filter_backends = (DjangoFilterBackend,)
    filterset_class = EventTypeFilters
    links = (
        "key",
        "/data/uuid",
        "get_event_type",
        "update_event_type",
        "delete_event_type",
        "get_event_type_availability",
    )

    @extend_schema(
        operation_id="list_event_types",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(EventTypeSerializer),
    )
    def list(self, request: Request) -> Response:
        """List your event types, in your order."""
        user = caller(request).pk
        rows = filtered(request, _EVENT_TYPES, self.filterset_class, user=user)
        return envelope.page(request, rows)

    @extend_schema(
        operation_id="create_event_type",
        parameters=[IDEMPOTENCY_KEY],
        request=NewEventTypeSerializer,
        responses={201: _EVENT_TYPE},
    )
    def create(self, request: Request) -> Response:
        """Create an event type. Its `slug` is made from its name unless you send one."""

        def create() -> Response:
            wanted = NewEventTypeSerializer(data=request.data)
            wanted.is_valid(raise_exception=True)
            made = services.create_event_type(host=caller(request), **wanted.validated_data)
            return envelope.item(EventTypeSerializer(made).data, status=201)

        return answer_once(request, create)

    @extend_schema(operation_id="get_event_type", responses=_EVENT_TYPE)
    def retrieve(self, request: Request, key: str) -> Response:
        """Return one of your event types."""
        return envelope.item(_EVENT_TYPES.one(key, user=caller(request).pk))

    @extend_schema(
        operation_id="update_event_type", request=EventTypeChangeSerializer, responses=_EVENT_TYPE
    )
    def partial_update(self, request: Request, key: str) -> Response:
        """Change the fields that you send.

        The others stay, and the slug also when the name changes.
        """
        found = _event_type(request, key)
        wanted = EventTypeChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        changed = services.update_event_type(event_type=found, **wanted.validated_data)
        return _answer_event_type(changed)

    @extend_schema(
        operation_id="replace_event_type",
        request=EventTypeChangeSerializer,
        responses=_EVENT_TYPE,
    )
    def update(self, request: Request, key: str) -> Response:
        """The same as PATCH: change what you send."""
        return self.partial_update(request, key)

    @extend_schema(operation_id="delete_event_type", responses={200: _DELETED})
    def destroy(self, request: Request, key: str) -> Response:
        """Delete an event type. If it has events, it is deactivated and kept."""
        if services.delete_event_type(event_type=_event_type(request, key)):
            return Response({"message": "Event type deleted successfully"})
        return Response({"message": "Event type deactivated, since it has events"})

    @extend_schema(
        operation_id="get_event_type_availability",
        parameters=[AvailabilityQuery],
        responses=SlotsOfDateListSerializer,
    )
    @action(detail=True, scope="availability")
    def availability(self, request: Request, key: str) -> Response:
        """List the slots that can be booked, in UTC, by date. Dates without any are left out.

        With `include_unavailable` closed slots say why they are closed, and `calendars` names the
        calendars that close time, and when each was read last.
        """
        query = query_of(request, AvailabilityQuery)
        found, now = _event_type(request, key), timezone.now()
        zone = zone_of(query.get("timezone", found.timezone))
        first = query.get("start_date", now.astimezone(zone).date())
        last = query.get("end_date", first + timedelta(days=6))
        if last < first:
            raise Invalid("The end may not be before the start.", field="end_date")
        if (last - first).days >= MOST_DAYS:
            raise Invalid(f"Ask for at most {MOST_DAYS} dates.", field="end_date")
        found = availability.lasting(found, query.get("duration"))
        days: list[tuple[date, list[Slot]]] = []
        if found.is_active:
            days += availability.slots_by_date(found, zone=zone, first=first, last=last, now=now)
        closed = query["include_unavailable"]
        slots = [slot for _day, of_day in days for slot in of_day]
        sources = explain.sources(found, slots) if closed else {}
        shown = [
            {
                "date": day,
                "slots": [_slot(each, sources) for each in of_day if closed or not each.reason],
            }
            for day, of_day in days
        ]
        body: dict[str, Any] = {"data": [day for day in shown if day["slots"]]}
        if closed:
            body["calendars"] = _BLOCKING.all(user=found.host_id)
        return Response(body)


def _slot(slot: Slot, sources: Mapping[int, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "start_time": _text(slot.start),
        "end_time": _text(slot.end),
        "available": not slot.reason,
    }
    if slot.reason:
        shown["reason"] = slot.reason
    if slot.start in sources:
        shown["source"] = sources[slot.start]
    return shown


@lru_cache(maxsize=2**14)
def _text(second: int) -> str:
    """Return an instant as the renderer writes it. Cached, because the same ones recur."""
    return instant(availability.instant_of(second))


def _event_type(request: Request, key: str) -> EventType:
    return services.find_event_type(key=key, user=caller(request))


def _answer_event_type(event_type: EventType) -> Response:
    return envelope.item(EventTypeSerializer(event_type).data)

"""`/api/v1/`: event types and what is free of them, and events."""

from datetime import timedelta
from functools import lru_cache, partial
from typing import Any

from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import caller
from accounts.api.serializers import DeletedSerializer
from core.api import envelope
from core.api.fields import at, query_of
from core.api.filters import narrowed
from core.api.idempotency import once
from core.api.reading import Reading
from core.api.rendering import instant
from core.api.schema import IDEMPOTENCY_KEY, ErrorSerializer, answer
from core.errors import Invalid
from core.text.zones import zone_of
from scheduling.api.filters import EventFilters, EventTypeFilters
from scheduling.api.serializers import (
    MOST_DAYS,
    AvailabilityQuery,
    EventChangeSerializer,
    EventTypeChangeSerializer,
    EventTypeSerializer,
    HistorySerializer,
    NewEventSerializer,
    NewEventTypeSerializer,
    ReasonSerializer,
    RescheduleSerializer,
    SlotsOfDateSerializer,
)
from scheduling.domain import availability, bookings, limits, services
from scheduling.domain.readings import EventSerializer
from scheduling.messages.notifications import topic_of
from scheduling.models import Booking, EventType, HistoryEntry
from scheduling.models.enums import Role
from scheduling.rules.slots import Slot

_EVENT = envelope.item_of(EventSerializer)
_EVENT_TYPE = envelope.item_of(EventTypeSerializer)
_EVENT_TYPES = Reading(EventTypeSerializer, EventType.objects.visible_to, "event type")
_EVENTS = Reading(EventSerializer, Booking.objects.visible_to, "event")
_HISTORY = Reading(HistorySerializer, lambda booking: HistoryEntry.objects.filter(booking=booking))
_DELETED = answer(DeletedSerializer, {"message": "Event type deleted successfully"})


# --- event types --------------------------------------------------------------------------------


class EventTypes(APIView):
    scope = "event_types"
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
    def get(self, request: Request) -> Response:
        """Your event types, in your order."""
        user = caller(request).pk
        rows = narrowed(request, _EVENT_TYPES, self.filterset_class, user=user)
        return envelope.page(request, rows)

    @extend_schema(
        operation_id="create_event_type",
        parameters=[IDEMPOTENCY_KEY],
        request=NewEventTypeSerializer,
        responses={201: _EVENT_TYPE},
    )
    def post(self, request: Request) -> Response:
        """Offer something new. Its address is made from its name unless you give a `slug`."""

        def create() -> Response:
            wanted = NewEventTypeSerializer(data=request.data)
            wanted.is_valid(raise_exception=True)
            made = services.create_event_type(host=caller(request), **wanted.validated_data)
            return envelope.item(EventTypeSerializer(made).data, status=201)

        return once(request, create)


class OneEventType(APIView):
    scope = "event_types"
    key_prefix = "et"

    @extend_schema(operation_id="get_event_type", responses=_EVENT_TYPE)
    def get(self, request: Request, key: str) -> Response:
        """One of your event types."""
        return envelope.item(_EVENT_TYPES.one(key, user=caller(request).pk))

    @extend_schema(
        operation_id="update_event_type", request=EventTypeChangeSerializer, responses=_EVENT_TYPE
    )
    def patch(self, request: Request, key: str) -> Response:
        """Change what you send; the rest stays, the slug also when the name changes."""
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
    def put(self, request: Request, key: str) -> Response:
        """The same as PATCH: change what you send."""
        return self.patch(request, key)

    @extend_schema(operation_id="delete_event_type", responses={200: _DELETED})
    def delete(self, request: Request, key: str) -> Response:
        """Delete an event type. One that has events is deactivated and kept."""
        if services.delete_event_type(event_type=_event_type(request, key)):
            return Response({"message": "Event type deleted successfully"})
        return Response({"message": "Event type deactivated, since it has events"})


class Slots(APIView):
    scope = "availability"
    key_prefix = "et"

    @extend_schema(
        operation_id="get_event_type_availability",
        parameters=[AvailabilityQuery],
        responses=envelope.list_of(SlotsOfDateSerializer),
    )
    def get(self, request: Request, key: str) -> Response:
        """The starts that can be booked, in UTC, by date. Dates without any are left out."""
        query = query_of(request, AvailabilityQuery)
        found, now = _event_type(request, key), timezone.now()
        zone = zone_of(query.get("timezone", found.timezone))
        first = query.get("start_date", now.astimezone(zone).date())
        last = query.get("end_date", first + timedelta(days=6))
        if last < first:
            raise Invalid("The end may not be before the start.", field="end_date")
        if (last - first).days >= MOST_DAYS:
            raise Invalid(f"Ask for at most {MOST_DAYS} dates.", field="end_date")
        if not found.is_active:
            return envelope.item([])
        days = availability.slots_by_date(found, zone=zone, first=first, last=last, now=now)
        closed = query["include_unavailable"]
        shown = [
            {"date": day, "slots": [_slot(each) for each in of_day if closed or not each.reason]}
            for day, of_day in days
        ]
        return envelope.item([day for day in shown if day["slots"]])


def _slot(slot: Slot) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "start_time": _text(slot.start),
        "end_time": _text(slot.end),
        "available": not slot.reason,
    }
    if slot.reason:
        shown["reason"] = slot.reason
    return shown


@lru_cache(maxsize=2**14)
def _text(second: int) -> str:
    """An instant, as the renderer would write it; whoever is asked for, the same ones recur."""
    return instant(availability.instant_of(second))


def _event_type(request: Request, key: str) -> EventType:
    return services.find_event_type(key=key, user=caller(request))


def _answer_event_type(event_type: EventType) -> Response:
    return envelope.item(EventTypeSerializer(event_type).data)


# --- events -------------------------------------------------------------------------------------


class Events(APIView):
    scope = "events"
    queryset = Booking.objects.none()
    filter_backends = (DjangoFilterBackend,)
    filterset_class = EventFilters
    links = (
        "key",
        "/data/uuid",
        "get_event",
        "update_event",
        "confirm_event",
        "reject_event",
        "cancel_event",
        "reschedule_event",
        "delete_event",
        "get_event_history",
    )

    @extend_schema(
        operation_id="list_events",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(EventSerializer),
    )
    def get(self, request: Request) -> Response:
        """What is booked of you, by start."""
        rows = narrowed(request, _EVENTS, self.filterset_class, user=caller(request).pk)
        return envelope.page(request, rows)

    @extend_schema(
        operation_id="create_event",
        parameters=[IDEMPOTENCY_KEY],
        request=NewEventSerializer,
        responses={201: _EVENT},
    )
    def post(self, request: Request) -> Response:
        """Book a start that is offered, for an invitee. Both are told by email.

        A start that is taken is a conflict, whose `reason` is `busy`, `buffer` or `daily_limit`;
        one that is never offered, or not yet or no longer, is a validation error.
        """
        return once(
            request,
            lambda: self._book(request),
            about=lambda made: topic_of(made.data["data"]["id"]),
        )

    def _book(self, request: Request) -> Response:
        asked = NewEventSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted, host = asked.validated_data, caller(request)
        event_type = EventType.objects.visible_to(host).filter(pk=wanted["event_type_id"]).first()
        if event_type is None:
            raise Invalid("You have no such event type.", field="event_type_id")
        zone, now = wanted.get("timezone", event_type.timezone), timezone.now()
        admit = partial(limits.admit_by_api, host=host, email=wanted["attendee_email"], now=now)
        booking = bookings.book(
            event_type=event_type,
            start=at(wanted["start_time"], zone_of(zone)),
            invitee=bookings.Invitee(
                name=wanted["attendee_name"],
                email=wanted["attendee_email"],
                phone=wanted["attendee_phone"],
                timezone=zone,
            ),
            notes=wanted["notes"],
            answers=wanted["custom_field_values"],
            actor=bookings.host(host),
            now=now,
            admit=admit,
        )
        return envelope.item(EventSerializer(booking).data, status=201)


class Event(APIView):
    scope = "events"
    key_prefix = "evt"

    @extend_schema(operation_id="get_event", responses=_EVENT)
    def get(self, request: Request, key: str) -> Response:
        """One event of yours."""
        return envelope.item(_EVENTS.one(key, user=caller(request).pk))

    @extend_schema(operation_id="update_event", request=EventChangeSerializer, responses=_EVENT)
    def patch(self, request: Request, key: str) -> Response:
        """Change what is noted about an event. Its time moves by `reschedule`."""
        found = _event(request, key)
        asked = EventChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        changed = bookings.update(
            booking=found,
            notes=wanted.get("notes"),
            phone=wanted.get("attendee_phone"),
            answers=wanted.get("custom_field_values"),
            now=timezone.now(),
        )
        return _answer_event(changed)

    @extend_schema(operation_id="replace_event", request=EventChangeSerializer, responses=_EVENT)
    def put(self, request: Request, key: str) -> Response:
        """The same as PATCH: change what you send."""
        return self.patch(request, key)

    @extend_schema(
        operation_id="delete_event",
        responses={200: _EVENT, 409: OpenApiResponse(ErrorSerializer, "It is over already.")},
    )
    def delete(self, request: Request, key: str) -> Response:
        """The same as `cancel`, without a reason."""
        return _cancel(request, key, "")


class Confirm(APIView):
    scope = "events"
    key_prefix = "evt"

    @extend_schema(operation_id="confirm_event", request=None, responses=_EVENT)
    def post(self, request: Request, key: str) -> Response:
        """Approve a pending event."""
        confirmed = bookings.confirm(
            booking=_event(request, key), actor=_host(request), now=timezone.now()
        )
        return _answer_event(confirmed)


class Reject(APIView):
    scope = "events"
    key_prefix = "evt"

    @extend_schema(operation_id="reject_event", request=ReasonSerializer, responses=_EVENT)
    def post(self, request: Request, key: str) -> Response:
        """Decline a pending event; its time is free again."""
        found, reason = _event(request, key), _reason(request)
        rejected = bookings.reject(
            booking=found, actor=_host(request), reason=reason, now=timezone.now()
        )
        return _answer_event(rejected)


class Cancel(APIView):
    scope = "events"
    key_prefix = "evt"

    @extend_schema(operation_id="cancel_event", request=ReasonSerializer, responses=_EVENT)
    def post(self, request: Request, key: str) -> Response:
        """Call an event off; its time is free again, and it leaves both calendars."""
        return _cancel(request, key, _reason(request))


class Reschedule(APIView):
    scope = "events"
    key_prefix = "evt"

    @extend_schema(operation_id="reschedule_event", request=RescheduleSerializer, responses=_EVENT)
    def post(self, request: Request, key: str) -> Response:
        """Move an event to another start that is offered. It keeps its id; `sequence` rises."""
        found = _event(request, key)
        asked = RescheduleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        zone, now = wanted.get("timezone", found.event_type.timezone), timezone.now()
        moved = bookings.reschedule(
            booking=found,
            start=at(wanted["start_time"], zone_of(zone)),
            actor=_host(request),
            reason=wanted["reason"] or "",
            now=now,
            admit=partial(
                limits.admit_move, booking=found, role=Role.HOST, now=now, reader=caller(request)
            ),
        )
        return _answer_event(moved)


class History(APIView):
    scope = "events"
    key_prefix = "evt"

    @extend_schema(
        operation_id="get_event_history",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(HistorySerializer),
    )
    def get(self, request: Request, key: str) -> Response:
        """What has happened to an event, oldest first."""
        return envelope.page(request, _HISTORY.of(booking=_event(request, key).pk))


def _event(request: Request, key: str) -> Booking:
    return bookings.find(key=key, user=caller(request))


def _host(request: Request) -> bookings.Actor:
    return bookings.host(caller(request))


def _answer_event(booking: Booking) -> Response:
    return envelope.item(EventSerializer(booking).data)


def _cancel(request: Request, key: str, reason: str) -> Response:
    cancelled = bookings.cancel(
        booking=_event(request, key), actor=_host(request), reason=reason, now=timezone.now()
    )
    return _answer_event(cancelled)


def _reason(request: Request) -> str:
    given = ReasonSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return given.validated_data["reason"] or ""

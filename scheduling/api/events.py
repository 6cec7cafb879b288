"""`/api/v1/events`: what is booked of a host."""

from functools import partial

from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import caller
from calendars.domain import freshness
from core.api import envelope
from core.api.fields import at
from core.api.filters import filtered
from core.api.idempotency import answer_once
from core.api.reading import Reading
from core.api.schema import IDEMPOTENCY_KEY, ErrorSerializer
from core.db.prepared import Prepared
from core.errors import Invalid
from core.text.zones import zone_of
from scheduling.api.filters import EventFilters
from scheduling.api.serializers import (
    EventChangeSerializer,
    HistorySerializer,
    NewEventSerializer,
    NoShowSerializer,
    ReasonSerializer,
    RescheduleSerializer,
)
from scheduling.domain import bookings, limits
from scheduling.domain.readings import EventDetailsSerializer, EventSerializer
from scheduling.models import Booking, EventType, HistoryEntry
from scheduling.models.enums import Role

_EVENT = envelope.item_of(EventDetailsSerializer)
_EVENTS = Reading(EventSerializer, Booking.objects.visible_to)
_EVENT_DETAILS = Reading(EventDetailsSerializer, Booking.objects.visible_to, "event")
_OWN = Prepared(lambda user, event_type: EventType.objects.visible_to(user).filter(pk=event_type))
_HISTORY = Reading(HistorySerializer, lambda booking: HistoryEntry.objects.filter(booking=booking))


class EventViewSet(ViewSet):
    scope = "events"
    lookup_url_kwarg = "key"
    key_prefix = "evt"
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
        "mark_event_no_show",
        "delete_event",
        "get_event_history",
    )

    @extend_schema(
        operation_id="list_events",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(EventSerializer),
    )
    def list(self, request: Request) -> Response:
        """List your events, by start."""
        rows = filtered(request, _EVENTS, self.filterset_class, user=caller(request).pk)
        return envelope.page(request, rows)

    @extend_schema(
        operation_id="create_event",
        parameters=[IDEMPOTENCY_KEY],
        request=NewEventSerializer,
        responses={201: _EVENT},
    )
    def create(self, request: Request) -> Response:
        """Book an open start for an invitee. You, the invitee and the guests get an email.

        A start that is taken is a conflict. Its `reason` is `busy`, `buffer`, `daily_limit` or
        `weekly_limit`, and `calendar` if only your own calendar is in the way. A start that is
        never offered, not yet or no longer, is a validation error.
        """
        # Before the transaction: `book` inside it asks no calendar server.
        freshness.freshen([caller(request).pk], now=timezone.now())
        return answer_once(
            request,
            lambda: self._book(request),
            about=lambda made: Booking(pk=made.data["data"]["id"]).topic,
        )

    def _book(self, request: Request) -> Response:
        asked = NewEventSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted, host = asked.validated_data, caller(request)
        found = _OWN.objects(user=host.pk, event_type=wanted["event_type_id"])
        if not found:
            raise Invalid("You have no such event type.", field="event_type_id")
        [event_type] = found
        zone, now = wanted.get("timezone", event_type.timezone), timezone.now()
        admit = partial(
            limits.admit_by_host,
            host=host,
            email=wanted["attendee_email"],
            guests=wanted["guests"],
            now=now,
        )
        booking = bookings.book(
            event_type=event_type,
            duration=wanted.get("duration"),
            start=at(wanted["start_time"], zone_of(zone)),
            invitee=bookings.Invitee(
                name=wanted["attendee_name"],
                email=wanted["attendee_email"],
                phone=wanted["attendee_phone"],
                timezone=zone,
            ),
            notes=wanted["notes"],
            answers=wanted["custom_field_values"],
            join_url=wanted["join_url"],
            metadata=wanted["metadata"],
            with_guests=wanted["guests"],
            actor=bookings.host(host),
            now=now,
            over_calendar=wanted["over_calendar"],
            admit=admit,
        )
        return _answer_event(booking, status=201)

    @extend_schema(operation_id="get_event", responses=_EVENT)
    def retrieve(self, request: Request, key: str) -> Response:
        """Return one of your events."""
        return envelope.item(_EVENT_DETAILS.one(key, user=caller(request).pk))

    @extend_schema(operation_id="update_event", request=EventChangeSerializer, responses=_EVENT)
    def partial_update(self, request: Request, key: str) -> Response:
        """Change the notes, the phone number, the answers or the link of an event.

        Use `reschedule` to change its time. Another link of a confirmed event raises `sequence`,
        and both people get the calendar entry anew.
        """
        found = _event(request, key)
        asked = EventChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted, now = asked.validated_data, timezone.now()
        changed = bookings.update(
            booking=found,
            notes=wanted.get("notes"),
            phone=wanted.get("attendee_phone"),
            answers=wanted.get("custom_field_values"),
            join_url=wanted.get("join_url"),
            now=now,
            admit=partial(limits.admit_link, booking=found, now=now, reader=caller(request)),
        )
        return _answer_event(changed)

    @extend_schema(operation_id="replace_event", request=EventChangeSerializer, responses=_EVENT)
    def update(self, request: Request, key: str) -> Response:
        """The same as PATCH: change what you send."""
        return self.partial_update(request, key)

    @extend_schema(
        operation_id="delete_event",
        responses={200: _EVENT, 409: OpenApiResponse(ErrorSerializer, "It is over already.")},
    )
    def destroy(self, request: Request, key: str) -> Response:
        """Cancel an event without a reason. The same as `cancel`."""
        return _cancel(request, key, "")

    @extend_schema(operation_id="confirm_event", request=None, responses=_EVENT)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, key: str) -> Response:
        """Approve a pending event."""
        confirmed = bookings.confirm(
            booking=_event(request, key), actor=_host(request), now=timezone.now()
        )
        return _answer_event(confirmed)

    @extend_schema(operation_id="reject_event", request=ReasonSerializer, responses=_EVENT)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, key: str) -> Response:
        """Decline a pending event. Its time is free again."""
        found, reason = _event(request, key), _reason(request)
        rejected = bookings.reject(
            booking=found, actor=_host(request), reason=reason, now=timezone.now()
        )
        return _answer_event(rejected)

    @extend_schema(operation_id="cancel_event", request=ReasonSerializer, responses=_EVENT)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, key: str) -> Response:
        """Cancel an event. Its time is free again, and it leaves both calendars."""
        return _cancel(request, key, _reason(request))

    @extend_schema(operation_id="reschedule_event", request=RescheduleSerializer, responses=_EVENT)
    @action(detail=True, methods=["post"])
    def reschedule(self, request: Request, key: str) -> Response:
        """Move an event to another open start. It keeps its id; `sequence` rises."""
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
            over_calendar=wanted["over_calendar"],
            admit=partial(
                limits.admit_move, booking=found, role=Role.HOST, now=now, reader=caller(request)
            ),
        )
        return _answer_event(moved)

    @extend_schema(operation_id="mark_event_no_show", request=NoShowSerializer, responses=_EVENT)
    @action(detail=True, methods=["post"], url_path="no-show")
    def no_show(self, request: Request, key: str) -> Response:
        """Note that the invitee did not come, or take that back. Nobody gets a message.

        The event must be confirmed or completed, and have begun.
        """
        found = _event(request, key)
        asked = NoShowSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data["no_show"]
        return _answer_event(
            bookings.mark_no_show(booking=found, no_show=wanted, now=timezone.now())
        )

    @extend_schema(
        operation_id="get_event_history",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(HistorySerializer),
    )
    @action(detail=True)
    def history(self, request: Request, key: str) -> Response:
        """List the history of an event, oldest first."""
        return envelope.page(request, _HISTORY.of(booking=_event(request, key).pk))


def _event(request: Request, key: str) -> Booking:
    return bookings.find(key=key, user=caller(request))


def _host(request: Request) -> bookings.Actor:
    return bookings.host(caller(request))


def _answer_event(booking: Booking, *, status: int = 200) -> Response:
    """Answer a write by what a GET would answer now."""
    shown = _EVENT_DETAILS.one(str(booking.pk), user=booking.host_id)
    return envelope.item(shown, status=status)


def _cancel(request: Request, key: str, reason: str) -> Response:
    cancelled = bookings.cancel(
        booking=_event(request, key), actor=_host(request), reason=reason, now=timezone.now()
    )
    return _answer_event(cancelled)


def _reason(request: Request) -> str:
    given = ReasonSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return given.validated_data["reason"] or ""

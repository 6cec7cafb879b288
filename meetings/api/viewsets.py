"""The v3 meeting API: `/api/v3/meeting/`."""

from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import caller
from core.api import envelope
from core.api.fields import require_single
from core.api.filters import filtered
from core.api.idempotency import answer_once
from core.api.reading import Reading
from core.api.schema import IDEMPOTENCY_KEY, MeetingErrorSerializer
from core.errors import Invalid
from meetings.api.filters import MeetingFilters
from meetings.api.serializers import ConfirmationSerializer, NewMeetingSerializer
from meetings.domain import services
from meetings.domain.readings import MeetingSerializer
from meetings.models import MeetingRequest
from meetings.models.enums import Tab
from scheduling.api.serializers import ReasonSerializer

_MEETINGS = Reading(MeetingSerializer, MeetingRequest.objects.visible_to, "meeting")


def _tab(tab: Tab) -> Reading[MeetingRequest]:
    return Reading(
        MeetingSerializer, lambda user, now: MeetingRequest.objects.in_tab(tab, user, now)
    )


_TABS = {tab: _tab(tab) for tab in Tab}


class ListQuery(envelope.PageQuery):
    """Query of the list of meetings."""

    tab = serializers.ChoiceField(Tab.choices, default=Tab.PENDING)


class MeetingViewSet(ViewSet):
    scope = "meetings"
    queryset = MeetingRequest.objects.none()
    filter_backends = (DjangoFilterBackend,)
    filterset_class = MeetingFilters
    links = ("meeting_id", "/id", "get_meeting", "cancel_meeting")

    @extend_schema(
        operation_id="create_meeting",
        parameters=[IDEMPOTENCY_KEY],
        request=NewMeetingSerializer,
        responses={
            201: MeetingSerializer,
            404: OpenApiResponse(MeetingErrorSerializer, "There is no such team, or person in it."),
        },
    )
    def create(self, request: Request) -> Response:
        """Ask a team mate for a meeting of one hour. They get an email and a push message."""
        return answer_once(request, lambda: self._create(request))

    def _create(self, request: Request) -> Response:
        wanted = NewMeetingSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked = wanted.validated_data
        meeting = services.request_meeting(
            requester=caller(request),
            team_id=asked["team_id"],
            recipient_id=asked["user_id"],
            date=asked["date"],
            link=asked["link"] or "",
            now=timezone.now(),
            is_limited=True,
        )
        return Response(MeetingSerializer(meeting).data, status=201)

    @extend_schema(
        operation_id="list_meetings",
        parameters=[ListQuery],
        responses=envelope.page_of(MeetingSerializer),
    )
    def list(self, request: Request) -> Response:
        """List your meetings, tab by tab. `sent` has all that you asked for, in any status."""
        require_single(request, ["tab"])
        name = request.query_params.get("tab", Tab.PENDING)
        if name not in Tab.values:
            raise Invalid(f"tab: Use one of {', '.join(Tab.values)}.", field="tab")
        values = {"user": caller(request).pk, "now": timezone.now()}
        rows = filtered(request, _TABS[Tab(name)], self.filterset_class, **values)
        return envelope.page(request, rows)

    @extend_schema(operation_id="get_meeting", responses=MeetingSerializer)
    def retrieve(self, request: Request, meeting_id: int) -> Response:
        """Return a meeting that you asked for or were asked for."""
        return Response(_MEETINGS.one(str(meeting_id), user=caller(request).pk))

    @extend_schema(
        operation_id="confirm_meeting", request=ConfirmationSerializer, responses=MeetingSerializer
    )
    def confirm(self, request: Request, meeting_id: int) -> Response:
        """Confirm a request. This takes the time of both people; 409 if it is no longer free.

        The `reason` is `calendar` if only your own calendar is in the way.
        """
        meeting = _find(request, meeting_id)
        # Another body than JSON has always been left unread here.
        is_json = (request.content_type or "").startswith("application/json")
        asked = ConfirmationSerializer(data=request.data if is_json else {})
        asked.is_valid(raise_exception=True)
        confirmed = services.confirm(
            meeting=meeting,
            actor=caller(request),
            now=timezone.now(),
            over_calendar=asked.validated_data["over_calendar"],
        )
        return _answer(confirmed)

    @extend_schema(
        operation_id="reject_meeting", request=ReasonSerializer, responses=MeetingSerializer
    )
    def reject(self, request: Request, meeting_id: int) -> Response:
        """Decline a request."""
        meeting, reason, now = _find(request, meeting_id), _reason(request), timezone.now()
        return _answer(
            services.reject(meeting=meeting, actor=caller(request), reason=reason, now=now)
        )

    @extend_schema(
        operation_id="cancel_meeting", request=ReasonSerializer, responses=MeetingSerializer
    )
    def cancel(self, request: Request, meeting_id: int) -> Response:
        """Withdraw your request, or cancel a confirmed meeting."""
        meeting, reason, now = _find(request, meeting_id), _reason(request), timezone.now()
        return _answer(
            services.cancel(meeting=meeting, actor=caller(request), reason=reason, now=now)
        )


def _find(request: Request, meeting_id: int) -> MeetingRequest:
    return services.find(meeting_id=meeting_id, user=caller(request))


def _answer(meeting: MeetingRequest) -> Response:
    return Response(MeetingSerializer(meeting).data)


def _reason(request: Request) -> str:
    given = ReasonSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return given.validated_data["reason"] or ""

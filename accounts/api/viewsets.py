"""`/api/v1/users/me`, its devices, `/api/v1/teams` and `/api/v1/tokens`."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import caller
from accounts.api.serializers import (
    DeletedSerializer,
    DeviceSerializer,
    LeakedTokenSerializer,
    MemberSerializer,
    NewDeviceSerializer,
    ProfileChangeSerializer,
    ProfileSerializer,
    TeamSerializer,
)
from accounts.domain import leaks, services
from accounts.models import Membership, Team, User
from core.api import envelope
from core.api.idempotency import answer_once
from core.api.reading import Reading
from core.api.schema import IDEMPOTENCY_KEY, answer
from core.errors import NotFound
from notifications.models import PushDevice

_PROFILE = envelope.item_of(ProfileSerializer)
_TEAMS = Reading(
    TeamSerializer,
    lambda user: Membership.objects.filter(user=user).order_by("team__name", "team_id"),
)
_MEMBERS = Reading(
    MemberSerializer,
    lambda team: User.objects.filter(is_active=True, memberships__team=team).order_by("id"),
)
_DEVICES = Reading(
    DeviceSerializer, lambda user: PushDevice.objects.filter(user=user).order_by("id")
)
_DELETED = answer(DeletedSerializer, {"message": "Device deleted successfully"})
_ENDED = "If this token was good, it is revoked, and its owner has been told."


class ProfileViewSet(ViewSet):
    scope = "users"

    @extend_schema(operation_id="get_profile", responses=_PROFILE)
    def retrieve(self, request: Request) -> Response:
        """Return your profile."""
        return envelope.item(ProfileSerializer(caller(request)).data)

    @extend_schema(
        operation_id="update_profile", request=ProfileChangeSerializer, responses=_PROFILE
    )
    def partial_update(self, request: Request) -> Response:
        """Change the fields that you send. Your hours stay in their own time zone."""
        wanted = ProfileChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        changed = services.update_profile(user=caller(request), **wanted.validated_data)
        return envelope.item(ProfileSerializer(changed).data)

    @extend_schema(
        operation_id="replace_profile", request=ProfileChangeSerializer, responses=_PROFILE
    )
    def update(self, request: Request) -> Response:
        """Change the fields that you send, as PATCH does."""
        return self.partial_update(request)


class TeamViewSet(ViewSet):
    scope = "users"
    lookup_url_kwarg = "team_id"
    lookup_value_converter = "int"

    @extend_schema(
        operation_id="list_teams",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(TeamSerializer),
    )
    def list(self, request: Request) -> Response:
        """Return the teams that you are in, sorted by name."""
        return envelope.page(request, _TEAMS.of(user=caller(request).pk))

    @extend_schema(
        operation_id="list_team_members",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(MemberSerializer),
    )
    @action(detail=True)
    def members(self, request: Request, team_id: int) -> Response:
        """Return the people in one of your teams."""
        team = Team.objects.visible_to(caller(request)).filter(pk=team_id).first()
        if team is None:
            raise NotFound("team not found")
        return envelope.page(request, _MEMBERS.of(team=team.pk))


class DeviceViewSet(ViewSet):
    scope = "users"
    lookup_url_kwarg = "device_id"
    lookup_value_converter = "int"
    links = ("device_id", "/data/id", "delete_device")

    @extend_schema(
        operation_id="list_devices",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(DeviceSerializer),
    )
    def list(self, request: Request) -> Response:
        """Return your devices that receive push messages."""
        return envelope.page(request, _DEVICES.of(user=caller(request).pk))

    @extend_schema(
        operation_id="create_device",
        parameters=[IDEMPOTENCY_KEY],
        request=NewDeviceSerializer,
        responses={201: envelope.item_of(DeviceSerializer)},
    )
    def create(self, request: Request) -> Response:
        """Register a device for push messages. A device that is already known becomes yours."""
        wanted = NewDeviceSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)

        def register() -> Response:
            device = services.register_device(user=caller(request), **wanted.validated_data)
            return envelope.item(DeviceSerializer(device).data, status=201)

        return answer_once(request, register)

    @extend_schema(operation_id="delete_device", responses={200: _DELETED})
    def destroy(self, request: Request, device_id: int) -> Response:
        """Stop sending push messages to a device, and delete it."""
        deleted, _ = caller(request).devices.filter(pk=device_id).delete()
        if not deleted:
            raise NotFound("device not found")
        return Response({"message": "Device deleted successfully"})


class TokenViewSet(ViewSet):
    """Revocation of a leaked token by anyone who holds it; no token of their own is needed."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="revoke_leaked_token",
        tags=["tokens"],
        request=LeakedTokenSerializer,
        responses={200: answer(DeletedSerializer, {"message": _ENDED})},
    )
    @action(detail=False, methods=["post"])
    def revoke(self, request: Request) -> Response:
        """Revoke a token that you have found, of any kind and any owner.

        This needs no token itself. The answer does not tell whether such a token existed.
        """
        wanted = LeakedTokenSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        leaks.revoke(token=wanted.validated_data["token"], now=timezone.now())
        return Response({"message": _ENDED})

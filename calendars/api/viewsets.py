"""API views of outside calendars: `/calendar_accounts`, `/calendars` and `/users/me/feed`."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import caller
from accounts.api.serializers import DeletedSerializer
from calendars.api.serializers import (
    CalendarAccountChangeSerializer,
    CalendarAccountSerializer,
    CalendarChangeSerializer,
    CalendarSerializer,
    DisconnectQuery,
    FeedSerializer,
    NewCalendarAccountSerializer,
    NewFeedSerializer,
)
from calendars.domain import accounts, counts, feeds
from calendars.models import Calendar, CalendarAccount
from core.api import envelope
from core.api.fields import query_of
from core.api.idempotency import answer_once, earlier_answer
from core.api.reading import Reading
from core.api.schema import IDEMPOTENCY_KEY, ErrorSerializer, answer
from core.errors import NotFound

_ACCOUNT = envelope.item_of(CalendarAccountSerializer)
_ACCOUNTS = Reading(
    CalendarAccountSerializer, CalendarAccount.objects.visible_to, "calendar account"
)
_CALENDAR = envelope.item_of(CalendarSerializer)
_CALENDARS = Reading(
    CalendarSerializer, Calendar.objects.visible_to, "calendar", counts.with_counts
)
_FEED = envelope.item_of(FeedSerializer)
_DISCONNECTED = "Calendar account deleted successfully"
_FEED_ENDED = "Feed deleted successfully"
_NO_FEED = OpenApiResponse(ErrorSerializer, "You have no feed.")


class CalendarAccountViewSet(ViewSet):
    scope = "calendars"
    lookup_url_kwarg = "key"
    key_prefix = "cac"
    links = (
        "key",
        "/data/uuid",
        "get_calendar_account",
        "update_calendar_account",
        "refresh_calendar_account",
        "delete_calendar_account",
    )

    @extend_schema(
        operation_id="list_calendar_accounts",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(CalendarAccountSerializer),
    )
    def list(self, request: Request) -> Response:
        """Return your calendar accounts, oldest first, with their calendars."""
        return envelope.page(request, _ACCOUNTS.of(user=caller(request).pk))

    @extend_schema(
        operation_id="create_calendar_account",
        parameters=[IDEMPOTENCY_KEY],
        request=NewCalendarAccountSerializer,
        responses={201: _ACCOUNT},
    )
    def create(self, request: Request) -> Response:
        """Connect an account, and read its calendars from now on.

        The server is asked first, for 10 seconds at most. Calendars that can be written to close
        your time at once, and so does the calendar of an ICS address. Nothing is written to a
        calendar until you choose it by `writes`.
        """
        again = earlier_answer(request)
        if again is not None:
            return again
        asked = NewCalendarAccountSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted, user = asked.validated_data, caller(request)
        name, provider = wanted.pop("name"), wanted["provider"]
        secret = accounts.secret_of(**wanted)
        # In no transaction, since it waits for a stranger's server.
        found = accounts.look(user=user, provider=provider, secret=secret)

        def connect() -> Response:
            made = accounts.connect(
                user=user,
                provider=provider,
                name=name,
                secret=secret,
                found=found,
                now=timezone.now(),
            )
            return _answer_account(made, status=201)

        return answer_once(request, connect)

    @extend_schema(operation_id="get_calendar_account", responses=_ACCOUNT)
    def retrieve(self, request: Request, key: str) -> Response:
        """Return one of your calendar accounts."""
        return envelope.item(_ACCOUNTS.one(key, user=caller(request).pk))

    @extend_schema(
        operation_id="update_calendar_account",
        request=CalendarAccountChangeSerializer,
        responses=_ACCOUNT,
    )
    def partial_update(self, request: Request, key: str) -> Response:
        """Change the fields that you send.

        A new address, user name or password is tried first, as when an account is created.
        """
        found, user = accounts.find(key=key, user=caller(request)), caller(request)
        asked = CalendarAccountChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        name, secret = given.pop("name", None), None
        if given:
            secret = accounts.secret_with(found, given)
            accounts.look(user=user, provider=found.provider, secret=secret)
        changed = accounts.change(account=found, name=name, secret=secret, now=timezone.now())
        return _answer_account(changed)

    @extend_schema(
        operation_id="replace_calendar_account",
        request=CalendarAccountChangeSerializer,
        responses=_ACCOUNT,
    )
    def update(self, request: Request, key: str) -> Response:
        """Change the fields that you send, as PATCH does."""
        return self.partial_update(request, key)

    @extend_schema(
        operation_id="delete_calendar_account",
        parameters=[DisconnectQuery],
        responses={200: answer(DeletedSerializer, {"message": _DISCONNECTED})},
    )
    def destroy(self, request: Request, key: str) -> Response:
        """Disconnect an account: its entries close your time no more.

        What was written to its calendars stays there, unless you send `take_back=true`.
        """
        query = query_of(request, DisconnectQuery)
        found = accounts.find(key=key, user=caller(request))
        accounts.disconnect(account=found, takes_back=query["take_back"], now=timezone.now())
        return Response({"message": _DISCONNECTED})

    @extend_schema(operation_id="refresh_calendar_account", request=None, responses={202: _ACCOUNT})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, key: str) -> Response:
        """Have all calendars of an account read now. `read_at` says when that is done."""
        found = accounts.find(key=key, user=caller(request))
        return _answer_account(accounts.refresh(account=found, now=timezone.now()), status=202)


class CalendarViewSet(ViewSet):
    scope = "calendars"
    lookup_url_kwarg = "key"
    key_prefix = "cal"

    @extend_schema(
        operation_id="list_calendars",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(CalendarSerializer),
    )
    def list(self, request: Request) -> Response:
        """Return the calendars of all your accounts, oldest account first."""
        return envelope.page(request, _CALENDARS.of(user=caller(request).pk))

    @extend_schema(operation_id="get_calendar", responses=_CALENDAR)
    def retrieve(self, request: Request, key: str) -> Response:
        """Return one of your calendars."""
        return envelope.item(_CALENDARS.one(key, user=caller(request).pk))

    @extend_schema(
        operation_id="update_calendar", request=CalendarChangeSerializer, responses=_CALENDAR
    )
    def partial_update(self, request: Request, key: str) -> Response:
        """Choose what closes your time, and where your bookings are written.

        A calendar that begins to close time is read at once. One that ends is forgotten. A calendar
        that is chosen by `writes` gets the bookings that are to come.
        """
        found = accounts.find_calendar(key=key, user=caller(request))
        wanted = CalendarChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        accounts.change_calendar(calendar=found, now=timezone.now(), **wanted.validated_data)
        return envelope.item(_CALENDARS.one(str(found.pk), user=found.user_id))

    @extend_schema(
        operation_id="replace_calendar", request=CalendarChangeSerializer, responses=_CALENDAR
    )
    def update(self, request: Request, key: str) -> Response:
        """Change the fields that you send, as PATCH does."""
        return self.partial_update(request, key)


class FeedViewSet(ViewSet):
    # Whole, since the address opens the feed, also when the token is revoked.
    scope = "calendars:write"
    links = ("", "", "get_feed", "delete_feed")

    @extend_schema(operation_id="get_feed", responses={200: _FEED, 404: _NO_FEED})
    def retrieve(self, request: Request) -> Response:
        """Return your feed: the address at which other calendars read your bookings.

        Anybody who has the address can read them.
        """
        found = feeds.feed_of(caller(request))
        if found is None:
            raise NotFound("feed not found")
        return envelope.item(FeedSerializer(found).data)

    @extend_schema(
        operation_id="create_feed",
        parameters=[IDEMPOTENCY_KEY],
        request=NewFeedSerializer,
        responses={201: _FEED},
    )
    def create(self, request: Request) -> Response:
        """Make a feed. If you have one, it gets another address, and the former one ends."""

        def rotate() -> Response:
            wanted = NewFeedSerializer(data=request.data)
            wanted.is_valid(raise_exception=True)
            made = feeds.rotate(user=caller(request), now=timezone.now(), **wanted.validated_data)
            return envelope.item(FeedSerializer(made).data, status=201)

        return answer_once(request, rotate)

    @extend_schema(
        operation_id="delete_feed",
        responses={200: answer(DeletedSerializer, {"message": _FEED_ENDED}), 404: _NO_FEED},
    )
    def destroy(self, request: Request) -> Response:
        """End your feed: its address leads nowhere."""
        if not feeds.end(user=caller(request)):
            raise NotFound("feed not found")
        return Response({"message": _FEED_ENDED})


def _answer_account(account: CalendarAccount, *, status: int = 200) -> Response:
    """Answer a write by what a GET would answer now."""
    return envelope.item(_ACCOUNTS.one(str(account.pk), user=account.user_id), status=status)

"""Column readings: the bytes equal those that the serializers write for models."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import Prefetch
from rest_framework.serializers import Serializer

from accounts.api import viewsets as people
from accounts.api.serializers import DeviceSerializer, MemberSerializer, TeamSerializer
from accounts.domain.services import register_device
from accounts.models import Membership, Team, User
from calendars.api import viewsets as calendars
from calendars.api.serializers import CalendarAccountSerializer, CalendarSerializer
from calendars.domain import counts
from calendars.models import Calendar, CalendarAccount
from core.api.reading import Reading
from core.api.rendering import dumps
from meetings.api import viewsets as meetings
from meetings.domain import services as meeting_services
from meetings.domain.readings import MeetingSerializer
from meetings.models import MeetingRequest
from meetings.models.enums import Tab
from scheduling.api import event_types, events, hours
from scheduling.api.serializers import (
    EventTypeSerializer,
    HistorySerializer,
    ReadCalendarSerializer,
)
from scheduling.api.serializers_of_hours import (
    AvailabilitySerializer,
    OverrideSerializer,
    ScheduleSerializer,
)
from scheduling.domain import bookings, services
from scheduling.domain.readings import EventDetailsSerializer, EventSerializer
from scheduling.models import (
    Booking,
    DateOverride,
    EventType,
    Guest,
    HistoryEntry,
    Schedule,
    WeeklyAvailability,
)
from tests import factories
from tests.pages import Making
from webhooks.api import viewsets as webhooks
from webhooks.api.serializers import DeliverySerializer, WebhookSerializer
from webhooks.models import Delivery, Webhook

# A Monday, on which everybody is at work.
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
START = NOW.replace(hour=10)


@pytest.fixture(autouse=True)
def at_now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def world(making: Making) -> User:
    """Return Alice, with every kind of row that a list shows, unusual ones among them."""
    with making(NOW):
        return _made()


def _made() -> User:
    alice = factories.user("alice", first_name="Alice", last_name="Ames")
    bob = factories.user("bob", first_name="Bob", last_name="Byrd")
    team = factories.team("Founders", alice, bob)
    plain = factories.event_type(alice)
    advice = factories.event_type(
        alice,
        name="Advice",
        description="Ask me anything.",
        duration=45,
        location="custom",
        location_custom="Room 5",
        price="150.00",
        payment_method="invoice",
        requires_approval=True,
        available_days=[1, 3],
        slot_interval=15,
        daily_limit=3,
        custom_fields=[
            {"name": "topic", "label": "Topic", "type": "text", "required": False, "options": []}
        ],
    )
    services.create_event_type(
        host=alice, name="Call", duration=30, location_link="https://example.com/all"
    )
    first = factories.booking(plain, start=START, now=NOW, notes="Hello", phone="+1 234")
    Guest.objects.create(booking=first, email="", created_at=NOW)  # it was erased
    second = factories.booking(plain, start=START + timedelta(hours=1), now=NOW, answers={"a": 1})
    bookings.cancel(booking=second, actor=bookings.host(alice), reason="Ill.", now=NOW)
    advised = factories.booking(
        advice,
        start=START.replace(hour=14),
        now=NOW,
        answers={"topic": "Tax", "other": True},
        join_url="https://example.com/own",
        metadata={"order": "7"},
        guests=["zoe@example.com", "mary@example.com"],
    )
    moved = START.replace(hour=15)
    host = bookings.host(alice)
    bookings.reschedule(booking=advised, start=moved, actor=host, reason="Later.", now=NOW)
    Booking.objects.filter(pk=first.pk).update(erased_at=NOW, invitee_name="")
    factories.booking(plain, start=START + timedelta(hours=2), now=NOW)
    # Time has passed these by, and no sweep was here yet.
    Booking.objects.filter(pk=first.pk).update(
        start=NOW - timedelta(hours=2), end=NOW - timedelta(hours=1)
    )
    told = factories.webhook(alice, headers={"X-Key": "value"})
    factories.webhook(alice, name="Gone", status="inactive")
    Webhook.objects.filter(name="Gone").update(disabled_reason="gone")
    delivery = factories.delivery(told, now=NOW)
    factories.attempt(delivery, at=NOW, status=500)
    factories.attempt(delivery, at=NOW + timedelta(minutes=5), status=200)
    factories.delivery(told, now=NOW)
    Delivery.objects.filter(pk=delivery.pk).update(state="sent", settled_at=NOW)
    calendar = factories.calendar(alice, now=NOW)
    factories.entry(calendar, start=START, end=START + timedelta(hours=1))
    Calendar.objects.update(read_at=NOW - timedelta(minutes=1), error="timeout")
    CalendarAccount.objects.update(state="failing", error="timeout", read_at=NOW)
    factories.calendar(alice, now=NOW, name="Home")
    register_device(user=alice, token="registration-token", platform="ios", name="Phone")
    services.create_schedule(user=alice, name="Evenings")
    services.set_override(user=alice, day=NOW.date(), windows=[])
    services.set_override(
        user=alice,
        day=NOW.date() + timedelta(days=1),
        windows=[{"start": "09:00", "end": "12:00"}, {"start": "13:00", "end": "24:00"}],
    )
    for hour, link in ((10, ""), (14, "https://example.com/room")):
        meeting_services.request_meeting(
            requester=alice,
            team_id=team.pk,
            recipient_id=bob.pk,
            date=NOW.replace(hour=hour).isoformat(),
            link=link,
            now=NOW,
        )
    bob.first_name = bob.last_name = ""
    bob.save()
    return alice


CASES: dict[str, tuple[type[Serializer[Any]], Callable[[User], Any], Callable[[User], Any]]] = {
    "event types": (
        EventTypeSerializer,
        EventType.objects.visible_to,
        lambda user: event_types._EVENT_TYPES.all(user=user.pk),
    ),
    "events": (
        EventSerializer,
        lambda user: Booking.objects.visible_to(user).with_people(),
        lambda user: events._EVENTS.all(user=user.pk),
    ),
    "event details": (
        EventDetailsSerializer,
        lambda user: Booking.objects.visible_to(user).with_people(),
        lambda user: events._EVENT_DETAILS.all(user=user.pk),
    ),
    "history": (
        HistorySerializer,
        lambda user: HistoryEntry.objects.filter(booking=Booking.objects.latest("id")),
        lambda user: events._HISTORY.all(booking=Booking.objects.latest("id").pk),
    ),
    "hours": (
        AvailabilitySerializer,
        lambda user: WeeklyAvailability.objects.filter(user=user),
        lambda user: hours._HOURS.all(user=user.pk),
    ),
    "schedules": (
        ScheduleSerializer,
        Schedule.objects.visible_to,
        lambda user: hours._SCHEDULES.all(user=user.pk),
    ),
    "overrides": (
        OverrideSerializer,
        lambda user: DateOverride.objects.filter(user=user),
        lambda user: hours._OVERRIDES.all(user=user.pk),
    ),
    "webhooks": (
        WebhookSerializer,
        lambda user: Webhook.objects.visible_to(user).with_stats(),
        lambda user: webhooks._WEBHOOKS.all(user=user.pk),
    ),
    "calendar accounts": (
        CalendarAccountSerializer,
        lambda user: CalendarAccount.objects.visible_to(user).prefetch_related(
            Prefetch("calendars", counts.with_counts(Calendar.objects.all()))
        ),
        lambda user: calendars._ACCOUNTS.all(user=user.pk),
    ),
    "calendars": (
        CalendarSerializer,
        lambda user: counts.with_counts(Calendar.objects.visible_to(user)),
        lambda user: calendars._CALENDARS.all(user=user.pk),
    ),
    "calendars that close time": (
        ReadCalendarSerializer,
        lambda user: Calendar.objects.visible_to(user).filter(blocks=True),
        lambda user: event_types._BLOCKING.all(user=user.pk),
    ),
    "deliveries": (
        DeliverySerializer,
        lambda user: Delivery.objects.filter(webhook__owner=user),
        lambda user: webhooks._DELIVERIES.all(webhook=Webhook.objects.earliest("id").pk),
    ),
    "teams": (
        TeamSerializer,
        lambda user: Membership.objects.filter(user=user),
        lambda user: people._TEAMS.all(user=user.pk),
    ),
    "members": (
        MemberSerializer,
        lambda user: User.objects.order_by("id"),
        lambda user: people._MEMBERS.all(team=Team.objects.get().pk),
    ),
    "devices": (
        DeviceSerializer,
        lambda user: user.devices.all(),
        lambda user: people._DEVICES.all(user=user.pk),
    ),
    "meetings": (
        MeetingSerializer,
        MeetingRequest.objects.visible_to,
        lambda user: meetings._TABS[Tab.SENT].all(user=user.pk, now=NOW),
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", CASES)
def test_columns_show_what_models_show(world: User, name: str) -> None:
    shape, models, read = CASES[name]
    shown = read(world)
    assert len(shown) > 0
    assert dumps(shown) == dumps(shape(models(world), many=True).data)


def test_every_reading_is_among_the_cases() -> None:
    modules = (people, event_types, events, hours, webhooks, calendars, meetings)
    readings = [value for module in modules for value in vars(module).values()]
    shapes = {each._shape for each in readings if isinstance(each, Reading)}
    assert shapes == {shape for shape, _models, _read in CASES.values()}

"""Webhook events: recipients, number, contents, and the same commit as the change."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from jsonschema import Draft202012Validator

from accounts.models import Team, User
from meetings.domain import services as meetings
from meetings.models import MeetingRequest
from meetings.tasks import sweep_meetings
from scheduling.domain import bookings
from scheduling.models import Booking
from scheduling.tasks import sweep_bookings
from tests import factories
from tests.pages import NOW, START
from webhooks.domain import publishing
from webhooks.models import Delivery, OwnerCounter, Webhook, WebhookEvent

LATER = START + timedelta(hours=2)
AFTER = START + timedelta(days=1)

pytestmark = pytest.mark.django_db


def told(webhook: Webhook) -> list[str]:
    """Return the pending events of a webhook, oldest first."""
    rows = webhook.deliveries.order_by("id")
    return list(rows.values_list("event__type", flat=True))


def last_body(webhook: Webhook) -> dict[str, Any]:
    event = WebhookEvent.objects.filter(deliveries__webhook=webhook).latest("id")
    body: dict[str, Any] = json.loads(event.body)
    assert list(body) == ["id", "type", "timestamp", "owner_sequence", "data"]
    assert (body["id"], body["type"]) == (event.message_id, event.type)
    assert differences(body) == []
    return body


@cache
def document() -> Any:
    return Client().get("/api/schema").json()


def differences(body: dict[str, Any]) -> list[str]:
    """Return the differences between a body and its type's schema in the API document."""
    told = document()["webhooks"][body["type"]]["post"]["requestBody"]["content"]
    schema = {**told["application/json"]["schema"], "components": document()["components"]}
    checker = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in checker.iter_errors(body)]


def act(change: str, booking: Booking, clock: time_machine.Traveller) -> None:
    host = bookings.host(booking.host)
    match change:
        case "confirmed":
            bookings.confirm(booking=booking, actor=host, now=NOW)
        case "rejected":
            bookings.reject(booking=booking, actor=host, now=NOW, reason="No.")
        case "cancelled":
            bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
        case "rescheduled":
            bookings.reschedule(booking=booking, start=LATER, actor=bookings.INVITEE, now=NOW)
        case "completed" | "expired":
            clock.move_to(AFTER)
            sweep_bookings()
            sweep_bookings()  # finds nothing left to do


CONFIRMED = ["booking.created", "booking.confirmed"]
PENDING = ["booking.created"]


@pytest.mark.parametrize(
    ("change", "requires_approval", "before"),
    [
        ("confirmed", True, PENDING),
        ("rejected", True, PENDING),
        ("cancelled", True, PENDING),
        ("cancelled", False, CONFIRMED),
        ("rescheduled", True, PENDING),
        ("rescheduled", False, CONFIRMED),
        ("completed", False, CONFIRMED),
        ("expired", True, PENDING),
    ],
)
def test_each_change_of_a_booking_is_told_once_as_the_api_shows_it(
    alice: User,
    bob: User,
    team: Team,
    clock: time_machine.Traveller,
    change: str,
    requires_approval: bool,
    before: list[str],
) -> None:
    webhook, others = factories.webhook(alice), factories.webhook(bob)
    event_type = factories.event_type(alice, requires_approval=requires_approval)
    booking = factories.booking(event_type, start=START, now=NOW, answers={"company": "ACME"})
    assert told(webhook) == before
    act(change, booking, clock)
    assert told(webhook) == [*before, f"booking.{change}"]
    api = factories.client(alice)
    shown = api.get(f"/api/v1/events/{booking.uuid}").json()["data"]
    moment = AFTER if change in ("completed", "expired") else NOW
    body = last_body(webhook)
    assert body == {
        "id": body["id"],
        "type": f"booking.{change}",
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
        "owner_sequence": len(before) + 1,
        "data": shown,
    }
    assert told(others) == []


def test_a_booking_is_told_as_it_is_when_it_is_made(alice: User, now: datetime) -> None:
    webhook = factories.webhook(alice)
    booking = factories.booking(factories.event_type(alice), start=START, now=now)
    shown = factories.client(alice).get(f"/api/v1/events/{booking.uuid}").json()["data"]
    bodies = [json.loads(event.body) for event in WebhookEvent.objects.order_by("id")]
    assert [(body["type"], body["data"]) for body in bodies] == [
        ("booking.created", shown),
        ("booking.confirmed", shown),
    ]
    assert told(webhook) == CONFIRMED


def test_what_changes_nothing_is_not_told(alice: User, now: datetime) -> None:
    webhook = factories.webhook(alice)
    event_type = factories.event_type(alice, requires_approval=True)
    booking, host = factories.booking(event_type, start=START, now=now), bookings.host(alice)
    for _ in range(2):
        bookings.confirm(booking=booking, actor=host, now=now)
    bookings.reschedule(booking=booking, start=START, actor=host, now=now)
    bookings.update(booking=booking, now=now, notes="A note.")
    assert told(webhook) == CONFIRMED


def confirmed(meeting: MeetingRequest) -> MeetingRequest:
    return meetings.confirm(meeting=meeting, actor=meeting.recipient, now=NOW)


def rejected(meeting: MeetingRequest) -> MeetingRequest:
    return meetings.reject(meeting=meeting, actor=meeting.recipient, now=NOW)


def cancelled(meeting: MeetingRequest) -> MeetingRequest:
    return meetings.cancel(meeting=meeting, actor=meeting.requester, now=NOW)


def overdue(meeting: MeetingRequest) -> MeetingRequest:
    for _ in range(2):
        sweep_meetings()
    return meeting


@pytest.mark.parametrize(
    ("doors", "changes"),
    [
        ([], ["created"]),
        ([confirmed], ["created", "confirmed"]),
        ([confirmed, confirmed], ["created", "confirmed"]),
        ([rejected], ["created", "rejected"]),
        ([cancelled], ["created", "cancelled"]),
        ([confirmed, cancelled], ["created", "confirmed", "cancelled"]),
        ([overdue], ["created", "expired"]),
        ([confirmed, overdue], ["created", "confirmed", "completed"]),
    ],
)
def test_each_change_of_a_meeting_is_told_to_both_people_once(
    alice: User,
    bob: User,
    charlie: User,
    clock: time_machine.Traveller,
    doors: list[Callable[[MeetingRequest], MeetingRequest]],
    changes: list[str],
) -> None:
    team = factories.team("Founders", alice, bob, charlie)
    own, theirs, others = (factories.webhook(person) for person in (alice, bob, charlie))
    meeting = meetings.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date=START.isoformat(),
        link="https://meet.example/x",
        now=NOW,
    )
    for door in doors:
        if door is overdue:
            clock.move_to(AFTER)
        meeting = door(meeting)
    expected = [f"meeting.{change}" for change in changes]
    assert [told(webhook) for webhook in (own, theirs, others)] == [expected, expected, []]
    shown = factories.client(bob).get(f"/api/v3/meeting/{meeting.pk}").json()
    bodies = [last_body(webhook) for webhook in (own, theirs)]
    assert [body["data"] for body in bodies] == [shown, shown]
    # Each person's is a message of its own.
    assert len({body["id"] for body in bodies}) == 2


def test_every_active_webhook_that_wants_it_is_told_in_the_same_bytes(
    alice: User, bob: User, now: datetime
) -> None:
    wanted = [factories.webhook(alice, events=["booking.created"]) for _ in range(2)]
    for other in (
        factories.webhook(alice, events=["booking.confirmed", "meeting.created"]),
        factories.webhook(alice, events=["booking.created"], status="inactive"),
        factories.webhook(bob, events=["booking.created"]),
    ):
        assert other.deliveries.count() == 0
    factories.booking(factories.event_type(alice, requires_approval=True), start=START, now=now)
    assert sorted(Delivery.objects.values_list("webhook", flat=True)) == [w.pk for w in wanted]
    [event] = WebhookEvent.objects.all()
    assert (event.type, event.deliveries.count()) == ("booking.created", 2)
    assert (
        list(Delivery.objects.values_list("state", "attempts", "due_at"))
        == [("waiting", 0, now)] * 2
    )


def test_nothing_is_written_for_nobody(alice: User, now: datetime) -> None:
    factories.booking(factories.event_type(alice), start=START, now=now)
    assert WebhookEvent.objects.count() == 0


def test_a_closed_account_hears_nothing(alice: User, bob: User, team: Team, now: datetime) -> None:
    own, theirs = factories.webhook(alice), factories.webhook(bob)
    meeting = meetings.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date=START.isoformat(),
        link="",
        now=now,
    )
    User.objects.filter(pk=alice.pk).update(is_active=False)
    rejected(meeting)
    assert (told(own), told(theirs)) == (
        ["meeting.created"],
        ["meeting.created", "meeting.rejected"],
    )


def test_an_object_is_shown_once_and_not_at_all_for_nobody(
    alice: User, bob: User, now: datetime
) -> None:
    shown = []

    def show() -> dict[str, str]:
        shown.append("it")
        return {"uuid": "x"}

    def publish() -> None:
        types = ["meeting.created", "meeting.confirmed"]
        publishing.publish(owners=[bob, alice], types=types, topic="x", data=show, now=now)

    publish()
    factories.webhook(alice, events=["booking.created"])
    publish()
    assert (shown, WebhookEvent.objects.count(), OwnerCounter.objects.count()) == ([], 0, 0)
    for person in (alice, bob):
        factories.webhook(person)
    publish()
    assert (shown, WebhookEvent.objects.count()) == (["it"], 4)


# --- the envelope -------------------------------------------------------------------------------


def numbers(owner: User) -> list[int]:
    rows = WebhookEvent.objects.filter(owner=owner).order_by("id")
    return [json.loads(event.body)["owner_sequence"] for event in rows]


def test_the_events_of_an_owner_are_numbered_in_their_order(
    alice: User, bob: User, team: Team, now: datetime
) -> None:
    for person in (alice, bob):
        factories.webhook(person)
    booking = factories.booking(factories.event_type(alice), start=START, now=now)
    meeting = meetings.request_meeting(
        requester=bob,
        team_id=team.pk,
        recipient_id=alice.pk,
        date=AFTER.isoformat(),
        link="",
        now=now,
    )
    confirmed(meeting)
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=now)
    assert (numbers(alice), numbers(bob)) == ([1, 2, 3, 4, 5], [1, 2])
    assert [event.type for event in WebhookEvent.objects.filter(owner=alice).order_by("id")] == [
        "booking.created",
        "booking.confirmed",
        "meeting.created",
        "meeting.confirmed",
        "booking.cancelled",
    ]


def test_the_numbers_go_on_when_events_and_webhooks_are_gone(alice: User, now: datetime) -> None:
    event_type = factories.event_type(alice)
    first = factories.webhook(alice)
    factories.booking(event_type, start=START, now=now)
    first.delete()
    WebhookEvent.objects.all().delete()
    factories.webhook(alice)
    factories.booking(event_type, start=LATER, now=now)
    assert numbers(alice) == [3, 4]


def test_the_moment_of_an_event_has_milliseconds_and_its_object_has_none(alice: User) -> None:
    webhook = factories.webhook(alice)
    moment = NOW.replace(second=5, microsecond=6_999)
    with time_machine.travel(moment, tick=False):
        factories.booking(factories.event_type(alice), start=START, now=moment)
    body = last_body(webhook)
    assert (body["timestamp"], body["data"]["created_at"]) == (
        "2026-03-02T09:00:05.006Z",
        "2026-03-02T09:00:05Z",
    )


def test_a_booking_tells_its_webhooks_of_link_and_metadata(alice: User, now: datetime) -> None:
    webhook = factories.webhook(alice)
    link = "https://example.com/own"
    event_type = factories.event_type(alice, location_link="https://example.com/all")
    factories.booking(event_type, start=START, now=now, join_url=link, metadata={"order": "7"})
    data = last_body(webhook)["data"]
    assert (data["join_url"], data["location"]["join_url"]) == (link, link)
    assert data["metadata"] == {"order": "7"}


# --- at rest ------------------------------------------------------------------------------------


def test_the_database_has_the_body_encrypted(alice: User, now: datetime) -> None:
    factories.webhook(alice)
    factories.booking(factories.event_type(alice), start=START, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM webhooks_webhookevent")
        stored = [text for (text,) in cursor.fetchall()]
    assert len(stored) == 2
    assert not any("John" in text or "/manage/" in text for text in stored)


def test_bodies_of_an_earlier_version_are_encrypted_and_can_be_opened_again(
    alice: User, now: datetime
) -> None:
    webhook = factories.webhook(alice)
    for _ in range(3):
        factories.delivery(webhook, now=now)
    bodies = [event.body for event in WebhookEvent.objects.order_by("id")]
    migration = import_module("webhooks.migrations.0002_ordered_and_encrypted_events")
    state = MigrationExecutor(connection).loader.project_state([("webhooks", "0001_initial")])
    here = SimpleNamespace(connection=connection)
    plain: Any = state.apps.get_model("webhooks", "WebhookEvent")
    migration.rewritten(migration.decrypt)(state.apps, here)
    assert [event.body for event in plain.objects.order_by("id")] == bodies
    migration.rewritten(migration.encrypt)(state.apps, here)
    assert [event.body for event in WebhookEvent.objects.order_by("id")] == bodies


def test_what_did_not_happen_is_not_told(alice: User, now: datetime) -> None:
    factories.webhook(alice)
    event_type = factories.event_type(alice)
    with transaction.atomic():
        factories.booking(event_type, start=START, now=now)
        assert Delivery.objects.count() == 2
        transaction.set_rollback(True)
    counts = [model._default_manager.count() for model in (Booking, WebhookEvent, Delivery)]
    assert counts == [0, 0, 0]

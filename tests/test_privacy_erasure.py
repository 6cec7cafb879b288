"""Erasure of an invitee: by the link in their email, or after a retention period."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEntry, User
from core.db import outbox
from core.db.outbox import OutboxState
from core.people import privacy
from notifications.models import Notification
from scheduling.domain import bookings, erasure
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.outbox import rows
from tests.pages import NOW, START, stand_alone, words
from tests.traces import drain, traces
from webhooks.domain import services as webhook_services
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)
MARKS = ("quincey", "morris", "5550199", "allergic", "of-quincey", "texas", "bowie")


@pytest.fixture(autouse=True)
def at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def event_type(alice: User) -> EventType:
    return factories.event_type(alice)


@pytest.fixture
def webhook(alice: User) -> Webhook:
    return factories.webhook(alice, url="https://nowhere.invalid/hook")


def book(event_type: EventType, **fields: Any) -> Booking:
    usual = {
        "start": START,
        "now": NOW,
        "name": "Quincey Morris",
        "email": "quincey@example.com",
        "phone": "+1 555-0199",
        "notes": "Allergic to nuts.",
        "answers": {"diet": "allergic"},
        "join_url": "https://example.com/bowie",
        "metadata": {"from": "Texas"},
        "guests": ["guest-of-quincey@example.com"],
    }
    return factories.booking(event_type, **{**usual, **fields})


BLANKS: dict[str, Any] = {
    "timezone": "UTC",
    "join_url": None,
    "notes": "",
    "custom_field_values": {},
    "questions": [],
    "metadata": {},
    "guests": [],
    "cancel_url": None,
    "reschedule_url": None,
}


def erase(client: Client, booking: Booking) -> Any:
    url = reverse("scheduling:erase", args=[links.manage_token(booking)])
    return client.post(url, follow=True)


# --- by their link ------------------------------------------------------------------------------


def test_nothing_of_them_is_left_when_the_last_emails_are_sent(
    client: Client, event_type: EventType, webhook: Webhook
) -> None:
    booking = book(event_type)
    bookings.reschedule(
        booking=booking,
        start=START + timedelta(hours=1),
        actor=bookings.INVITEE,
        now=NOW,
        reason="I am of-quincey",
    )
    drain()
    assert {word for _table, word in traces(*MARKS)} == set(MARKS)
    erase(client, booking)
    assert {table for table, _word in traces(*MARKS)} == {"notifications.Notification"}
    assert set(Notification.objects.values_list("topic", "state")) == {("once", "waiting")}
    drain()
    privacy.retain(now=LATER)
    assert traces(*MARKS) == []


def test_what_the_api_answered_is_forgotten_and_not_done_again(
    client: Client, event_type: EventType
) -> None:
    api = factories.client(event_type.host)
    asking: dict[str, Any] = {
        "path": "/api/v1/events",
        "content_type": "application/json",
        "data": {
            "event_type_id": event_type.pk,
            "start_time": f"{START:%Y-%m-%dT%H:%M:%SZ}",
            "attendee_name": "Quincey Morris",
            "attendee_email": "quincey@example.com",
        },
        "headers": {"Idempotency-Key": "key-1"},
    }
    assert api.post(**asking).status_code == 201
    drain()
    assert ("core.IdempotencyRecord", "quincey") in traces("quincey")
    erase(client, Booking.objects.get())
    drain()
    privacy.retain(now=LATER)
    assert traces(*MARKS) == []
    again = api.post(**asking)
    assert (again.status_code, again.json()["message"]) == (
        409,
        "This key was used, and whoever the answer was about has been erased since.",
    )
    assert Booking.objects.count() == 1


def test_what_is_still_to_come_is_cancelled_and_all_are_told(
    client: Client, event_type: EventType
) -> None:
    booking = book(event_type)
    drain()
    mail.outbox.clear()
    erase(client, booking)
    drain()
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (
            ["alice@example.com"],
            "Cancelled: 30 Minute Meeting with Quincey Morris, Wed 4 Mar, 10:00 AM",
        ),
        *(
            ([address], "Cancelled: 30 Minute Meeting with Alice Ames, Wed 4 Mar, 11:00")
            for address in ("quincey@example.com", "guest-of-quincey@example.com")
        ),
    ]
    kept = Booking.objects.get()
    assert (kept.status, kept.start, kept.end) == ("cancelled", booking.start, booking.end)


def test_what_is_over_is_not_told_to_anybody(client: Client, event_type: EventType) -> None:
    booking = book(event_type)
    with time_machine.travel(START + timedelta(days=1)):
        drain()
        before = len(mail.outbox)
        erase(client, booking)
        drain()
        assert len(mail.outbox) == before
    assert Booking.objects.get().status == "completed"
    assert not Notification.objects.exists()


def test_one_that_nobody_answered_in_time_is_not_told_about_later(
    client: Client, alice: User
) -> None:
    booking = book(factories.event_type(alice, requires_approval=True))
    erased_at = START + timedelta(minutes=1)
    with time_machine.travel(erased_at):
        erase(client, booking)
        assert Booking.objects.get().status == "expired"
        assert not Notification.objects.filter(address__endswith=".invalid").exists()


def test_the_page_says_first_what_will_happen(client: Client, event_type: EventType) -> None:
    page: Any = client.get(
        reverse("scheduling:manage", args=[links.manage_token(book(event_type))])
    )
    said = words(page)
    assert (
        "Erase my details from this booking The booking is cancelled first, and Alice Ames gets"
        in said
    )
    assert "This is about this booking alone: others that you have made have links of" in said


def test_afterwards_the_link_leads_nowhere_and_says_why(
    client: Client, event_type: EventType
) -> None:
    booking = book(event_type)
    token = links.manage_token(booking)
    page = erase(client, booking)
    assert page.redirect_chain == [("/bookings/erased", 302)]
    assert "Your details are erased from the booking" in words(page)
    for name in ("manage", "booked", "calendar"):
        gone: Any = client.get(reverse(f"scheduling:{name}", args=[token]))
        assert gone.status_code == 404
        assert "The person who booked with this link has been erased." in words(gone)
    assert client.post(reverse("scheduling:erase", args=[token])).status_code == 404


def test_only_this_booking_is_meant(client: Client, event_type: EventType) -> None:
    other = book(event_type, start=START + timedelta(hours=2))
    erase(client, book(event_type))
    other.refresh_from_db()
    assert (other.invitee_name, other.status) == ("Quincey Morris", "confirmed")
    assert len(rows("email", topic=f"booking:{other.pk}:reminders")) == 4


def test_a_get_erases_nobody(client: Client, event_type: EventType) -> None:
    booking = book(event_type)
    url = reverse("scheduling:erase", args=[links.manage_token(booking)])
    assert client.get(url).status_code == 405
    assert Booking.objects.get().erased_at is None


def test_the_host_sees_the_time_and_that_somebody_was_there(
    client: Client, event_type: EventType, alice: User
) -> None:
    booking = book(event_type)
    erase(client, booking)
    client.force_login(alice)
    for path in ("/bookings?tab=cancelled", f"/bookings/{booking.pk}"):
        said = words(client.get(path))
        assert "30 Minute Meeting with Deleted person" in said
        assert "10:00" in said
        assert ".invalid" not in said
    assert "Deleted person cancelled it." in words(client.get(f"/bookings/{booking.pk}"))


def test_the_api_says_it_in_english_and_keeps_its_shape(
    client: Client, event_type: EventType, alice: User
) -> None:
    booking = book(event_type)
    erase(client, booking)
    answer: Any = factories.client(alice).get(f"/api/v1/events/{booking.pk}")
    told = answer.json()["data"]
    assert told["invitee"] == {
        "name": "Deleted person",
        "email": "deleted@deleted.invalid",
        "phone": None,
    }
    assert {name: told[name] for name in BLANKS} == BLANKS
    assert told["start_time"] == "2026-03-04T10:00:00Z"


def test_staff_read_it_too_and_what_they_did_names_nobody(
    client: Client, event_type: EventType, bob: User
) -> None:
    booking = book(event_type)
    User.objects.filter(pk=bob.pk).update(is_staff=True, is_superuser=True)
    client.force_login(bob)
    actions = {"action": "call_off", "_selected_action": str(booking.pk)}
    client.post("/admin/scheduling/booking/", actions)
    assert Booking.objects.get().status == "cancelled"
    assert AuditEntry.objects.filter(action="staff_acted", subject__contains=booking.uuid).exists()
    erase(client, booking)
    for path in ("/admin/scheduling/booking/", f"/admin/scheduling/booking/{booking.pk}/change/"):
        page: Any = client.get(path)
        assert page.status_code == 200
        assert "Quincey" not in page.content.decode()
    assert "Deleted person" in client.get("/admin/scheduling/booking/").content.decode()
    drain()
    privacy.retain(now=LATER)
    assert traces(*MARKS) == []


def test_the_reason_that_they_gave_last_goes(client: Client, event_type: EventType) -> None:
    booking = book(event_type)
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW, reason="I am of-quincey")
    erase(client, booking)
    drain()
    privacy.retain(now=LATER)
    assert traces(*MARKS) == []


def test_what_a_host_wrote_stays_theirs(client: Client, event_type: EventType) -> None:
    booking = book(event_type)
    host = bookings.host(event_type.host)
    bookings.cancel(booking=booking, actor=host, now=NOW, reason="I am ill.")
    erase(client, booking)
    assert list(booking.history.values_list("reason", flat=True)) == ["", "I am ill."]
    assert Booking.objects.get().last_reason == "I am ill."


# --- webhooks -----------------------------------------------------------------------------------


def test_what_waits_for_webhooks_is_told_without_them(
    client: Client, event_type: EventType, webhook: Webhook
) -> None:
    booking = book(event_type)
    erase(client, booking)
    told = [json.loads(event.body) for event in WebhookEvent.objects.order_by("pk")]
    assert [each["type"] for each in told] == [
        "booking.created",
        "booking.confirmed",
        "booking.cancelled",
    ]
    assert [each["data"]["status"] for each in told] == ["confirmed", "confirmed", "cancelled"]
    assert {each["data"]["invitee"]["name"] for each in told} == {"Deleted person"}
    for each in told:
        assert {name: each["data"][name] for name in BLANKS} == BLANKS
        assert each["data"]["location"]["join_url"] is None
    assert Delivery.objects.filter(state=OutboxState.WAITING).count() == 3


def test_a_reason_of_the_host_goes_on_to_webhooks_and_one_of_the_invitee_does_not(
    client: Client, event_type: EventType, webhook: Webhook
) -> None:
    booking = book(event_type)
    host = bookings.host(event_type.host)
    steps = ((bookings.INVITEE, "Flu."), (host, "A clash."))
    for hours, (actor, reason) in enumerate(steps, start=1):
        start = START + timedelta(hours=hours)
        bookings.reschedule(booking=booking, start=start, actor=actor, now=NOW, reason=reason)
    erase(client, booking)
    told = [json.loads(event.body)["data"] for event in WebhookEvent.objects.order_by("pk")]
    assert [each["last_change"]["reason"] for each in told] == ["", "", "", "A clash.", ""]


def test_an_event_of_an_earlier_version_is_blanked_as_far_as_it_goes(
    client: Client, event_type: EventType, webhook: Webhook
) -> None:
    booking = book(event_type)
    for event in WebhookEvent.objects.all():
        body = json.loads(event.body)
        for name in ("last_change", "location", "questions", "cancel_url"):
            del body["data"][name]
        event.body = json.dumps(body)
        event.save()
    erase(client, booking)
    first = json.loads(WebhookEvent.objects.earliest("pk").body)["data"]
    assert (first["notes"], first["metadata"], "location" in first) == ("", {}, False)


def test_an_event_that_no_key_opens_is_forgotten_whole(
    client: Client, event_type: EventType, webhook: Webhook
) -> None:
    booking = book(event_type)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhooks_webhookevent SET body = 'lost.AAAA'")
    erase(client, booking)
    assert [event.type for event in WebhookEvent.objects.all()] == ["booking.cancelled"]


def test_what_was_told_is_forgotten_with_what_was_answered(
    client: Client, event_type: EventType, webhook: Webhook
) -> None:
    booking = book(event_type)
    first, second = Delivery.objects.order_by("pk")
    for row in (first, second):
        attempt = factories.attempt(row, at=NOW)
        Attempt.objects.filter(pk=attempt.pk).update(response_body="Hello Quincey")
    Delivery.objects.filter(pk=first.pk).update(state=OutboxState.SENT, settled_at=NOW)
    erase(client, booking)
    assert not Delivery.objects.filter(pk=first.pk).exists()
    assert list(Attempt.objects.values_list("delivery", "response_body")) == [(second.pk, "")]
    found: Any = webhook_services.find(key=str(webhook.pk), user=webhook.owner)
    assert found.success_count == 1


# --- by age -------------------------------------------------------------------------------------


# To take a batch, to forget it and what was said, and to find that there is no other.
QUERIES = 18


def aged(settings: Settings, days: int) -> None:
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"bookings": days}


def over(booking: Booking) -> None:
    bookings.record_overdue(booking=booking, now=booking.end)


def test_who_booked_is_forgotten_so_many_days_after_the_end(
    settings: Settings, event_type: EventType, webhook: Webhook
) -> None:
    aged(settings, 30)
    booking = book(event_type)
    with time_machine.travel(booking.end):
        drain()
    over(booking)
    almost = booking.end + timedelta(days=30) - timedelta(seconds=1)
    privacy.retain(now=almost)
    assert Booking.objects.get().invitee_name == "Quincey Morris"
    privacy.retain(now=almost + timedelta(seconds=1))
    kept = Booking.objects.get()
    assert (kept.invitee, kept.invitee_email, kept.start) == (
        "Deleted person",
        erasure.NOBODY,
        booking.start,
    )
    Delivery.objects.update(state=OutboxState.SENT, settled_at=NOW)
    drain()
    privacy.retain(now=booking.end + timedelta(days=31))
    assert traces(*MARKS) == []


def test_nobody_is_forgotten_unless_it_is_set(event_type: EventType) -> None:
    booking = book(event_type)
    over(booking)
    privacy.retain(now=booking.end + timedelta(days=5000))
    assert Booking.objects.get().invitee_name == "Quincey Morris"


def test_what_is_open_is_kept_however_old(settings: Settings, event_type: EventType) -> None:
    aged(settings, 1)
    booking = book(event_type)
    privacy.retain(now=booking.end + timedelta(days=5))
    assert Booking.objects.get().invitee_name == "Quincey Morris"


@pytest.mark.parametrize("count", [1, 3])
def test_the_effort_does_not_grow_with_the_bookings(
    count: int,
    settings: Settings,
    event_type: EventType,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    aged(settings, 1)
    for place in range(count):
        booking = book(event_type, start=START + timedelta(hours=place))
        over(booking)
    Notification.objects.all().delete()
    outbox.withdraw(Delivery.objects.all(), now=NOW)
    ids = list(Booking.objects.values_list("pk", flat=True))
    with django_assert_num_queries(QUERIES), transaction.atomic():
        erasure.forget_invitees(ids, now=LATER)
    assert not Booking.objects.filter(erased_at=None).exists()

"""Staff lists: every model is searchable, history is read-only, and actions call services."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.domain import services as account_services
from accounts.models import ApiToken, AuditEntry, User
from accounts.staff.base import ReadOnlyAdmin
from core.ops.private_names import staff_tables
from meetings.domain import services
from meetings.models import MeetingRequest
from notifications.models import Notification, PushDevice
from scheduling.domain import bookings
from scheduling.domain import services as scheduling_services
from scheduling.models import Booking, DateOverride, EventType, HistoryEntry
from tests import factories
from tests.admin.calls import act, listed, url
from tests.outbox import address_of, rows
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent

pytestmark = pytest.mark.django_db

OURS = [
    model
    for app in ("notifications", "accounts", "webhooks", "calendars", "scheduling", "meetings")
    for model in apps.get_app_config(app).get_models()
]


def test_every_model_of_ours_has_its_page() -> None:
    missing = [model for model in OURS if not admin.site.is_registered(model)]
    # A membership is edited within its team and its person.
    assert [model._meta.label for model in missing] == ["accounts.Membership", "scheduling.Guest"]


@pytest.mark.parametrize("model", [m for m in OURS if admin.site.is_registered(m)], ids=str)
def test_each_list_opens_searches_and_shows_a_row(
    staff: Client,
    meeting: MeetingRequest,
    booking: Booking,
    attempt: Attempt,
    model: type[Model],
) -> None:
    scheduling_services.set_override(user=booking.host, day=booking.start.date(), windows=[])
    account_services.create_token(user=meeting.requester, name="x", scopes=["events:read"])
    services.confirm(meeting=meeting, actor=meeting.recipient, now=timezone.now())
    assert staff.get(url(model)).status_code == 200
    assert staff.get(url(model), {"q": "alice"}).status_code == 200
    row = model._default_manager.first()
    if row is not None:
        assert staff.get(url(model, "change/", row.pk)).status_code == 200


def test_history_can_be_neither_added_nor_changed_nor_deleted(
    staff: Client, meeting: MeetingRequest
) -> None:
    for table in staff_tables(admin.site):
        if isinstance(table, ReadOnlyAdmin):
            assert staff.get(url(table.model, "add/")).status_code == 403
    assert staff.post(url(MeetingRequest, "delete/", meeting.pk)).status_code == 403
    assert staff.post(url(MeetingRequest, "change/", meeting.pk), {}).status_code == 403


def test_people_who_are_not_staff_see_nothing(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/admin/").status_code == 302


def test_a_person_that_staff_add_can_sign_in(staff: Client) -> None:
    staff.post(
        url(User, "add/"),
        {
            "email": "Dora@example.com",
            "username": "dora",
            "first_name": "Dora",
            "last_name": "",
            "timezone": "Europe/Berlin",
            "usable_password": "true",
            "password1": factories.PASSWORD,
            "password2": factories.PASSWORD,
            "memberships-TOTAL_FORMS": 0,
            "memberships-INITIAL_FORMS": 0,
        },
    )
    address = EmailAddress.objects.get(user__username="dora")
    assert (address.email, address.verified, address.primary) == ("dora@example.com", True, True)


def test_calling_a_meeting_off_tells_both_people(staff: Client, meeting: MeetingRequest) -> None:
    act(staff, "call_off", meeting)
    meeting.refresh_from_db()
    assert meeting.status == "cancelled"
    told = Notification.objects.filter(kind="meeting_cancelled").values_list("user", flat=True)
    assert sorted(told) == sorted([meeting.requester_id, meeting.recipient_id])


def test_what_cannot_be_called_off_is_said(staff: Client, meeting: MeetingRequest) -> None:
    services.reject(meeting=meeting, actor=meeting.recipient, now=timezone.now())
    assert "This meeting is rejected." in act(staff, "call_off", meeting)


def test_cancelling_a_booking_tells_both_people(staff: Client, booking: Booking) -> None:
    assert "cancelled" in act(staff, "call_off", booking)
    entry = booking.history.get(to_status="cancelled")
    assert (entry.role, entry.actor) == ("staff", User.objects.get(email="staff@example.com"))
    told = [address_of(row) for row in rows("email", kind="booking_cancelled")]
    assert told == ["alice@example.com", "john@example.com"]


def test_a_booking_that_cannot_be_cancelled_is_said(staff: Client, booking: Booking) -> None:
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=timezone.now())
    assert "This event is cancelled." in act(staff, "call_off", booking)


@pytest.mark.parametrize("named", ["uuid", "invitee_email", "invitee_name", "host"])
def test_a_booking_is_found_by_what_people_know_of_it(
    staff: Client, bob: User, booking: Booking, named: str
) -> None:
    factories.booking(
        factories.event_type(bob),
        start=booking.start,
        now=timezone.now(),
        name="Ann Other",
        email="ann@example.com",
    )
    wanted = booking.host.email if named == "host" else getattr(booking, named)
    page = staff.get(url(Booking), {"q": wanted})
    assert [row.pk for row in page.context["cl"].result_list] == [booking.pk]


def test_a_booking_shows_the_status_that_is_true_now(staff: Client, booking: Booking) -> None:
    Booking.objects.filter(pk=booking.pk).update(
        start=booking.start - timedelta(days=30), end=booking.end - timedelta(days=30)
    )
    assert 'field-present_status">completed<' in staff.get(url(Booking)).content.decode()


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "model",
    [Booking, EventType, HistoryEntry, DateOverride, Webhook, WebhookEvent, Delivery, Attempt],
    ids=str,
)
def test_a_list_takes_as_many_queries_with_one_row_as_with_three(
    staff: Client,
    booking: Booking,
    attempt: Attempt,
    model: type[Model],
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    several(booking, count)
    with django_assert_num_queries(4):  # session, person, how many there are, and the rows
        page = staff.get(url(model))
    assert len(page.context["cl"].result_list) == count


@pytest.mark.parametrize("count", [1, 3])
def test_a_booking_takes_as_many_queries_with_a_long_history_as_with_a_short_one(
    staff: Client,
    booking: Booking,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(1, count):
        bookings.reschedule(
            booking=booking,
            start=booking.start + timedelta(hours=number),
            actor=bookings.host(booking.host),
            now=timezone.now(),
        )
    ContentType.objects.get_for_model(Booking)  # asked for once by a process
    with django_assert_num_queries(8):
        page = staff.get(url(Booking, "change/", booking.pk))
    assert page.content.decode().count('class="field-change"') == count


def several(booking: Booking, count: int) -> None:
    """Make `count` hosts in total, the booking's host among them. Each has a day off.

    Every other host also gets an event type, a booking, and a webhook with an attempt.
    """
    now = timezone.now()
    WebhookEvent.objects.exclude(deliveries__attempt_rows__isnull=False).delete()
    for number in range(count):
        host = booking.host
        if number:
            host = factories.user(f"host{number}")
            factories.booking(factories.event_type(host), start=booking.start, now=now)
            factories.attempt(factories.delivery(factories.webhook(host), now=now), at=now)
        scheduling_services.set_override(user=host, day=booking.start.date(), windows=[])


def test_a_token_is_revoked_at_once(staff: Client, alice: User) -> None:
    row, _token = account_services.create_token(user=alice, name="x", scopes=["events:read"])
    act(staff, "revoke", row)
    assert not ApiToken.objects.usable(timezone.now()).exists()


def test_a_device_is_deactivated(staff: Client, meeting: MeetingRequest) -> None:
    device = PushDevice.objects.get()
    act(staff, "deactivate", device)
    device.refresh_from_db()
    assert not device.is_active


def test_a_message_is_sent_again_and_taken_back(staff: Client, meeting: MeetingRequest) -> None:
    row = Notification.objects.get(kind="meeting_requested")
    Notification.objects.filter(pk=row.pk).update(
        state="failed", attempts=3, settled_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    act(staff, "requeue", row)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.settled_at) == ("waiting", 0, None)
    act(staff, "withdraw", row)
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_a_delivery_is_sent_again(staff: Client, attempt: Attempt) -> None:
    row = attempt.delivery
    assert "Send again: done." in act(staff, "requeue", row)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.settled_at, row.last_error) == ("waiting", 0, None, "")
    assert "This delivery is on its way already." in act(staff, "requeue", row)


def test_nothing_is_sent_again_to_an_inactive_webhook(staff: Client, attempt: Attempt) -> None:
    Webhook.objects.update(status="inactive")
    assert "This webhook is inactive." in act(staff, "requeue", attempt.delivery)
    assert Delivery.objects.get().state == "failed"


def test_no_page_of_webhooks_shows_a_secret_or_the_value_of_a_header(
    staff: Client, attempt: Attempt
) -> None:
    webhook = attempt.delivery.webhook
    secrets = [*webhook.secrets_at(timezone.now()), *webhook.headers.values()]
    assert len(secrets) == 3
    for shown in (webhook, attempt.delivery.event, attempt.delivery, attempt):
        for path in (url(type(shown)), url(type(shown), "change/", shown.pk)):
            page = staff.get(path)
            assert page.status_code == 200
            for secret in secrets:
                assert secret not in page.content.decode()
                assert secret.removeprefix("whsec_")[:12] not in page.content.decode()


def test_the_body_of_an_event_is_shown_without_the_links_in_it(
    staff: Client, booking: Booking
) -> None:
    factories.webhook(booking.host)
    link = "https://zoom.example/j/1?pwd=x"
    factories.booking(
        booking.event_type,
        start=booking.start + timedelta(hours=1),
        now=timezone.now(),
        join_url=link,
    )
    event = WebhookEvent.objects.latest("pk")
    assert link in event.body
    assert "/bookings/manage/" in event.body
    page = staff.get(url(WebhookEvent, "change/", event.pk)).content.decode()
    for cut in (link, "/j/1", "/manage/", "#cancel"):
        assert cut not in page
    for shown in ("https://zoom.example/...", "John Doe", "john@example.com", "owner_sequence"):
        assert shown in page


def test_a_body_that_no_key_opens_is_said_to_be_so(staff: Client, attempt: Attempt) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhooks_webhookevent SET body = 'lost.AAAA'")
    event = attempt.delivery.event
    page = staff.get(url(WebhookEvent, "change/", event.pk)).content.decode()
    assert "No key opens it." in page


def test_no_page_shows_a_secret(
    staff: Client, meeting: MeetingRequest, booking: Booking, alice: User
) -> None:
    row, _token = account_services.create_token(user=alice, name="x", scopes=["events:read"])
    notification, *_ = Notification.objects.filter(channel="email")
    told_of_booking = next(row for row in rows("email") if address_of(row) == booking.invitee_email)
    device = PushDevice.objects.get()
    for shown in (row, notification, told_of_booking, booking, device):
        page = staff.get(url(type(shown), "change/", shown.pk)).content.decode()
        assert row.digest not in page
        assert "/meetings/answer/" not in page
        assert "/bookings/" not in page
        assert device.token not in page


def test_messages_are_found_by_kind_and_by_age(staff: Client, meeting: MeetingRequest) -> None:
    row = Notification.objects.get(kind="meeting_requested", channel="email")
    Notification.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(hours=2))
    narrowed = {"kind": "meeting_requested", "state": "waiting", "due_for": "1h"}
    assert listed(staff, Notification, **narrowed) == [row]
    assert listed(staff, Notification, **{**narrowed, "due_for": "1d"}) == []
    assert listed(staff, Notification, **{**narrowed, "kind": "booking_confirmed"}) == []


def test_deliveries_are_found_by_kind_and_by_age(staff: Client, attempt: Attempt) -> None:
    row = attempt.delivery
    Delivery.objects.update(due_at=timezone.now() - timedelta(hours=2))
    narrowed = {"kind": row.event.type, "state": "failed", "due_for": "1h"}
    assert listed(staff, Delivery, **narrowed) == [row]
    assert listed(staff, Delivery, **{**narrowed, "due_for": "1d"}) == []
    assert listed(staff, Delivery, **{**narrowed, "kind": "webhook.test"}) == []


def test_a_failed_delivery_is_withdrawn_on_record(staff: Client, attempt: Attempt) -> None:
    act(staff, "withdraw", attempt.delivery)
    attempt.delivery.refresh_from_db()
    assert attempt.delivery.state == "withdrawn"
    said = AuditEntry.objects.get(action="staff_acted")
    assert said.person == attempt.delivery.webhook.owner
    assert said.subject == f"Withdraw unsent messages: delivery {attempt.delivery.uuid}"


def test_what_a_worker_holds_is_not_taken_back(staff: Client, meeting: MeetingRequest) -> None:
    row = Notification.objects.get(kind="meeting_requested", channel="email")
    Notification.objects.filter(pk=row.pk).update(
        lease="x", lease_until=timezone.now() + timedelta(minutes=1)
    )
    assert "This message does not wait any more." in act(staff, "withdraw", row)
    row.refresh_from_db()
    assert row.state == "waiting"

"""Prometheus metrics: access, format, correct values, and cheap queries."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from accounts.models import Team, User
from calendars.models import CalendarAccount
from core.db.outbox import OutboxState
from core.ops import metrics
from meetings.models import HistoryEntry as MeetingEntry
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.models import Booking, HistoryEntry
from tests import factories
from tests.outbox import mail
from tests.pages import stand_alone
from webhooks.models import Attempt, Delivery

pytestmark = pytest.mark.django_db

TOKEN = "token-of-prometheus"
Values = dict[tuple[str, ...], float]
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    stand_alone(settings)
    settings.METRICS_TOKEN = TOKEN


def page(client: Client) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer["Cache-Control"] == "no-store"
    return answer.content.decode()


def read(client: Client) -> Values:
    """Return every sample by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page(client))
        for sample in family.samples
    }


# --- for whom ---------------------------------------------------------------------------------


def test_without_a_token_set_there_is_no_such_page(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for given in ("", "Bearer ", "Bearer None"):
        answer = client.get("/metrics", headers={"Authorization": given})
        assert answer.status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer tökén"])
def test_whoever_has_another_token_is_refused(client: Client, given: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": given})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_it_is_only_read(client: Client) -> None:
    answer = client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_it_is_read_by_any_name_and_without_https(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(
        "/metrics", headers={"Authorization": f"Bearer {TOKEN}", "Host": "10.1.2.3:8000"}
    )
    assert answer.status_code == 200


def test_names_follow_the_rules_and_each_family_is_told_once(client: Client) -> None:
    client.get("/nothing")
    text = page(client)
    names = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    assert len(names) == len(set(names)) == len(re.findall(r"^# HELP", text, re.MULTILINE))
    for name, kind in names:
        assert re.fullmatch(r"parley_[a-z0-9_]+", name)
        assert name.endswith("_total") == (kind == "counter")


# --- requests ---------------------------------------------------------------------------------


def counted(client: Client, act: Callable[[], object]) -> Values:
    """Return by how much the requests of `act` raise the request counters."""
    before = read(client)
    act()
    ours = ("parley_requests_total", "parley_request_seconds_count")
    return {
        key: value - before.get(key, 0)
        for key, value in read(client).items()
        if key[0] in ours and value != before.get(key, 0) and "metrics" not in key
    }


def test_requests_are_counted_by_pattern_and_never_by_address(client: Client, alice: User) -> None:
    def act() -> None:
        api = factories.client(alice)
        api.get("/api/v1/users/me")
        api.get("/api/v1/users/me")
        client.get("/meetings/answer/one")
        client.get("/meetings/answer/two")
        client.get("/no/such/page")
        client.generic("PROPFIND", "/no/such/page")

    assert counted(client, act) == {
        ("parley_requests_total", "GET", "api/v1/users/me", "200"): 2,
        ("parley_requests_total", "GET", "meetings/answer/<str:token>", "404"): 2,
        ("parley_requests_total", "GET", "unknown", "404"): 1,
        ("parley_requests_total", "other", "unknown", "404"): 1,
        ("parley_request_seconds_count", "api/v1/users/me"): 2,
        ("parley_request_seconds_count", "meetings/answer/<str:token>"): 2,
        ("parley_request_seconds_count", "unknown"): 2,
    }


# --- work -------------------------------------------------------------------------------------


def rows(now: datetime, *owners: User) -> list[Notification]:
    """Make one notification for each owner, due now. Nothing else waits."""
    Notification.objects.all().delete()
    return [mail(owner.email, now=now, user=owner) for owner in owners]


def test_an_outbox_tells_what_is_due_and_since_when(
    client: Client, alice: User, bob: User, charlie: User
) -> None:
    now = timezone.now()
    first, second, _third = rows(now - MINUTE, alice, bob, charlie)
    Notification.objects.filter(pk=second.pk).update(due_at=now + MINUTE)
    Notification.objects.filter(pk=first.pk).update(due_at=now - 10 * MINUTE)
    delivery = factories.delivery(factories.webhook(alice), now=now)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=OutboxState.FAILED, settled_at=now - 59 * MINUTE
    )
    told = read(client)
    assert told["parley_outbox_due", "notifications_notification"] == 2
    assert told["parley_outbox_oldest_due_seconds", "notifications_notification"] == pytest.approx(
        600, abs=5
    )
    assert told["parley_outbox_failed_last_hour", "notifications_notification"] == 0
    assert told["parley_outbox_due", "webhooks_delivery"] == 0
    assert told["parley_outbox_oldest_due_seconds", "webhooks_delivery"] == 0
    assert told["parley_outbox_failed_last_hour", "webhooks_delivery"] == 1


def test_notifications_are_told_by_what_came_of_them_of_late(
    client: Client, alice: User, bob: User, charlie: User
) -> None:
    now = timezone.now()
    sent, failed, old = rows(now, alice, bob, charlie)
    for row, state, age in (
        (sent, OutboxState.SENT, MINUTE),
        (failed, OutboxState.FAILED, MINUTE),
        (old, OutboxState.SENT, 6 * MINUTE),
    ):
        Notification.objects.filter(pk=row.pk).update(state=state, settled_at=now - age)
    told = read(client)
    assert {key[1:]: told[key] for key in told if key[0] == "parley_notifications_last_5m"} == {
        ("email", "sent"): 1,
        ("email", "failed"): 1,
        ("email", "withdrawn"): 0,
        ("push", "sent"): 0,
        ("push", "failed"): 0,
        ("push", "withdrawn"): 0,
    }


def test_attempts_are_told_by_what_came_of_them_of_late(client: Client, alice: User) -> None:
    now = timezone.now()
    delivery = factories.delivery(factories.webhook(alice), now=now)
    for status in (200, 204, 404, 410, 503):
        factories.attempt(delivery, at=now - MINUTE, status=status)
    factories.attempt(delivery, at=now - 6 * MINUTE, status=500)
    Attempt.objects.create(
        delivery=delivery, at=now, succeeded=False, error="tls", response_time_ms=1
    )
    told = read(client)
    assert {key[1]: told[key] for key in told if key[0] == "parley_webhook_attempts_last_5m"} == {
        "delivered": 2,
        "http_3xx": 0,
        "http_4xx": 2,
        "http_5xx": 1,
        "refused": 0,
        "timeout": 0,
        "tls": 1,
    }


def booked(host: User, start: datetime) -> Booking:
    return factories.booking(factories.event_type(host), start=start, now=start - timedelta(days=2))


def asked(requester: User, recipient: User, team: Team, start: datetime) -> MeetingRequest:
    made = start - timedelta(days=2)
    return MeetingRequest.objects.create(
        booking_number=f"{start:%Y%m%d%H%M}",
        requester=requester,
        recipient=recipient,
        team=team,
        timezone="UTC",
        start=start,
        end=start + timedelta(hours=1),
        created_at=made,
        updated_at=made,
    )


MONDAY = datetime(2030, 1, 7, 10, tzinfo=UTC)


def test_changes_are_told_of_late(client: Client, alice: User, bob: User, team: Team) -> None:
    booking, now = booked(alice, MONDAY), timezone.now()
    HistoryEntry.objects.filter(booking=booking).update(at=now - MINUTE)
    meeting = asked(alice, bob, team, MONDAY)
    span = {"start": meeting.start, "end": meeting.end, "role": "recipient"}
    for number, (status, at) in enumerate((("pending", now - 6 * MINUTE), ("confirmed", now))):
        MeetingEntry.objects.create(
            meeting=meeting, sequence=number, to_status=status, at=at, **span
        )
    told = read(client)
    changes = {key[1]: told[key] for key in told if key[0] == "parley_booking_changes_last_5m"}
    assert changes == dict.fromkeys(changes, 0) | {"created": 1}
    assert len(changes) == 7
    statuses = {key[1]: told[key] for key in told if key[0] == "parley_meeting_changes_last_5m"}
    assert statuses == dict.fromkeys(statuses, 0) | {"confirmed": 1}
    assert len(statuses) == 6


def test_a_sweep_is_behind_by_what_the_oldest_has_waited(
    client: Client, alice: User, bob: User, charlie: User, team: Team
) -> None:
    now = timezone.now()
    (pending, confirmed) = (booked(host, MONDAY) for host in (alice, bob))
    Booking.objects.filter(pk=pending.pk).update(status="pending", start=now - MINUTE)
    Booking.objects.filter(pk=confirmed.pk).update(
        status="confirmed", start=now - 60 * MINUTE, end=now - 3 * MINUTE
    )
    asked(alice, bob, team, now - 4 * MINUTE)
    in_hand, left = rows(now - 5 * MINUTE, alice, bob)
    lease = Notification.objects.filter
    lease(pk=in_hand.pk).update(lease="a", lease_until=now + MINUTE)
    lease(pk=left.pk).update(lease="b", lease_until=now - 2 * MINUTE)  # whose worker has died

    idle, busy = factories.webhook(charlie), factories.webhook(alice)
    factories.delivery(idle, now=now - MINUTE)
    for _ in range(2):
        factories.delivery(busy, now=now - 9 * MINUTE)
    Delivery.objects.filter(pk=busy.deliveries.earliest("pk").pk).update(
        lease="c", lease_until=now + MINUTE
    )

    calendar = factories.chosen_calendar(bob, now=now - 7 * MINUTE)
    CalendarAccount.objects.filter(pk=calendar.account_id).update(lease_until=now - 6 * MINUTE)

    lags = {
        key[1]: seconds
        for key, seconds in read(client).items()
        if key[0].endswith("sweep_lag_seconds")
    }
    assert lags == {
        "bookings": pytest.approx(180, abs=5),
        "calendars": pytest.approx(360, abs=5),
        "meetings": pytest.approx(240, abs=5),
        "notifications": pytest.approx(120, abs=5),
        # Alice's account has its share of the threads: what waits for it is not behind.
        "deliveries": pytest.approx(60, abs=5),
    }


def test_nothing_is_behind_when_nothing_waits(alice: User) -> None:
    booked(alice, MONDAY)
    Notification.objects.all().delete()
    sweeps = ("notifications", "deliveries", "calendars", "bookings", "meetings")
    nothing = dict.fromkeys(sweeps, timedelta(0))
    assert metrics.behind(timezone.now()) == nothing


def test_calendars_are_counted_by_state_and_the_oldest_reading_has_an_age(
    client: Client, alice: User, bob: User, charlie: User
) -> None:
    now = timezone.now()
    for person, state, minutes in ((alice, "ok", 2), (bob, "ok", 1), (charlie, "failing", 90)):
        CalendarAccount.objects.filter(
            pk=factories.chosen_calendar(person, now=now).account_id
        ).update(state=state, read_at=now - minutes * MINUTE)
    told = read(client)
    counts = [told["parley_calendar_accounts", state] for state in ("ok", "failing", "revoked")]
    assert counts == [2, 1, 0]
    age = pytest.approx(120, abs=5)
    assert told["parley_calendar_oldest_reading_seconds",] == age
    User.objects.filter(pk=alice.pk).update(is_active=False)  # whose calendars nobody reads
    assert read(client)["parley_calendar_oldest_reading_seconds",] == pytest.approx(60, abs=5)


def test_a_database_that_fails_is_told_and_requests_are_counted_on(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE webhooks_attempt RENAME TO elsewhere")
    told = read(client)
    assert told[("parley_database_up",)] == 0
    assert any(name == "parley_requests_total" for name, *_labels in told)
    assert not any(name.startswith("parley_outbox") for name, *_labels in told)


def test_every_query_goes_by_an_index(client: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page(client)
    selects = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(selects) <= 26
    for sql in selects:
        assert scans(sql) == [], sql


def scans(sql: str) -> list[str]:
    """Return the tables that the query would read completely, even though that costs more."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            return [row[0] for row in cursor.fetchall() if "Seq Scan" in row[0]]
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plans = [str(row[3]) for row in cursor.fetchall()]
        return [plan for plan in plans if plan.startswith("SCAN") and "USING" not in plan]

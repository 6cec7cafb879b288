"""Retention: deletion by age, kinds in turns, for a bounded time, and by two sweeps at once."""

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.domain import audit, teams
from accounts.domain.audit import Action
from accounts.models import AuditEntry, Invitation, Session, User
from core.db import outbox
from core.db.outbox import OutboxState
from core.models import IdempotencyRecord
from core.ops import shares
from core.people import privacy
from core.people.privacy import Outdated
from core.tasks import retain
from notifications.domain import notifications
from notifications.domain.channels import EmailContent
from notifications.models import Notification
from tests import factories
from tests.outbox import mail
from tests.pages import NOW, START
from tests.torture.races import at_once
from webhooks import privacy as webhooks_privacy
from webhooks.domain import services
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent

pytestmark = pytest.mark.django_db

MOMENT = timedelta(seconds=1)
CONTENT: EmailContent = {"subject": "", "text": "", "html": ""}


@pytest.fixture(autouse=True)
def at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def webhook(alice: User) -> Webhook:
    return factories.webhook(alice)


def days(count: int) -> timedelta:
    return timedelta(days=count)


def note(*, settled: timedelta | None, state: OutboxState = OutboxState.SENT) -> Notification:
    """Make a notification that was settled this long ago, or that is pending."""
    row = mail("a@example.com", now=NOW - days(400))
    if settled is not None:
        Notification.objects.filter(pk=row.pk).update(state=state, settled_at=NOW - settled)
    return row


def test_notifications_go_90_days_after_they_were_settled_and_not_while_they_wait() -> None:
    kept = [note(settled=days(90) - MOMENT), note(settled=None)]
    for state in (OutboxState.SENT, OutboxState.FAILED, OutboxState.WITHDRAWN):
        note(settled=days(90), state=state)
    retain()
    assert list(Notification.objects.order_by("pk")) == kept


def test_what_was_only_kept_to_be_sent_goes_as_soon_as_it_is() -> None:
    sent, waits = note(settled=timedelta(0)), note(settled=None)
    Notification.objects.update(topic=notifications.ONCE)
    retain()
    assert list(Notification.objects.all()) == [waits]
    assert sent.pk != waits.pk


def tried(webhook: Webhook, *, at: timedelta, settled: timedelta | None) -> Delivery:
    """Make a delivery with an attempt this long ago, settled this long ago or not at all."""
    row = factories.delivery(webhook, now=NOW - at)
    factories.attempt(row, at=NOW - at, status=500)
    if settled is not None:
        Delivery.objects.filter(pk=row.pk).update(
            state=OutboxState.FAILED, settled_at=NOW - settled
        )
    return row


def test_attempts_are_kept_for_30_days(webhook: Webhook) -> None:
    row = factories.delivery(webhook, now=NOW)
    kept = [
        factories.attempt(row, at=NOW - age)
        for age in (days(30) + MOMENT, days(30), days(30) - MOMENT, timedelta(0))
    ]
    retain()
    assert list(Attempt.objects.all()) == kept[2:]
    assert list(Delivery.objects.all()) == [row]
    found: Any = services.find(key=str(webhook.pk), user=webhook.owner)
    assert found.success_count == 2


def test_deliveries_go_30_days_after_they_were_settled_and_their_events_with_the_last(
    webhook: Webhook,
) -> None:
    tried(webhook, at=days(40), settled=days(30))
    kept = [
        tried(webhook, at=days(40), settled=days(30) - MOMENT),
        tried(webhook, at=days(40), settled=None),
    ]
    retain()
    assert list(Delivery.objects.order_by("pk")) == kept
    assert list(WebhookEvent.objects.order_by("pk")) == [row.event for row in kept]
    assert not Attempt.objects.exists()  # of 40 days ago


def test_what_failed_and_is_kept_can_still_be_recovered(webhook: Webhook) -> None:
    tried(webhook, at=days(40), settled=days(31))
    tried(webhook, at=days(20), settled=days(20))
    retain()
    assert services.recover(webhook=webhook, since=NOW - days(60), now=NOW) == 1


def test_the_audit_log_goes_back_a_year(alice: User) -> None:
    for age in (days(365), days(365) - MOMENT):
        audit.record(Action.LOGIN, person=alice, now=NOW - age)
    retain()
    assert AuditEntry.objects.get().at == NOW - days(365) + MOMENT


def test_zero_days_are_for_ever(settings: Settings, webhook: Webhook) -> None:
    settings.RETENTION_DAYS = dict.fromkeys(settings.RETENTION_DAYS, 0)
    note(settled=days(4000))
    tried(webhook, at=days(4000), settled=days(4000))
    audit.record(Action.LOGIN, now=NOW - days(4000))
    retain()
    counts = [each.objects.count() for each in (Notification, Attempt, Delivery, AuditEntry)]
    assert counts == [1, 1, 1, 1]


def test_sessions_answers_and_invitations_go_when_they_are_over(alice: User) -> None:
    for over in (timedelta(0), -MOMENT):
        Session.objects.create(
            session_key=str(over), session_data="{}", expire_date=NOW - over, seen_at=NOW
        )
        IdempotencyRecord.objects.create(
            user=alice,
            method="POST",
            path="/",
            key=str(over),
            created_at=NOW - timedelta(hours=24) - over,
        )
    team = factories.team("Team", alice)
    invited = NOW - teams.INVITATION_STANDS - teams.INVITATION_KEPT
    for email, now in (("old@example.com", invited), ("new@example.com", invited + MOMENT)):
        teams.invite(team=team, actor=alice, email=email, now=now)
    retain()
    assert [row.expire_date for row in Session.objects.all()] == [NOW + MOMENT]
    assert [row.key for row in IdempotencyRecord.objects.all()] == [str(-MOMENT)]
    assert [row.email for row in Invitation.objects.all()] == ["new@example.com"]


# --- what is kept, and for how long ---------------------------------------------------------------

KEPT = {
    "as long as its account": {
        "accounts.ApiToken",
        "accounts.Membership",
        "accounts.Picture",
        "accounts.Team",
        "accounts.User",
        "account.EmailAddress",
        "calendars.Calendar",
        "calendars.CalendarAccount",
        "calendars.Feed",
        "calendars.Item",
        "mfa.Authenticator",
        "notifications.OptOut",
        "notifications.PushDevice",
        "oauth2_provider.Application",
        "scheduling.DateOverride",
        "scheduling.EventType",
        "scheduling.Schedule",
        "scheduling.WeeklyAvailability",
        "webhooks.OwnerCounter",
        "webhooks.Webhook",
    },
    "for ever: times and outcome": {
        "calendars.BusyTime",
        "meetings.HistoryEntry",
        "meetings.MeetingRequest",
        "scheduling.HistoryEntry",
    },
    "nothing about people": {
        "auth.Group",
        "auth.Permission",
        "contenttypes.ContentType",
        "core.KeyCanary",
        "meetings.DayCounter",
    },
    "no rows are written": {
        "account.EmailConfirmation",
        "admin.LogEntry",
        "oauth2_provider.DeviceGrant",
        "oauth2_provider.IDToken",
    },
}


def outdated(settings: Settings) -> list[Outdated]:
    settings.RETENTION_DAYS = dict.fromkeys(settings.RETENTION_DAYS, 1)
    return [kind for part in privacy.parts() for kind in part.outdated(now=NOW)]


def test_every_table_is_forgotten_by_age_or_kept_for_a_reason(settings: Settings) -> None:
    """Each new model needs an entry above, or a part that forgets it. Otherwise this test fails."""
    labels = {model._meta.label for model in apps.get_models() if not model._meta.proxy}
    forgotten = {kind.rows.model._meta.label for kind in outdated(settings)}
    assert forgotten.isdisjoint(set().union(*KEPT.values()))
    assert forgotten.union(*KEPT.values()) == labels


SCANNED = {
    # The limits of accounts keep these tables small.
    ("accounts_invitation", "id"),
    ("oauth2_provider_accesstoken", "id"),
    ("oauth2_provider_grant", "id"),
    ("oauth2_provider_refreshtoken", "id"),
    # With parameters SQLite does not see that its partial index would do. PostgreSQL does.
    ("scheduling_booking", "created_at"),
}


@pytest.mark.once
def test_an_index_finds_what_is_to_be_forgotten(settings: Settings) -> None:
    """SQLite plans without knowing the rows. PostgreSQL's plans are in docs/plans.txt."""
    scanned = set()
    for kind in outdated(settings):
        table = kind.rows.model._meta.db_table
        rows = kind.rows if kind.among is None else kind.among
        plan = rows.order_by(kind.by).values_list("pk", kind.by)[: kind.batch].explain()
        if f"SCAN {table}" in plan or "TEMP B-TREE" in plan:
            scanned.add((table, kind.by))
    assert scanned == SCANNED


# --- in turns, and for a time ---------------------------------------------------------------------


class Turns:
    """Old notifications and audit entries, and the tables of the batches that were forgotten."""

    def __init__(self, notes: int, entries: int) -> None:
        for _row in range(notes):
            note(settled=days(100))
        for _row in range(entries):
            audit.record(Action.LOGIN, now=NOW - days(400))
        self.batches: list[tuple[str, int]] = []

    def kinds(self, also: Callable[[], object] = lambda: None) -> list[Outdated]:
        def forgetting(model: type[Model]) -> Callable[[list[Any]], None]:
            def forget(keys: list[Any]) -> None:
                self.batches.append((model.__name__, len(keys)))
                privacy.delete(model, keys)
                also()

            return forget

        old = Notification.objects.filter(settled_at__lte=NOW)
        told = AuditEntry.objects.filter(at__lte=NOW)
        return [
            Outdated(old, by="settled_at", forget=forgetting(Notification), batch=2),
            Outdated(told, by="at", forget=forgetting(AuditEntry), batch=2),
        ]


def test_kinds_take_turns_so_a_backlog_of_one_delays_no_other() -> None:
    turns = Turns(notes=5, entries=3)
    privacy.in_turns(turns.kinds(), until=math.inf)
    assert turns.batches == [
        ("Notification", 2),
        ("AuditEntry", 2),
        ("Notification", 2),
        ("AuditEntry", 1),
        ("Notification", 1),
    ]
    assert [Notification.objects.count(), AuditEntry.objects.count()] == [0, 0]


def test_no_batch_begins_after_the_end_of_a_run_and_the_next_run_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns, clock = Turns(notes=5, entries=3), [0.0]
    monkeypatch.setattr(privacy, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def pass_a_millisecond() -> None:
        clock[0] += 0.001

    kinds = turns.kinds(also=pass_a_millisecond)
    privacy.in_turns(kinds, until=0.003)
    assert [Notification.objects.count(), AuditEntry.objects.count()] == [1, 1]
    privacy.in_turns(kinds, until=0.003)
    assert len(turns.batches) == 3
    privacy.in_turns(kinds, until=math.inf)
    assert [Notification.objects.count(), AuditEntry.objects.count()] == [0, 0]


def test_a_run_by_beat_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    note(settled=days(100))
    monkeypatch.setattr("core.tasks.RETAIN_SECONDS", 0)
    retain()
    assert Notification.objects.exists()


def test_a_run_ends_at_once_when_the_worker_stops() -> None:
    turns = Turns(notes=5, entries=3)
    try:
        privacy.in_turns(turns.kinds(also=shares.stopping.set), until=math.inf)
    finally:
        shares.stopping.clear()
    assert turns.batches == [("Notification", 2)]


def test_a_kind_that_fails_stops_no_other() -> None:
    turns = Turns(notes=3, entries=3)
    _notes, entries = turns.kinds()
    broken = Outdated(
        Notification.objects.filter(settled_at__lte=NOW), by="settled_at", forget=lambda _: 1 / 0
    )
    with pytest.raises(ExceptionGroup) as raised:
        privacy.in_turns([broken, entries], until=math.inf)
    assert [type(error) for error in raised.value.exceptions] == [ZeroDivisionError]
    assert [Notification.objects.count(), AuditEntry.objects.count()] == [3, 0]


def test_a_batch_begins_where_the_last_one_ended() -> None:
    """Otherwise every query would read again the index entries of all rows that are gone."""
    for age in (104, 103, 102, 101):
        note(settled=days(age))
    [kind, _entries] = Turns(notes=0, entries=0).kinds()
    with CaptureQueriesContext(connection) as asked:
        privacy.in_turns([kind], until=math.inf)
    found = [each["sql"] for each in asked if "LIMIT" in each["sql"]]
    ranges = [f"{NOW - days(age):%Y-%m-%d}" for age in (103, 101)]
    assert [">=" in sql for sql in found] == [False, True, True]
    assert [day in sql for day, sql in zip(ranges, found[1:], strict=True)] == [True, True]


def test_events_are_found_behind_others_that_are_kept(webhook: Webhook) -> None:
    """Events with a delivery that is kept do not hide those whose webhook was deleted."""
    kept = [tried(webhook, at=days(50), settled=days(1)).event for _row in range(5)]
    other = factories.webhook(webhook.owner)
    tried(other, at=days(40), settled=days(1))
    other.delete()
    [*_, events] = webhooks_privacy.outdated(now=NOW)
    privacy.in_turns([replace(events, batch=2)], until=math.inf)
    assert list(WebhookEvent.objects.order_by("pk")) == kept


def test_rows_of_the_same_moment_are_all_forgotten() -> None:
    turns = Turns(notes=7, entries=0)
    privacy.in_turns(turns.kinds(), until=math.inf)
    assert turns.batches == [("Notification", count) for count in (2, 2, 2, 1)]


@pytest.mark.django_db(transaction=True)
def test_people_book_while_much_is_forgotten(alice: User) -> None:
    event_type = factories.event_type(alice)
    turns = Turns(notes=400, entries=0)
    has_begun, is_over = threading.Event(), threading.Event()
    waits: list[float] = []

    def take_long() -> None:
        has_begun.set()
        _table, count = turns.batches[-1]
        threading.Event().wait(count / 1000)

    def forget() -> None:
        [notes, _entries] = turns.kinds(also=take_long)
        try:
            privacy.in_turns([replace(notes, batch=5)], until=math.inf)
        finally:
            is_over.set()

    def book() -> None:
        assert has_begun.wait(30)
        for day, number in itertools.product(range(0, 56, 7), range(10)):
            began = time.perf_counter()
            start = START + timedelta(days=day, minutes=30 * number)
            factories.booking(event_type, start=start, now=NOW)
            if is_over.is_set():
                break
            waits.append(time.perf_counter() - began)

    assert at_once([forget, book]) == [None, None]
    assert len(turns.batches) == 80
    assert len(waits) >= 3
    assert max(waits) < 5


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_do_not_get_into_each_others_way(alice: User) -> None:
    webhook = factories.webhook(alice)
    for _row in range(40):
        note(settled=days(100))
        tried(webhook, at=days(40), settled=days(35))
    sweeps: list[Callable[[], None]] = [lambda: privacy.retain(now=NOW)] * 3
    assert at_once(sweeps) == [None] * 3
    assert not Notification.objects.exists()
    assert not Delivery.objects.exists()
    assert not WebhookEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_being_sent_again_is_left_alone(alice: User) -> None:
    """The sweep skips a row that another transaction has locked, and deletes the others."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    held, other = note(settled=days(100)), note(settled=days(100))

    def hold_it() -> None:
        rows = Notification.objects.filter(pk=held.pk)
        with transaction.atomic():
            assert rows.select_for_update().get()
            at_once([lambda: privacy.retain(now=NOW)])
            outbox.requeue(rows, now=NOW)

    hold_it()
    assert list(Notification.objects.all()) == [held]
    assert other.pk != held.pk

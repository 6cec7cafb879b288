"""Retention: deletion by age, in batches, repeatedly, and by two sweeps at once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from pytest_django import Settings

from accounts.domain import audit, teams
from accounts.domain.audit import Action
from accounts.models import AuditEntry, Invitation, Session, User
from core.db import outbox
from core.db.outbox import OutboxState
from core.models import IdempotencyRecord
from core.people import privacy
from core.tasks import retain
from notifications.domain import notifications
from notifications.domain.channels import EmailContent
from notifications.models import Notification
from tests import factories
from tests.outbox import mail
from tests.pages import NOW
from tests.torture.races import at_once
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


def test_what_is_too_much_for_one_run_is_left_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(privacy, "BATCH", 2)
    monkeypatch.setattr(privacy, "_BATCHES", 2)
    for _row in range(5):
        note(settled=days(100))
    retain()
    assert Notification.objects.count() == 1
    retain()
    retain()
    assert not Notification.objects.exists()


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

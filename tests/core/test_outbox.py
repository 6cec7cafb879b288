"""Outbox: leases, attempts, and recovery after a sender's death."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from config.celery import app
from core.db import outbox
from core.db.outbox import OutboxState
from notifications.domain import notifications
from notifications.models import Notification

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
ROWS = Notification.objects


def write(user: User, due_at: datetime = NOW) -> Notification:
    return ROWS.create(
        user=user,
        channel="email",
        address=user.email,
        kind="test",
        topic="topic",
        content="{}",
        due_at=due_at,
        created_at=NOW,
    )


def state(row: Notification) -> tuple[str, int, str]:
    row.refresh_from_db()
    return row.state, row.attempts, row.last_error


def test_a_row_is_claimed_by_one_worker_at_a_time(alice: User) -> None:
    row = write(alice)
    assert outbox.claim(ROWS.all(), now=NOW) == row
    assert outbox.claim(ROWS.all(), now=NOW) is None


def test_a_row_is_not_claimed_before_it_is_due(alice: User) -> None:
    write(alice, due_at=NOW + timedelta(seconds=1))
    assert outbox.claim(ROWS.all(), now=NOW) is None
    assert outbox.claim(ROWS.all(), now=NOW + timedelta(seconds=1)) is not None


def test_what_has_waited_longest_comes_first(alice: User) -> None:
    later, earlier = write(alice), write(alice, due_at=NOW - timedelta(hours=1))
    assert outbox.claim(ROWS.all(), now=NOW) == earlier
    assert outbox.claim(ROWS.all(), now=NOW) == later


def test_a_dead_workers_row_is_taken_over_and_costs_no_attempt(alice: User) -> None:
    write(alice)
    dead = outbox.claim(ROWS.all(), now=NOW)
    assert dead
    assert outbox.claim(ROWS.all(), now=NOW + LEASE - timedelta(seconds=1)) is None
    heir = outbox.claim(ROWS.all(), now=NOW + LEASE)
    assert heir
    assert (heir.pk, heir.attempts) == (dead.pk, 0)
    # The dead one was only slow; what it has to say no longer counts.
    assert outbox.settle(dead, state=OutboxState.FAILED, now=NOW) is False
    assert outbox.settle(heir, state=OutboxState.SENT, now=NOW) is True
    assert state(heir) == ("sent", 1, "")


def test_a_failed_attempt_waits_for_its_delay_and_the_last_one_fails(alice: User) -> None:
    row, now = write(alice), NOW
    waits = []
    for _attempt in Notification.DELAYS:
        claimed = outbox.claim(ROWS.all(), now=now)
        assert claimed
        delay = Notification.DELAYS[claimed.attempts]
        outbox.retry_later(claimed, now=now, error="SMTPServerDisconnected", delay=delay)
        row.refresh_from_db()
        waits.append(row.due_at - now)
        now = row.due_at
    assert waits == list(Notification.DELAYS)
    last = outbox.claim(ROWS.all(), now=now)
    assert last
    outbox.retry_later(last, now=now, error="SMTPServerDisconnected", delay=None)
    assert state(row) == ("failed", len(Notification.DELAYS) + 1, "SMTPServerDisconnected")
    assert outbox.claim(ROWS.all(), now=now + timedelta(days=30)) is None


def test_what_is_withdrawn_is_not_sent_and_what_was_sent_stays_sent(alice: User) -> None:
    sent, waiting = write(alice), write(alice)
    claimed = outbox.claim(ROWS.filter(pk=sent.pk), now=NOW)
    assert claimed
    outbox.settle(claimed, state=OutboxState.SENT, now=NOW)
    assert outbox.withdraw(ROWS.filter(topic="topic"), now=NOW) == 1
    assert [state(row)[0] for row in (sent, waiting)] == ["sent", "withdrawn"]
    assert outbox.claim(ROWS.all(), now=NOW) is None


def test_a_row_withdrawn_while_it_is_being_sent_stays_withdrawn(alice: User) -> None:
    row = write(alice)
    claimed = outbox.claim(ROWS.all(), now=NOW)
    assert claimed
    outbox.withdraw(ROWS.all(), now=NOW)
    assert outbox.settle(claimed, state=OutboxState.SENT, now=NOW) is False
    assert state(row)[0] == "withdrawn"


def test_what_has_ended_can_be_sent_again(alice: User) -> None:
    row = write(alice)
    claimed = outbox.claim(ROWS.all(), now=NOW)
    assert claimed
    outbox.settle(claimed, state=OutboxState.FAILED, now=NOW, error="refused")
    later = NOW + timedelta(hours=1)
    assert outbox.requeue(ROWS.all(), now=later) == 1
    assert state(row) == ("waiting", 0, "")
    assert outbox.claim(ROWS.all(), now=later) == row


def test_a_hint_names_a_task_that_the_workers_know(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    app.control.purge()
    with django_capture_on_commit_callbacks(execute=True):
        notifications.email(
            address=alice.email,
            kind="test",
            content={"subject": "", "text": "", "html": ""},
            now=NOW,
        )
    with app.connection_for_read() as connection, connection.SimpleQueue("mail") as queue:
        message = queue.get(timeout=5)
    app.loader.import_default_modules()
    assert message.headers["task"] in app.tasks
    assert message.headers["argsrepr"] == "('email',)"
    assert message.headers["expires"]  # where no worker takes any, they do not pile up for ever

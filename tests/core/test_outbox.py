"""Outbox: leases, attempts, and recovery after a sender's death."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from config.celery import app
from core.db import outbox
from core.db.outbox import OutboxState
from core.tasks import hand_on
from notifications.models import Notification
from tests.outbox import mail

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
        is_written=True,
        due_at=due_at,
        created_at=NOW,
    )


def claim(rows: Any = ROWS, *, now: datetime = NOW) -> Notification | None:
    return next(iter(outbox.claim(rows.all(), now=now, most=1)), None)


def state(row: Notification) -> tuple[str, int, str]:
    row.refresh_from_db()
    return row.state, row.attempts, row.last_error


def test_a_row_is_claimed_by_one_worker_at_a_time(alice: User) -> None:
    row = write(alice)
    assert claim() == row
    assert claim() is None


def test_a_row_is_not_claimed_before_it_is_due(alice: User) -> None:
    write(alice, due_at=NOW + timedelta(seconds=1))
    assert claim() is None
    assert claim(now=NOW + timedelta(seconds=1)) is not None


def test_what_has_waited_longest_comes_first(alice: User) -> None:
    later, earlier = write(alice), write(alice, due_at=NOW - timedelta(hours=1))
    assert claim() == earlier
    assert claim() == later


def test_a_dead_workers_row_is_taken_over_and_costs_no_attempt(alice: User) -> None:
    write(alice)
    dead = claim()
    assert dead
    assert claim(now=NOW + LEASE - timedelta(seconds=1)) is None
    heir = claim(now=NOW + LEASE)
    assert heir
    assert (heir.pk, heir.attempts) == (dead.pk, 0)
    # The dead one was only slow; what it has to say no longer counts.
    assert outbox.settle([dead], state=OutboxState.FAILED, now=NOW) == 0
    assert outbox.settle([heir], state=OutboxState.SENT, now=NOW) == 1
    assert state(heir) == ("sent", 1, "")


def test_a_failed_attempt_waits_for_its_delay_and_the_last_one_fails(alice: User) -> None:
    row, now = write(alice), NOW
    waits = []
    for _attempt in Notification.DELAYS:
        claimed = claim(now=now)
        assert claimed
        delay = Notification.DELAYS[claimed.attempts]
        outbox.retry_later(claimed, now=now, error="SMTPServerDisconnected", delay=delay)
        row.refresh_from_db()
        waits.append(row.due_at - now)
        now = row.due_at
    assert waits == list(Notification.DELAYS)
    last = claim(now=now)
    assert last
    outbox.retry_later(last, now=now, error="SMTPServerDisconnected", delay=None)
    assert state(row) == ("failed", len(Notification.DELAYS) + 1, "SMTPServerDisconnected")
    assert claim(now=now + timedelta(days=30)) is None


def test_a_batch_is_claimed_settled_and_given_back_row_by_row(alice: User) -> None:
    rows = [write(alice, NOW - timedelta(minutes=each)) for each in (3, 2, 1, 0)]
    batch = outbox.claim(ROWS.all(), now=NOW, most=3)
    assert batch == rows[:3]
    assert claim() == rows[3]
    assert outbox.settle(batch[:1], state=OutboxState.SENT, now=NOW) == 1
    assert outbox.give_back(batch[1:2]) == 1
    assert [state(row) for row in rows[:3]] == [
        ("sent", 1, ""),
        ("waiting", 0, ""),
        ("waiting", 0, ""),
    ]
    assert claim() == rows[1]
    assert claim() is None


def test_what_is_withdrawn_is_not_sent_and_what_was_sent_stays_sent(alice: User) -> None:
    sent, waiting = write(alice), write(alice)
    claimed = claim(ROWS.filter(pk=sent.pk))
    assert claimed
    outbox.settle([claimed], state=OutboxState.SENT, now=NOW)
    assert outbox.withdraw(ROWS.filter(topic="topic"), now=NOW) == 1
    assert [state(row)[0] for row in (sent, waiting)] == ["sent", "withdrawn"]
    assert claim() is None


def test_a_row_withdrawn_while_it_is_being_sent_stays_withdrawn(alice: User) -> None:
    row = write(alice)
    claimed = claim()
    assert claimed
    outbox.withdraw(ROWS.all(), now=NOW)
    assert outbox.settle([claimed], state=OutboxState.SENT, now=NOW) == 0
    assert state(row)[0] == "withdrawn"


def test_what_has_ended_can_be_sent_again(alice: User) -> None:
    row = write(alice)
    claimed = claim()
    assert claimed
    outbox.settle([claimed], state=OutboxState.FAILED, now=NOW, error="refused")
    later = NOW + timedelta(hours=1)
    assert outbox.requeue(ROWS.all(), now=later) == 1
    assert state(row) == ("waiting", 0, "")
    assert claim(now=later) == row


def test_a_hint_names_a_task_that_the_workers_know(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    app.control.purge()
    with django_capture_on_commit_callbacks(execute=True):
        mail(alice.email, now=NOW)
    with app.connection_for_read() as connection, connection.SimpleQueue("mail") as queue:
        message = queue.get(timeout=5)
    app.loader.import_default_modules()
    assert message.headers["task"] in app.tasks
    assert message.headers["argsrepr"] == "('email',)"
    assert message.headers["expires"]  # where no worker takes any, they do not pile up for ever


def _messages(queue_name: str) -> list[tuple[str, str]]:
    """Take the messages that wait in a queue: the task and its arguments."""
    found = []
    with (
        app.connection_for_read() as connection,
        connection.SimpleQueue(queue_name) as queue,
        suppress(queue.Empty),
    ):
        while True:
            message = queue.get(block=False)
            message.ack()
            found.append((message.headers["task"], message.headers["argsrepr"]))
    return found


@pytest.mark.django_db(transaction=True)
def test_all_hints_of_a_transaction_are_one_message() -> None:
    app.control.purge()
    with transaction.atomic():
        outbox.hint("notifications.tasks.deliver", "email")
        outbox.hint("notifications.tasks.deliver", "email")
    assert _messages("mail") == [("notifications.tasks.deliver", "('email',)")]
    with transaction.atomic():
        outbox.hint("notifications.tasks.deliver", "email")
        outbox.hint("webhooks.tasks.deliver", 7)
    assert _messages("mail") == _messages("deliveries") == []
    [(task, _arguments)] = _messages("sweeps")
    assert task == "core.tasks.hand_on"
    hand_on([["notifications.tasks.deliver", "email"], ["webhooks.tasks.deliver", 7]])
    assert _messages("mail") == [("notifications.tasks.deliver", "('email',)")]
    assert _messages("deliveries") == [("webhooks.tasks.deliver", "(7,)")]


@pytest.mark.django_db(transaction=True)
def test_hints_of_many_transactions_can_be_one_message() -> None:
    app.control.purge()
    with suppress(ZeroDivisionError), outbox.one_hint():
        for _ in range(3):
            with transaction.atomic():
                outbox.hint("notifications.tasks.deliver", "email")
        assert _messages("mail") == []
        raise ZeroDivisionError  # the hint of a commit is sent all the same
    assert _messages("mail") == [("notifications.tasks.deliver", "('email',)")]
    with outbox.one_hint():
        pass
    outbox.hint("notifications.tasks.deliver", "push")
    assert _messages("mail") == [("notifications.tasks.deliver", "('push',)")]


@pytest.mark.django_db(transaction=True)
def test_a_hint_outlives_another_that_was_rolled_back() -> None:
    app.control.purge()
    with transaction.atomic():
        with suppress(ZeroDivisionError), transaction.atomic():
            outbox.hint("notifications.tasks.deliver", "email")
            raise ZeroDivisionError
        with transaction.atomic():
            outbox.hint("notifications.tasks.deliver", "push")
    assert _messages("mail") == [("notifications.tasks.deliver", "('push',)")]

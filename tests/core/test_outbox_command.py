"""`manage.py outbox`: stuck messages are listed, sent again and withdrawn, without their texts."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from core.db import outbox, outboxes
from core.db.outbox import OutboxRow, OutboxState
from notifications.domain import notifications
from notifications.models import Notification
from tests import factories
from webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
FAILED: dict[str, Any] = {"state": "failed", "attempts": 9, "last_error": "timeout"}


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("outbox", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def note(user: User | None, *, push: bool = False, **values: Any) -> Notification:
    """Make a notification that was due an hour ago, unless `values` says otherwise."""
    now = timezone.now()
    row = notifications.email(
        "booking_confirmed",
        {"id": 17},
        user=user,
        address="quincey@example.com",
        topic="booking:17",
    )
    if push:
        row.channel = Notification.Channel.PUSH
    notifications.enqueue([row], now=now)
    Notification.objects.filter(pk=row.pk).update(**{"due_at": now - HOUR, **values})
    return row


@pytest.fixture
def webhook(alice: User) -> Webhook:
    return factories.webhook(alice)


def told(webhook: Webhook, **values: Any) -> Delivery:
    now = timezone.now()
    row = factories.delivery(webhook, now=now)
    Delivery.objects.filter(pk=row.pk).update(**{"due_at": now - HOUR, **values})
    return row


def state(row: OutboxRow) -> tuple[str, int, str]:
    row.refresh_from_db()
    return row.state, row.attempts, row.last_error


def test_every_table_of_outbox_rows_has_an_outbox() -> None:
    """Otherwise its stuck rows could be neither seen nor moved."""
    tables = {box.rows.model for box in outboxes.outboxes()}
    assert tables == set(outbox.OutboxRow.__subclasses__())
    assert [box.name for box in outboxes.outboxes()] == [
        *("email", "push", "webhooks", "calendars")
    ]


def test_the_list_shows_kind_topic_account_and_error(alice: User, webhook: Webhook) -> None:
    mail, push = note(alice, **FAILED), note(alice, push=True, **FAILED)
    delivery = told(webhook, **FAILED)
    note(alice)
    head, *lines = [line.split() for line in run("list").splitlines()]
    assert " ".join(head) == "outbox id state kind topic account due at attempts last error"
    shown = [(name, int(pk), *rest) for name, pk, *rest in lines]
    due = f"{timezone.now() - HOUR:%Y-%m-%d}"
    assert [row[:6] for row in shown] == [
        ("email", mail.pk, "failed", "booking_confirmed", "booking:17", str(alice.pk)),
        ("push", push.pk, "failed", "booking_confirmed", "booking:17", str(alice.pk)),
        ("webhooks", delivery.pk, "failed", "booking.created", "-", str(alice.pk)),
    ]
    assert {(row[6], *row[8:]) for row in shown} == {(due, "9", "timeout")}


def test_it_shows_no_address_and_no_content(webhook: Webhook) -> None:
    note(None, **FAILED)
    told(webhook, **FAILED)
    shown = run("list") + run("list", "--json")
    for secret in ("quincey", "@", "evt_1", webhook.url, webhook.secret):
        assert secret not in shown


def test_json_is_an_object_a_line(alice: User) -> None:
    row = note(alice, **FAILED)
    [line] = run("list", "--json").splitlines()
    row.refresh_from_db()
    assert json.loads(line) == {
        "outbox": "email",
        "id": row.pk,
        "state": "failed",
        "kind": "booking_confirmed",
        "topic": "booking:17",
        "account": alice.pk,
        "due_at": row.due_at.isoformat(),
        "attempts": 9,
        "last_error": "timeout",
    }


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ((), 3),
        (("--outbox", "webhooks"), 1),
        (("--state", "waiting"), 1),
        (("--kind", "booking.created"), 1),
        (("--topic", "booking:17"), 2),
        (("--account", "Alice@example.com"), 2),
        (("--account", "bob@example.com"), 1),
        (("--older-than", "59m"), 3),
        (("--older-than", "2h"), 0),
        (("--limit", "2"), 3),  # and a line that says so
        (("--state", "sent", "--topic", "booking:17"), 0),
    ],
)
def test_filters_narrow_the_list(
    alice: User, bob: User, webhook: Webhook, arguments: tuple[str, ...], count: int
) -> None:
    note(alice, **FAILED)
    note(bob, push=True, **FAILED)
    told(webhook, **FAILED)
    note(alice)
    assert len(run("list", *arguments).splitlines()) == 1 + count


def test_an_account_is_found_by_its_number(alice: User, bob: User) -> None:
    note(alice, **FAILED)
    assert "booking_confirmed" in run("list", "--account", str(alice.pk))
    assert "booking_confirmed" not in run("list", "--account", str(bob.pk))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list", "--account", "nobody@example.com"), "There is no account nobody@example.com."),
        (("list", "--account", "x"), "There is no account x."),
        (("list", "--limit", "0"), "--limit must be from 1 to 100000."),
        (("list", "--limit", "9" * 20), "--limit must be from 1 to 100000."),
        (
            ("list", "--older-than", "999999d"),
            "argument --older-than: must be at most 100 years",
        ),
        (("list", "--state", "sent"), "Name a --topic or an --account: many rows are sent."),
        (("list", "--older-than", "soon"), "argument --older-than: invalid _age value: 'soon'"),
        (
            ("withdraw", "--state", "sent", "--topic", "x"),
            "Only what waits or has failed can be withdrawn.",
        ),
    ],
)
def test_a_wrong_argument_is_refused(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert str(refused.value).endswith(message)


def test_without_yes_it_only_counts(alice: User, webhook: Webhook) -> None:
    rows = [note(alice, **FAILED), told(webhook, **FAILED)]
    for act in ("requeue", "withdraw"):
        assert run(act).splitlines() == [
            f"Would {act}: email 1, push 0, webhooks 1, calendars 0.",
            "Nothing was changed: add --yes to do it.",
        ]
    assert [state(row) for row in rows] == [("failed", 9, "timeout")] * 2


def test_failed_rows_are_sent_again_with_fresh_attempts(
    alice: User,
    webhook: Webhook,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    rows = [note(alice, **FAILED), told(webhook, **FAILED)]
    connection.run_on_commit.clear()
    before = timezone.now()
    with django_capture_on_commit_callbacks() as hints:
        assert run("requeue", "--yes") == "Requeued: email 1, push 0, webhooks 1, calendars 0.\n"
    assert len(hints) == 2
    assert [state(row) for row in rows] == [("waiting", 0, "")] * 2
    assert all(before <= row.due_at <= timezone.now() for row in rows)


def test_rows_that_wait_for_a_retry_are_due_now_and_reminders_keep_their_time(
    alice: User, webhook: Webhook
) -> None:
    later = timezone.now() + HOUR
    put_off = [
        note(alice, attempts=3, due_at=later, last_error="timeout"),
        told(webhook, attempts=1, due_at=later, last_error="timeout"),
    ]
    reminder = note(alice, due_at=later)
    said = run("requeue", "--state", "waiting", "--yes")
    assert said == "Requeued: email 1, push 0, webhooks 1, calendars 0.\n"
    assert [state(row) for row in put_off] == [("waiting", 0, "timeout")] * 2
    assert all(row.due_at <= timezone.now() for row in put_off)
    reminder.refresh_from_db()
    assert reminder.due_at == later


@pytest.mark.parametrize("act", ["requeue", "withdraw"])
def test_rows_that_a_worker_holds_are_left_alone_and_counted(
    alice: User, webhook: Webhook, act: str
) -> None:
    until = timezone.now() + HOUR
    held: dict[str, Any] = {"attempts": 1, "lease": "x", "lease_until": until}
    rows = [note(alice, **held), told(webhook, **held)]
    assert run(act, "--state", "waiting", "--yes").splitlines()[1:] == [
        "A worker holds 2 of the rows. They are left alone.",
    ]
    for row in rows:
        assert state(row)[:2] == ("waiting", 1)
        assert (row.lease, row.lease_until) == ("x", until)


@pytest.mark.parametrize("was", [FAILED, {"attempts": 2}, {}])
def test_what_waits_or_has_failed_is_withdrawn(
    alice: User, webhook: Webhook, was: dict[str, Any]
) -> None:
    rows = [note(alice, **was), told(webhook, **was)]
    said = run("withdraw", "--state", was.get("state", "waiting"), "--yes")
    assert said == "Withdrawn: email 1, push 0, webhooks 1, calendars 0.\n"
    assert [state(row)[0] for row in rows] == ["withdrawn"] * 2
    assert all(row.settled_at for row in rows)
    # It can be brought back.
    assert run("requeue", "--state", "withdrawn", "--account", str(alice.pk), "--yes")
    assert [state(row)[0] for row in rows] == ["waiting"] * 2


def test_what_the_app_refuses_is_said(webhook: Webhook) -> None:
    row = told(webhook, **FAILED)
    Webhook.objects.update(status="inactive")
    assert run("requeue", "--yes").splitlines() == [
        "Requeued: email 0, push 0, webhooks 0, calendars 0.",
        "Left alone: 1. This webhook is inactive.",
    ]
    assert state(row)[0] == "failed"


def test_the_limit_bounds_what_is_changed(alice: User) -> None:
    for _row in range(3):
        note(alice, **FAILED)
    assert run("requeue", "--limit", "2", "--yes").splitlines() == [
        "Requeued: email 2, push 0, webhooks 0, calendars 0.",
        "There are more: --limit is 2.",
    ]
    assert Notification.objects.filter(state=OutboxState.FAILED).count() == 1


def test_an_index_finds_what_has_failed(alice: User) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("With parameters SQLite does not see that its partial index would do")
    note(alice, **FAILED)
    # On so few rows the planner takes what it finds first.
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    search = outboxes.Search(state=OutboxState.FAILED)
    plans = [outboxes.found(box, search).explain() for box in outboxes.outboxes()]
    assert ["_failed" in plan and "Sort" not in plan for plan in plans] == [True] * 4

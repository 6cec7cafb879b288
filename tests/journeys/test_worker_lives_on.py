"""Embedded worker: it survives a clock that goes back and the end of one of its threads."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from config.beat import MonotonicScheduler
from config.celery import app
from config.worker import EmbeddedWorker
from notifications.models import Notification
from tests import wire

pytestmark = pytest.mark.django_db(transaction=True)

_REAL_TICK = MonotonicScheduler.tick


def left(person: User, *, now: datetime) -> None:
    """Write a mail without a hint. Only a living beat, sweep and worker can send it."""
    content = '{"subject": "Hello", "text": "Hello", "html": "<p>Hello"}'
    Notification.objects.create(
        user=person,
        channel="email",
        address=person.email,
        kind="test",
        is_written=True,
        content=content,
        due_at=now,
        created_at=now,
    )


def test_a_clock_that_is_put_back_an_hour(
    alice: User, mail_server: wire.MailServer, worker: EmbeddedWorker
) -> None:
    left(alice, now=timezone.now())
    mail_server.wait_for(lambda _mail: True)
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        left(alice, now=timezone.now())
        mail_server.wait_for(lambda _mail: True, count=2)


def test_a_worker_that_ends(
    alice: User, mail_server: wire.MailServer, worker: EmbeddedWorker
) -> None:
    app.control.shutdown()  # as anybody can tell it who reaches the broker
    wire.until(lambda: not worker._ready.is_set(), what="the end of it")
    left(alice, now=timezone.now())
    mail_server.wait_for(lambda _mail: True)


@pytest.mark.parametrize("end", [SystemExit(), RuntimeError("a fault")], ids=["ends", "breaks"])
def test_a_beat_that_ends(
    alice: User,
    mail_server: wire.MailServer,
    worker: EmbeddedWorker,
    monkeypatch: pytest.MonkeyPatch,
    end: BaseException,
) -> None:
    ended: list[BaseException] = []

    def tick(scheduler: MonotonicScheduler) -> float:
        if ended:
            return _REAL_TICK(scheduler)
        ended.append(end)
        raise end

    monkeypatch.setattr(MonotonicScheduler, "tick", tick)
    wire.until(lambda: ended, what="the end of it")
    left(alice, now=timezone.now())
    mail_server.wait_for(lambda _mail: True)

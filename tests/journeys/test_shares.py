"""Hanging endpoints or mail server: everybody else is served as usual.

These tests use the embedded worker. test_deploy_production.py shows the same of production's
workers.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from ipaddress import ip_network
from typing import Any

import pytest
from celery import Task
from celery.signals import task_postrun
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from config.celery import app
from config.worker import EmbeddedWorker
from core.errors import Busy
from core.ops import shares
from notifications.models import Notification
from tests import factories, wire
from tests.journeys.test_send_deadline import mail_server_that_drips, write_mail, write_push
from webhooks.domain import services
from webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db(transaction=True)

# Longer than any of these waits for what must not wait behind it.
_HELD_SECONDS = 60.0


class Hanging(wire.Endpoint):
    """Endpoint that answers nobody before its release."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.answer = self._hold

    def _hold(self, _call: wire.Call) -> tuple[int, dict[str, str], bytes]:
        self.released.wait(_HELD_SECONDS)
        return 200, {}, b""


@pytest.fixture(autouse=True)
def reachable(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def endpoint() -> Iterator[wire.Endpoint]:
    with wire.endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    with ExitStack() as stack:
        served = stack.enter_context(wire.endpoint())
        held = Hanging()
        held.url, served.answer, held.received = served.url, held.answer, served.received
        stack.callback(held.released.set)
        yield held


@pytest.fixture
def proven(bob: User, endpoint: wire.Endpoint) -> Webhook:
    """Return Bob's webhook, whose endpoint has answered promptly before."""
    made = factories.webhook(bob, url=endpoint.url)
    Webhook.objects.filter(pk=made.pk).update(is_prompt=True)
    return made


def give_webhooks(owner: User, url: str, *, count: int) -> list[Webhook]:
    return [factories.webhook(owner, url=f"{url}/{number}") for number in range(count)]


def fill(webhooks: list[Webhook], *, each: int) -> None:
    for webhook in webhooks:
        for _ in range(each):
            factories.delivery(webhook, now=timezone.now())


def under_way(owner: User) -> int:
    leased = Delivery.objects.filter(lease_until__gt=timezone.now())
    return leased.filter(webhook__owner=owner).count()


def assert_bob_is_served(
    bob: User, proven: Webhook, endpoint: wire.Endpoint, mail_server: wire.MailServer
) -> None:
    """Check that Bob's mail and delivery arrive while the others still hang."""
    write_mail(bob)
    factories.delivery(proven, now=timezone.now())
    mail_server.wait_for(lambda mail: mail.recipients == (bob.email,))
    endpoint.wait_for(1)


@pytest.mark.parametrize("are_proven", [False, True], ids=["new", "proven"])
def test_ten_webhooks_of_an_account_that_hang(
    alice: User,
    bob: User,
    proven: Webhook,
    hanging: Hanging,
    endpoint: wire.Endpoint,
    mail_server: wire.MailServer,
    worker: EmbeddedWorker,
    are_proven: bool,
) -> None:
    webhooks = give_webhooks(alice, hanging.url, count=10)
    Webhook.objects.filter(owner=alice).update(is_prompt=are_proven)
    fill(webhooks, each=6)
    share = 2 if are_proven else 1
    wire.until(lambda: len(hanging.received) == share, what="what an account may hold")
    assert_bob_is_served(bob, proven, endpoint, mail_server)
    # A sweep has been since, and handed out no more than that.
    assert (under_way(alice), len(hanging.received)) == (share, share)
    hanging.released.set()
    wire.until(lambda: Delivery.objects.filter(state="sent").count() == 61, seconds=60)


def test_many_new_accounts_whose_endpoints_hang(
    bob: User,
    proven: Webhook,
    hanging: Hanging,
    endpoint: wire.Endpoint,
    mail_server: wire.MailServer,
    worker: EmbeddedWorker,
) -> None:
    for number in range(20):
        fill(give_webhooks(factories.user(f"new{number}"), hanging.url, count=1), each=2)
    wire.until(lambda: len(hanging.received) == 4, what="half of the threads for deliveries")
    assert_bob_is_served(bob, proven, endpoint, mail_server)
    assert len(hanging.received) == 4
    hanging.released.set()


def test_a_mail_server_that_hangs_delays_neither_deliveries_nor_push_messages(
    alice: User,
    proven: Webhook,
    endpoint: wire.Endpoint,
    firebase: wire.Firebase,
    settings: Settings,
    worker: EmbeddedWorker,
) -> None:
    alice.devices.create(token="a-phone", platform="ios")
    with mail_server_that_drips(settings, b"220-", drop=b"hello\r\n220-"):
        for _ in range(100):
            write_mail(alice)
        leased = Notification.objects.filter(channel="email", lease_until__gt=timezone.now())
        batches = leased.values("lease").distinct()
        wire.until(lambda: batches.count() == 4, what="three quarters of the six threads for mail")
        write_push(alice)
        factories.delivery(proven, now=timezone.now())
        endpoint.wait_for(1)
        wire.until(lambda: firebase.to("a-phone"), what="a push message")
        assert batches.count() == 4


started, go_on = threading.Semaphore(0), threading.Event()


@app.task(name="tests.hold")
def hold() -> None:
    started.release()
    go_on.wait(_HELD_SECONDS)


def test_a_kind_of_work_that_has_its_threads_gets_no_more_and_no_others_wait(
    bob: User, mail_server: wire.MailServer, worker: EmbeddedWorker
) -> None:
    """A task without a named route counts as a sweep."""
    at_once = shares.places(shares.SWEEPS)
    returned = threading.Semaphore(0)

    def note(task: "Task[Any, Any]", **_: object) -> None:
        if task.name == hold.name:
            returned.release()

    task_postrun.connect(note)
    try:
        for _ in range(20):
            hold.apply_async()
        for _ in range(20 - at_once):
            assert returned.acquire(timeout=15)
        for _ in range(at_once):
            assert started.acquire(timeout=15)
        assert not started.acquire(blocking=False)
        write_mail(bob)
        mail_server.wait_for(lambda _mail: True)
    finally:
        task_postrun.disconnect(note)
        go_on.set()


# --- tests of webhooks ------------------------------------------------------------------------


def test_one_test_of_an_account_runs_at_a_time_whatever_hangs(
    alice: User, hanging: Hanging
) -> None:
    webhooks, api = give_webhooks(alice, hanging.url, count=8), factories.client(alice)

    def test(webhook: Webhook) -> tuple[int, str | None]:
        try:
            answer = api.post(f"/api/v1/webhooks/{webhook.pk}/test")
            return answer.status_code, answer.headers.get("Retry-After")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(test, webhook) for webhook in webhooks]
        wire.until(lambda: sum(answer.done() for answer in answers) == 7, what="seven refusals")
        hanging.released.set()
        found = sorted(answer.result(timeout=20) for answer in answers)
    assert found == [(200, None)] + [(429, "10")] * 7
    assert len(hanging.received) == 1
    # And as soon as it has ended, another may.
    assert test(webhooks[0])[0] == 200


def test_a_process_runs_two_tests_at_a_time_whosever_they_are(hanging: Hanging) -> None:
    owners = [factories.user(f"owner{number}") for number in range(4)]
    webhooks = [factories.webhook(owner, url=hanging.url) for owner in owners]

    def test(webhook: Webhook) -> str:
        try:
            services.send_test(webhook=webhook, now=timezone.now())
        except Busy:
            return "busy"
        finally:
            connection.close()
        return "sent"

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(test, webhook) for webhook in webhooks]
        wire.until(lambda: sum(answer.done() for answer in answers) == 2, what="two refusals")
        hanging.released.set()
        assert (
            sorted(answer.result(timeout=20) for answer in answers) == ["busy"] * 2 + ["sent"] * 2
        )

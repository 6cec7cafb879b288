"""docs/webhooks.md: its samples receive real deliveries, and its numbers match the code."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.web import answers, guarded_http
from tests import factories, wire
from tests.delivering import deliver_due
from tests.pages import NOW, START
from tests.webhooks.node import Node
from tests.webhooks.node import node as node_with_packages
from webhooks.domain import delivery, dispatch, services
from webhooks.domain.events import EVENTS
from webhooks.models import Delivery, Webhook, WebhookEvent

DOCUMENT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def samples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def rows_below(heading: str) -> list[list[str]]:
    """Return the cells of the table below this heading, without the header row."""
    table = DOCUMENT.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


# --- the samples ------------------------------------------------------------------------------


@contextmanager
def serving(command: list[str], folder: Path, secret: str) -> Iterator[str]:
    """Run a sample in this folder and yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"WEBHOOK_SECRET": secret, "PORT": str(port)}
    named = [word.replace("PORT", str(port)) for word in command]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(named, cwd=folder, env=environment, stdout=log, stderr=log)

    def is_up() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    try:
        wire.until(is_up, what="the sample listens")
        yield f"http://127.0.0.1:{port}/hook"
    finally:
        process.kill()
        process.wait()


def receives_only_what_is_signed(webhook: Webhook, command: list[str], folder: Path) -> None:
    """Send one message twice, during a secret rotation, and then one with a foreign signature."""
    old = webhook.secret
    services.rotate_secret(webhook=webhook, now=datetime.now(UTC))
    with serving(command, folder, old) as url:
        Webhook.objects.update(url=url)
        made = factories.delivery(webhook, now=datetime.now(UTC))
        assert deliver_due() == 1
        services.redeliver(found=made, now=datetime.now(UTC))
        assert deliver_due() == 1
        assert list(made.attempt_rows.values_list("response_code", flat=True)) == [204, 204]
        Webhook.objects.update(previous_secret_until=None)
        forged = factories.delivery(webhook, now=datetime.now(UTC))
        assert deliver_due() == 1
        assert [attempt.error for attempt in forged.attempt_rows.all()] == ["http_401"]


@pytest.fixture
def webhook(alice: User, settings: Settings) -> Webhook:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    return factories.webhook(alice)


def inbox(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "inbox.db")) as database:
        return database.execute("SELECT id, body FROM inbox").fetchall()


def test_the_sample_in_python(webhook: Webhook, tmp_path: Path) -> None:
    (sample,) = samples("python")
    (tmp_path / "receiver.py").write_text(sample)
    receives_only_what_is_signed(webhook, [sys.executable, "receiver.py"], tmp_path)
    first = WebhookEvent.objects.earliest("pk")
    assert inbox(tmp_path) == [(first.message_id, first.body)]


def test_the_sample_in_javascript(
    webhook: Webhook, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    node: Node = node_with_packages(request, tmp_path_factory)
    (sample,) = samples("javascript")
    (node.folder / "receiver.js").write_text(sample)
    receives_only_what_is_signed(webhook, ["node", "receiver.js"], node.folder)


def test_the_sample_in_php(webhook: Webhook, tmp_path: Path) -> None:
    (sample,) = samples("php")
    # Its words are those of the scheme, even where nothing runs it.
    for word in ("HTTP_WEBHOOK_ID", "HTTP_WEBHOOK_TIMESTAMP", "HTTP_WEBHOOK_SIGNATURE", "whsec_"):
        assert word in sample
    assert (
        "'v1,' . base64_encode(hash_hmac('sha256', \"$id.$timestamp.$body\", $key, true))" in sample
    )
    if not shutil.which("php"):
        pytest.skip("php is not on PATH: only its words were checked")
    if "pdo_sqlite" not in subprocess.check_output(["php", "-m"], text=True).split():
        pytest.skip("php has no pdo_sqlite: only its words were checked")
    (tmp_path / "receiver.php").write_text(sample)
    command = ["php", "-S", "127.0.0.1:PORT", "receiver.php"]
    receives_only_what_is_signed(webhook, command, tmp_path)
    first = WebhookEvent.objects.earliest("pk")
    assert inbox(tmp_path) == [(first.message_id, first.body)]


# --- the rest ---------------------------------------------------------------------------------


def shape(value: Any) -> Any:
    """Return the names and types of a value, without its contents."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return type(value).__name__


def test_the_request_makes_a_webhook(alice: User, api: Client) -> None:
    request, _example = (json.loads(sample) for sample in samples("json"))
    answer = api.post("/api/v1/webhooks", request, content_type="application/json")
    assert answer.status_code == 201
    assert shape(request) == {name: shape(answer.json()["data"][name]) for name in request}


def test_the_example_is_an_event_as_it_is_sent(
    alice: User, clock: object, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    _request, example = (json.loads(sample) for sample in samples("json"))
    with wire.endpoint() as endpoint:
        factories.webhook(
            alice,
            url=endpoint.url,
            events=["booking.confirmed"],
            headers={"X-API-Key": "my-api-key"},
        )
        event_type = factories.event_type(alice, location_link="https://zoom.us/j/1234567890")
        factories.booking(event_type, start=START, now=NOW, metadata={"order": "1234"})
        assert deliver_due() == 1
        (call,) = endpoint.received
    assert shape(example) == shape(call.event)
    assert (example["type"], example["timestamp"]) == ("booking.confirmed", call.event["timestamp"])
    assert example["owner_sequence"] == call.event["owner_sequence"]
    for name in (
        "status",
        "start_time",
        "end_time",
        "timezone",
        "location",
        "join_url",
        "invitee",
        "host",
        "metadata",
        "last_change",
    ):
        assert example["data"][name] == call.event["data"][name]
    # And its headers; Parley's own come before ours.
    (head,) = samples("http")
    told = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    assert {name.lower() for name in told} == set(call.headers) - {"content-length", "connection"}
    for name in ("Content-Type", "User-Agent", "webhook-timestamp", "X-API-Key"):
        assert told[name] == call.headers[name.lower()]
    assert told["webhook-id"] == example["id"]


def test_every_event_is_listed() -> None:
    assert [row[0].strip("`") for row in rows_below("event | when")] == list(EVENTS)


def test_the_plan_of_retries_is_the_codes() -> None:
    told = []
    for number, after in rows_below("retry | after"):
        count, unit = after.split()
        seconds = {"seconds": 1, "minutes": 60, "hours": 3_600}[unit]
        told.append((int(number), int(count) * seconds))
    real = [int(delay.total_seconds()) for delay in Delivery.DELAYS]
    assert told == list(enumerate(real, start=1))


def test_every_class_of_error_is_explained() -> None:
    codes = {row[0].split()[0].strip("`") for row in rows_below("error | what happened")}
    of_the_client = set(re.findall(r"`(\w+)`", guarded_http.SendError.__doc__ or ""))
    # Of a webhook's answer only the beginning is read, so none is too large.
    assert codes == of_the_client - {"too_large"} | {"http_500", "internal"}


def test_the_numbers_are_the_codes(settings: Settings) -> None:
    text = re.sub(r"\s+", " ", DOCUMENT)
    usual = Webhook()
    for sentence in (
        f"At most {dispatch.AT_ONCE} messages",
        f"for {delivery.GIVEN_UP_AFTER.days} days, and one fails again",
        f"{answers.KEPT // 1_000} kB of your answer",
        f"headers of more than {answers.MOST_READ // 1_024} kB",
        f"kept for {settings.RETENTION_DAYS['attempts']} days",
        f"For {services._GRACE.total_seconds() // 3_600:.0f} hours each message",
        f"waits {services._TEST_SECONDS} seconds at most",
        f"At most {services.MOST_HEADERS} headers",
        f"at most {settings.LIMITS['webhooks']} webhooks",
        f"or {services.MOST_ATTEMPTS} attempts were made",
        f"values of up to {services.LONGEST_VALUE:,} printable",
        f"varies by up to {delivery._JITTER:.0%}".replace("%", " %"),
        f"port {' or '.join(map(str, settings.WEBHOOK_PORTS))}",
        f"and {usual.max_retries} unless you choose",
        f"and {usual.timeout_seconds} unless you choose",
    ):
        assert sentence in text


def test_its_links_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", DOCUMENT, re.MULTILINE)
    anchors = {"#" + heading.lower().replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\((#[^)]*)\)", DOCUMENT)
    assert set(links) <= anchors
    assert len(links) >= 10

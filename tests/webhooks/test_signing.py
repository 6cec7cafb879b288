"""Webhook signatures, verified with the Standard Webhooks libraries in Python and JavaScript."""

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from accounts.models import User
from tests import factories, wire
from tests.delivering import deliver_due
from tests.pages import NOW
from tests.webhooks.node import Node
from tests.webhooks.node import node as node_with_packages
from webhooks.domain import services, signing
from webhooks.models import Webhook

OLD, NEW = signing.new_secret(), signing.new_secret()
# Letters, what JSON escapes, spaces of all kinds, and what takes two to four bytes.
_ALPHABET = 'abcXYZ019 ."\\/\r\n\t\u2028\ufeff\u00e4\u00df\u20ac\u4e2d\u05d0\U0001f600\U00010348'


def bodies(count: int) -> Iterator[str]:
    """Yield random bodies, equal in every run: empty, short, and of 100,000 letters."""
    chance = random.Random(20_250_101)
    yield ""
    for number in range(1, count):
        length = 100_000 if number % 1_000 == 0 else chance.randrange(400)
        yield "".join(chance.choices(_ALPHABET, k=length))


def sign(body: str, *secrets: str, moment: datetime | None = None) -> dict[str, str]:
    return signing.headers(
        message_id="msg_1", body=body, moment=moment or datetime.now(UTC), signing_secrets=secrets
    )


def verifies(secret: str, body: str | bytes, headers: dict[str, str]) -> bool:
    try:
        Verifier(secret).verify(body, headers, json_parse=False)
    except WebhookVerificationError:
        return False
    return True


def test_ten_thousand_bodies_verify() -> None:
    for body in bodies(10_000):
        headers = sign(body, NEW)
        assert verifies(NEW, body.encode(), headers)
        assert not verifies(NEW, body.encode() + b" ", headers)


def test_a_secret_is_32_random_bytes_and_no_two_are_alike() -> None:
    secrets = {signing.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in secrets} == {32}
    assert {secret[:6] for secret in secrets} == {"whsec_"}
    assert signing.cut(OLD) == OLD[:22] + "..."


def test_whatever_is_altered_fails() -> None:
    headers = sign('{"a":1}', NEW)
    assert verifies(NEW, '{"a":1}', headers)
    assert not verifies(NEW, '{"a":2}', headers)
    assert not verifies(OLD, '{"a":1}', headers)
    later = str(int(headers["webhook-timestamp"]) + 60)
    another = "v1," + base64.b64encode(bytes(32)).decode()
    for change in (
        ("webhook-id", "msg_2"),
        ("webhook-timestamp", later),
        ("webhook-signature", another),
    ):
        assert not verifies(NEW, '{"a":1}', headers | dict([change]))


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_early_timestamp_fails_though_it_is_signed(minutes: int) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    assert not verifies(NEW, "{}", sign("{}", NEW, moment=moment))


def test_the_timestamp_is_the_moment_whatever_its_zone() -> None:
    east = datetime.fromisoformat("2026-03-02T14:30:00+05:30")
    assert sign("", NEW, moment=east) == sign("", NEW, moment=east.astimezone(UTC))
    assert sign("", NEW, moment=east)["webhook-timestamp"] == str(int(east.timestamp()))


# --- on the wire ------------------------------------------------------------------------------


def received(webhook: Webhook, endpoint: wire.Endpoint) -> wire.Call:
    """Return the call of one event as the endpoint received it."""
    factories.delivery(webhook, now=datetime.now(UTC))
    assert deliver_due() == 1
    return endpoint.received[-1]


def test_a_rotation_is_signed_by_both_secrets_for_24_hours(
    webhook: Webhook, endpoint: wire.Endpoint, clock: time_machine.Traveller
) -> None:
    old = webhook.secret
    new = services.rotate_secret(webhook=webhook, now=NOW).secret

    def verified() -> tuple[bool, bool]:
        call = received(webhook, endpoint)
        return verifies(old, call.body, call.headers), verifies(new, call.body, call.headers)

    assert verified() == (True, True)
    clock.move_to(NOW + timedelta(hours=24, seconds=-1))
    assert verified() == (True, True)
    clock.move_to(NOW + timedelta(hours=24))
    assert verified() == (False, True)


def test_a_retry_has_the_same_id_and_body_and_is_signed_anew(
    webhook: Webhook, endpoint: wire.Endpoint, clock: time_machine.Traveller
) -> None:
    endpoint.always(500)
    received(webhook, endpoint)
    clock.shift(timedelta(minutes=1))
    assert deliver_due() == 1
    first, second = endpoint.received
    assert (second.message_id, second.body) == (first.message_id, first.body)
    assert second.headers["webhook-timestamp"] == str(int(NOW.timestamp()) + 60)
    assert verifies(webhook.secret, second.body, second.headers)
    assert not verifies(
        webhook.secret,
        second.body,
        first.headers
        | {
            "webhook-timestamp": second.headers["webhook-timestamp"],
        },
    )


# --- JavaScript -------------------------------------------------------------------------------

_VERIFY = """
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";
const told = JSON.parse(readFileSync(0, "utf8"));
const verified = told.map(({ secret, body, headers }) => {
  try {
    new Webhook(secret).verify(Buffer.from(body, "base64"), headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
});
console.log(JSON.stringify(verified));
"""


@pytest.fixture
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Node:
    return node_with_packages(request, tmp_path_factory)


def call_of(secret: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    return {"secret": secret, "body": base64.b64encode(body).decode(), "headers": headers}


@pytest.mark.look
def test_ten_thousand_bodies_verify_in_javascript(node: Node) -> None:
    calls = []
    for body in bodies(10_000):
        headers = sign(body, NEW, OLD)
        calls.append(call_of(NEW, body.encode(), headers))
        calls.append(call_of(OLD, body.encode(), headers))
        calls.append(call_of(NEW, body.encode() + b" ", headers))
    assert node.run(_VERIFY, calls) == [True, True, False] * 10_000


def test_what_is_sent_verifies_in_javascript(
    node: Node, alice: User, endpoint: wire.Endpoint
) -> None:
    webhook = factories.webhook(alice, url=endpoint.url)
    old = webhook.secret
    new = services.rotate_secret(webhook=webhook, now=datetime.now(UTC)).secret
    call = received(webhook, endpoint)
    calls = [
        call_of(secret, call.body, call.headers) for secret in (old, new, signing.new_secret())
    ]
    assert node.run(_VERIFY, calls) == [True, True, False]

"""Who may do what with a webhook: its owner, with a token that may."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from django.test import Client

from accounts.models import Team, User
from tests import factories, wire
from tests.pages import everything
from webhooks.models import Webhook

READ = [("GET", ""), ("GET", "/deliveries")]
WRITE = [
    ("PATCH", ""),
    ("PUT", ""),
    ("DELETE", ""),
    ("POST", "/test"),
    ("POST", "/rotate_secret"),
    ("POST", "/recover"),
    ("POST", "/deliveries/{delivery}/redeliver"),
]


@dataclass(frozen=True)
class Address:
    """Alice's webhook, and something that it is told."""

    webhook: str
    delivery: str

    def of(self, rest: str) -> str:
        return f"/api/v1/webhooks/{self.webhook}{rest.format(delivery=self.delivery)}"


@pytest.fixture
def address(webhook: Webhook, now: datetime) -> Address:
    return Address(webhook.uuid, factories.delivery(webhook, now=now).uuid)


def ask(client: Client, method: str, url: str) -> tuple[int, str]:
    answer = client.generic(method, url, "{}", content_type="application/json")
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(("method", "rest"), READ + WRITE)
def test_a_team_mate_and_a_stranger_see_nothing(
    address: Address,
    team: Team,
    bob: User,
    charlie: User,
    endpoint: wire.Endpoint,
    method: str,
    rest: str,
) -> None:
    clients = [factories.client(person) for person in (bob, charlie)]
    for client in clients:
        client.get("/api/v1/webhooks")  # the use of the token is written down
    before = everything()
    for client in clients:
        assert ask(client, method, address.of(rest)) == (404, "not_found")
    assert everything() == before
    assert endpoint.received == []


@pytest.mark.parametrize(("method", "rest"), READ + WRITE)
def test_without_a_token_it_is_401(
    address: Address, client: Client, method: str, rest: str
) -> None:
    assert ask(client, method, address.of(rest)) == (401, "unauthorized")


@pytest.mark.parametrize(("method", "rest"), READ + WRITE)
def test_a_token_of_another_scope_is_403(
    address: Address, alice: User, method: str, rest: str
) -> None:
    client = factories.client(alice, "events:write", "users:write")
    assert ask(client, method, address.of(rest)) == (403, "insufficient_scope")


@pytest.mark.parametrize(("method", "rest"), WRITE)
def test_a_token_that_may_only_read_changes_nothing(
    address: Address, alice: User, endpoint: wire.Endpoint, method: str, rest: str
) -> None:
    client = factories.client(alice, "webhooks:read")
    client.get("/api/v1/webhooks")
    before = everything()
    assert ask(client, method, address.of(rest)) == (403, "insufficient_scope")
    assert everything() == before
    assert endpoint.received == []


@pytest.mark.parametrize(("method", "rest"), READ)
def test_a_token_that_may_write_may_read(
    address: Address, alice: User, method: str, rest: str
) -> None:
    answer = factories.client(alice, "webhooks:write").generic(method, address.of(rest))
    assert answer.status_code == 200

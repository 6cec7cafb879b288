"""Bearer tokens: valid and refused tokens, and the queries that a check costs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.domain import services
from accounts.models import ApiToken, User, new_token
from tests import factories

URL = "/api/v1/users/me"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def at_now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def status(client: Client, header: str) -> int:
    return client.get(URL, headers={"Authorization": header}).status_code


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_a_token_opens(client: Client, alice: User, scheme: str) -> None:
    assert status(client, f"{scheme} {factories.token(alice)}") == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer pat_",
        "Bearer nonsense",
        "Bearer pat_" + "0" * 46,
        "Bearer pat_" + "é" * 46,
        "Bearer " + "x" * 10_000,
        "Bearer \x00",
        "Basic YWxpY2U6cGFzc3dvcmQ=",
        "Token {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer {token} {token}",
        "Bearer {token}, Bearer {token}",
        'Bearer "{token}"',
    ],
)
def test_what_cannot_be_a_token_is_refused_without_a_query(
    client: Client, header: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer = client.get(URL, headers={"Authorization": header.format(token=new_token())})
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    is_bearer = header.lower().startswith("bearer ") and header.strip().lower() != "bearer"
    assert answer["WWW-Authenticate"] == (
        'Bearer error="invalid_token"' if is_bearer else "Bearer"  # RFC 6750, 3 and 3.1
    )


def test_one_with_a_wrong_checksum_is_refused_without_a_query(
    client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = factories.token(alice)
    other = token[:10] + ("a" if token[10] != "a" else "b") + token[11:]
    with django_assert_num_queries(0):
        assert status(client, f"Bearer {other}") == 401


@pytest.mark.django_db
def test_an_unknown_token_is_refused(client: Client) -> None:
    assert status(client, f"Bearer {new_token()}") == 401


def test_a_revoked_token_is_refused_at_once(client: Client, alice: User) -> None:
    row, token = services.create_token(user=alice, name="x", scopes=["users:read"])
    assert status(client, f"Bearer {token}") == 200
    services.revoke_token(token=row, actor=None, now=timezone.now())
    assert status(client, f"Bearer {token}") == 401


def test_an_expired_token_is_refused(
    client: Client, alice: User, at_now: time_machine.Traveller
) -> None:
    _row, token = services.create_token(
        user=alice, name="x", scopes=["users:read"], expires_at=NOW + timedelta(seconds=1)
    )
    assert status(client, f"Bearer {token}") == 200
    at_now.shift(timedelta(seconds=1))
    assert status(client, f"Bearer {token}") == 401


def test_a_token_of_somebody_who_was_locked_out_is_refused(client: Client, alice: User) -> None:
    token = factories.token(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert status(client, f"Bearer {token}") == 401


def test_a_session_does_not_open_the_api(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(URL).status_code == 401


def test_a_token_in_the_query_does_not_open_the_api(client: Client, alice: User) -> None:
    assert client.get(f"{URL}?access_token={factories.token(alice)}").status_code == 401


def test_the_use_is_noted_at_most_once_a_minute(
    client: Client,
    alice: User,
    at_now: time_machine.Traveller,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    header = f"Bearer {factories.token(alice)}"
    # The first one is in the audit log as well, behind the lock of the person.
    with django_assert_num_queries(6):
        status(client, header)
    for seconds in (0, 30, 59):
        at_now.move_to(NOW + timedelta(seconds=seconds))
        with django_assert_num_queries(1):
            status(client, header)
        assert ApiToken.objects.get().last_used_at == NOW
    at_now.move_to(NOW + timedelta(seconds=60))
    with django_assert_num_queries(2):
        status(client, header)
    assert ApiToken.objects.get().last_used_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [("users:read", 200, 403), ("users:write", 200, 422), ("events:write", 403, 403)],
)
def test_writing_implies_reading(alice: User, scope: str, reads: int, writes: int) -> None:
    client = factories.client(alice, scope)
    assert client.get("/api/v1/users/me/devices").status_code == reads
    answer = client.post("/api/v1/users/me/devices", {}, content_type="application/json")
    assert answer.status_code == writes
    if writes == 403:
        assert (answer.json()["error"], answer.json()["message"]) == (
            "insufficient_scope",
            "This token lacks the scope users:write.",
        )

"""Request log: each request has a number and one line with person and route, without address."""

import io
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests import factories
from tests.core.lines import written
from tests.pages import stand_alone

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.probe_urls")]


class Lines:
    def __init__(self, text: io.StringIO) -> None:
        self._text = text

    @property
    def all(self) -> list[dict[str, Any]]:
        """Return the log lines of all requests, without their timestamps and durations."""
        told = [json.loads(line) for line in self._text.getvalue().splitlines()]
        assert all(isinstance(line.pop("milliseconds"), int) for line in told)
        assert all(re.fullmatch(r"\S+T\S+Z", line.pop("timestamp")) for line in told)
        return told


@pytest.fixture
def lines(settings: Settings) -> Iterator[Lines]:
    stand_alone(settings)
    with written("core.ops.request_log", "json") as text:
        yield Lines(text)


USUAL = {"event": "request", "level": "info", "logger": "core.ops.request_log", "method": "GET"}


def test_a_request_of_nobody(client: Client, lines: Lines) -> None:
    answer = client.get("/outside", headers={"X-Request-Id": "abc-1"})
    assert answer["X-Request-Id"] == "abc-1"
    assert lines.all == [USUAL | {"route": "outside", "status": 503, "request_id": "abc-1"}]


def test_a_number_that_is_none_is_replaced(client: Client, lines: Lines) -> None:
    for asked in ("", "a b", "x" * 65, "a\nb", "ä"):
        answer = client.get("/outside", headers={"X-Request-Id": asked})
        assert uuid.UUID(answer["X-Request-Id"])
    assert len({line["request_id"] for line in lines.all}) == 5


def test_a_request_of_the_api_names_the_account(lines: Lines, alice: User) -> None:
    answer = factories.client(alice).get("/api/v1/users/me")
    (line,) = lines.all
    assert line == USUAL | {
        "route": "api/v1/users/me",
        "status": 200,
        "account": alice.pk,
        "request_id": answer["X-Request-Id"],
    }


def test_a_request_of_a_session_names_the_account(
    client: Client, lines: Lines, alice: User
) -> None:
    client.force_login(alice)
    client.get("/settings/tokens")
    (line,) = lines.all
    assert (line["route"], line["account"]) == ("settings/tokens", alice.pk)


def test_what_django_says_of_an_error_has_the_number_too(client: Client) -> None:
    with written("django.request", "json") as text:
        client.get("/outside", headers={"X-Request-Id": "abc-1"})
    (line,) = map(json.loads, text.getvalue().splitlines())
    assert (line["event"], line["request_id"]) == ("Service Unavailable: /outside", "abc-1")


def test_the_address_itself_is_not_told(client: Client, lines: Lines) -> None:
    link = signing.dumps([1, 2, 0], salt="x")
    client.get(f"/meetings/answer/{link}?email=bob@example.com")
    client.get("/no/such/page")
    assert [(line["route"], line["status"]) for line in lines.all] == [
        ("meetings/answer/<str:token>", 404),
        ("unknown", 404),
    ]


def test_a_crash_is_told_like_anything_else(client: Client, lines: Lines) -> None:
    client.raise_request_exception = False
    client.get("/api/v1/fail/crash")
    assert [(line["route"], line["status"]) for line in lines.all] == [
        ("api/v1/fail/<str:name>", 500)
    ]


def test_probes_and_static_files_are_not_told(
    client: Client, lines: Lines, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "token-of-prometheus"
    for path in ("/healthz", "/readyz", "/metrics", "/robots.txt", "/favicon.ico"):
        answer = client.get(path)
        answer.close()
        assert answer.status_code in (200, 401)
    assert lines.all == []

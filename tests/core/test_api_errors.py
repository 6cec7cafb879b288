"""API errors: the form of each kind of failure in v1 and in v3."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import User
from core.api.errors import exception_handler
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.probe_urls")]


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 2, 9, 0, tzinfo=UTC), tick=False):
        yield


def v1(status: int, error: str, message: str, **more: object) -> tuple[int, dict[str, object]]:
    body = {"error": error, "message": message, "status_code": status}
    return status, body | {"timestamp": "2026-03-02T09:00:00Z"} | more


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "invalid",
            v1(
                422,
                "validation_error",
                "The request is invalid",
                details=[{"field": "start_time", "message": "The start is off the grid."}],
            ),
        ),
        ("missing", v1(404, "not_found", "event not found")),
        ("forbidden", v1(403, "forbidden", "Only the host can do that.")),
        ("conflict", v1(409, "conflict", "That time is no longer free.", reason="busy")),
        ("http404", v1(404, "not_found", "There is no such resource.")),
        ("denied", v1(403, "forbidden", "You may not do this.")),
        ("suspicious", v1(400, "bad_request", "The request is malformed.")),
        (
            "model",
            v1(
                422,
                "validation_error",
                "The request is invalid",
                details=[
                    {"field": "name", "message": "Too long."},
                    {"field": "url", "message": "No URL."},
                ],
            ),
        ),
    ],
)
def test_in_v1(client: Client, name: str, expected: tuple[int, Any]) -> None:
    answer = client.get(f"/api/v1/fail/{name}")
    assert (answer.status_code, answer.json()) == expected


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("invalid", 400, "The start is off the grid."),
        ("missing", 404, "event not found"),
        ("forbidden", 403, "Only the host can do that."),
        ("http404", 404, "There is no such resource."),
        ("denied", 403, "You may not do this."),
        ("suspicious", 400, "The request is malformed."),
        ("model", 400, "name: Too long."),
    ],
)
def test_in_v3(client: Client, name: str, status: int, message: str) -> None:
    answer = client.get(f"/api/v3/meeting/fail/{name}")
    assert answer.status_code == status
    assert answer.json() == {"error": status, "message": message}


def test_a_conflict_in_v3_carries_its_reason(client: Client) -> None:
    answer = client.get("/api/v3/meeting/fail/conflict")
    message = "That time is no longer free."
    assert answer.json() == {"error": 409, "message": message, "reason": "busy"}


def test_without_a_token(client: Client) -> None:
    answer = client.get("/api/v1/empty")
    message = "A valid API token is needed, sent as a bearer token."
    assert (answer.status_code, answer.json()) == v1(401, "unauthorized", message)
    assert answer["WWW-Authenticate"] == "Bearer"
    answer = client.get("/api/v3/meeting/empty")
    assert (answer.status_code, answer.json()) == (401, {"error": 401, "message": message})
    assert answer["WWW-Authenticate"] == "Bearer"


def test_without_the_scope(alice: User) -> None:
    answer = factories.client(alice, "events:read").get("/api/v1/empty")
    message = "This token lacks the scope users:read."
    assert (answer.status_code, answer.json()) == v1(403, "insufficient_scope", message)


def test_a_view_that_declares_no_scope_is_closed(alice: User) -> None:
    answer = factories.client(alice).get("/api/v1/unscoped")
    assert (answer.status_code, answer.json()) == v1(403, "forbidden", "You may not do this.")


def test_a_method_that_is_not_there(alice: User) -> None:
    answer = factories.client(alice).delete("/api/v1/users/me")
    message = 'Method "DELETE" not allowed.'
    assert (answer.status_code, answer.json()) == v1(405, "method_not_allowed", message)
    assert "GET" in answer["Allow"].split(", ")


class Window(serializers.Serializer[Any]):
    start = serializers.TimeField()


class Hours(serializers.Serializer[Any]):
    availability = serializers.DictField(child=Window())
    days = serializers.ListField(child=serializers.IntegerField())
    windows = Window(many=True)

    def validate_days(self, days: list[int]) -> list[int]:
        raise serializers.ValidationError("No such days.")


class Whole(serializers.Serializer[Any]):
    def validate(self, attrs: Any) -> Any:
        raise serializers.ValidationError("It makes no sense.")


def details(shape: serializers.Serializer[Any], path: str = "/api/v1/x") -> Any:
    with pytest.raises(serializers.ValidationError) as caught:
        shape.is_valid(raise_exception=True)
    answer = exception_handler(caught.value, {"request": Request(RequestFactory().get(path))})
    assert answer is not None
    return json.loads(answer.content)


def test_nested_fields_are_paths() -> None:
    body = details(
        Hours(
            data={
                "availability": {"1": {"start": "x"}, "2": {"start": "09:00"}},
                "days": [1, "x"],
                "windows": [{"start": "09:00"}, {}],
            }
        )
    )
    time = "Time has wrong format. Use one of these formats instead: hh:mm[:ss[.uuuuuu]]."
    assert body["details"] == [
        {"field": "availability.1.start", "message": time},
        {"field": "days.1", "message": "A valid integer is required."},
        {"field": "windows.1.start", "message": "Start is required"},
    ]


def test_what_is_wrong_with_the_whole_names_no_field() -> None:
    assert details(Whole(data={}))["details"] == [{"field": "", "message": "It makes no sense."}]
    assert details(Whole(data={}), "/api/v3/x") == {"error": 400, "message": "It makes no sense."}


def test_a_client_that_hangs_up_is_no_crash_of_ours() -> None:
    context = {"request": Request(RequestFactory().get("/api/v1/x"))}
    answer = exception_handler(UnreadablePostError("connection reset"), context)
    assert answer is not None
    assert answer.status_code == 400
    assert exception_handler(ZeroDivisionError(), context) is None

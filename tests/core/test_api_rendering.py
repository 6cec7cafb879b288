"""API parsing and rendering: accepted request bodies, and the written form of values."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.api.rendering import dumps, instant
from notifications.models import PushDevice
from tests import factories

URL = "/api/v1/users/me/devices"
DEVICE = b'{"token": "abcdefgh-1234", "platform": "ios"}'


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice)


def post(api: Client, body: bytes, content_type: str = "application/json") -> tuple[int, Any]:
    answer = api.post(URL, body, content_type=content_type)
    return answer.status_code, answer.json()


def test_an_instant_is_utc_in_whole_seconds() -> None:
    moment = datetime(2025, 11, 28, 5, 30, 0, 999_999, timezone(timedelta(hours=-5)))
    assert instant(moment) == "2025-11-28T10:30:00Z"
    assert dumps({"at": moment, "on": date(2025, 11, 28)}) == (
        b'{"at":"2025-11-28T10:30:00Z","on":"2025-11-28"}'
    )


def test_what_cannot_be_written_is_a_bug() -> None:
    with pytest.raises(TypeError):
        dumps({"value": object()})
    with pytest.raises(TypeError):
        dumps({"value": datetime})


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/*"],
)
def test_json_is_read(api: Client, content_type: str) -> None:
    assert post(api, DEVICE, content_type)[0] == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/xml",
        "json",
        ";;=",
        "application/json/x",
        "ü",
    ],
)
def test_another_content_type_is_415(api: Client, content_type: str) -> None:
    status, body = post(api, DEVICE, content_type)
    assert (status, body["error"], body["status_code"]) == (415, "unsupported_media_type", 415)
    assert PushDevice.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b" ",
        b"\x00",
        b'{"token": "a\x00b"}',
        b'{"token": NaN}',
        b'{"token": Infinity}',
        b'{"token": 1e999}',
        b"{'token': 'x'}",
        b'{"token": "x",}',
        b'{"token": "\xff"}',
        b'{"token": "\\ud800"}',
        "{}".encode("utf-16"),
        b"\xef\xbb\xbf{}",
        DEVICE + b"{}",
        b"[" * 100_000,
        b'{"token":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"token":' * 40 + b"1" + b"}" * 40,
        b'{"platform":' + b"[" * 900 + b"]" * 900 + b"}",
        b"null",
        b"[]",
        b'"text"',
        b"5",
    ],
)
def test_a_body_that_is_no_json_object_is_400(api: Client, body: bytes) -> None:
    status, answer = post(api, body)
    assert (status, answer["error"], answer["status_code"]) == (400, "bad_request", 400)
    assert "details" not in answer


def test_what_is_wrong_with_a_body_is_said(api: Client) -> None:
    assert post(api, b"[1]")[1]["message"] == "The body must be a JSON object."
    assert post(api, b"{")[1]["message"].startswith("The body is not valid JSON: ")


def test_a_body_that_is_too_large_is_413(api: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    status, body = post(api, b'{"token": "' + b"x" * 1_000 + b'"}')
    assert (status, body["error"], body["message"]) == (
        413,
        "content_too_large",
        "The body is too large.",
    )


def test_no_body_is_an_empty_object(api: Client) -> None:
    status, body = post(api, b"")
    assert (status, [detail["field"] for detail in body["details"]]) == (
        422,
        ["token", "platform"],
    )


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", ";;", "image/*;q=0"])
def test_accept_is_ignored(api: Client, accept: str) -> None:
    answer = api.get("/api/v1/users/me", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert "Vary" not in answer or "Accept" not in answer["Vary"]


def test_moments_of_rows_are_written_so(api: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(
        created_at=datetime(2025, 1, 15, 10, 30, 0, 123_456, UTC)
    )
    assert api.get("/api/v1/users/me").json()["data"]["created_at"] == "2025-01-15T10:30:00Z"

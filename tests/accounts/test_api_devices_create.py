"""POST /api/v1/users/me/devices: registers a push device."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from notifications.models import PushDevice
from tests import factories

URL = "/api/v1/users/me/devices"
PHONE = {"token": "abcdefgh-secret", "platform": "android", "name": "My phone"}


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "users:write")


def post(api: Client, body: Any, **headers: str) -> Any:
    return api.post(URL, body, content_type="application/json", headers=headers)


def test_a_device_is_registered(api: Client, alice: User) -> None:
    answer = post(api, PHONE)
    device = PushDevice.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "data": {
            "id": device.pk,
            "platform": "android",
            "name": "My phone",
            "token": "abcdefgh...",
            "is_active": True,
            "created_at": f"{device.created_at:%Y-%m-%dT%H:%M:%SZ}",
        }
    }
    assert (device.user, device.token) == (alice, "abcdefgh-secret")


def test_a_name_may_be_left_out(api: Client) -> None:
    answer = post(api, {"token": "abcdefgh-secret", "platform": "web"})
    assert (answer.status_code, answer.json()["data"]["name"]) == (201, "")


def test_a_device_changes_hands(api: Client, alice: User, bob: User) -> None:
    first = post(factories.client(bob), PHONE).json()["data"]
    second = post(api, PHONE | {"name": "Alice's"}).json()["data"]
    assert second["id"] == first["id"]
    assert list(PushDevice.objects.values_list("user_id", "name")) == [(alice.pk, "Alice's")]


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"token": None}, [("token", "This field may not be null.")]),
        ({"token": ""}, [("token", "This field may not be blank.")]),
        ({"token": 5}, [("token", "Not a valid string.")]),
        ({"token": True}, [("token", "Not a valid string.")]),
        ({"token": ["x"]}, [("token", "Not a valid string.")]),
        ({"token": "a\x00b"}, [("token", "Null characters are not allowed.")]),
        (
            {"token": "x" * 513},
            [("token", "Ensure this field has no more than 512 characters.")],
        ),
        ({"platform": "palm"}, [("platform", "Use android, ios or web.")]),
        ({"platform": 1}, [("platform", "Use android, ios or web.")]),
        ({"platform": {}}, [("platform", "Use android, ios or web.")]),
        (
            {"name": "x" * 121, "platform": "\x00"},
            [
                ("platform", "Use android, ios or web."),
                ("name", "Ensure this field has no more than 120 characters."),
            ],
        ),
    ],
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, change: dict[str, Any], details: list[tuple[str, str]]
) -> None:
    answer = post(api, PHONE | change)
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (
        422,
        "validation_error",
        "The request is invalid",
    )
    assert answer.json()["details"] == [
        {"field": field, "message": message} for field, message in details
    ]
    assert PushDevice.objects.count() == 0


def test_what_is_missing_is_said(api: Client) -> None:
    assert post(api, {}).json()["details"] == [
        {"field": "token", "message": "Token is required"},
        {"field": "platform", "message": "Platform is required"},
    ]


def test_a_key_answers_again(api: Client) -> None:
    first = post(api, PHONE, **{"Idempotency-Key": "one"})
    PushDevice.objects.all().delete()
    again = post(api, PHONE, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert PushDevice.objects.count() == 0

"""POST /api/v1/webhooks: accepted values, defaults, the secret and refusals."""

import base64
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from webhooks.domain.events import EVENTS
from webhooks.models import Webhook

URL = "/api/v1/webhooks"
OF_THE_DOCUMENT: dict[str, Any] = {
    "name": "Booking Notifications",
    "url": "https://my-app.com/api/webhooks/bookings",
    "events": ["booking.created", "booking.confirmed", "booking.cancelled"],
    "headers": {"X-API-Key": "my-api-key", "X-Custom-Header": "custom-value"},
    "timeout_seconds": 30,
    "max_retries": 3,
    "verify_ssl": True,
}
LEAST = {name: OF_THE_DOCUMENT[name] for name in ("name", "url", "events")}


def post(api: Client, body: Any, **headers: str) -> Any:
    return api.post(URL, body, content_type="application/json", headers=headers)


def test_the_documented_request_makes_one(api: Client, alice: User) -> None:
    answer = post(api, OF_THE_DOCUMENT)
    webhook = Webhook.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "data": {
            "uuid": webhook.uuid,
            "id": webhook.pk,
            "name": "Booking Notifications",
            "url": "https://my-app.com/api/webhooks/bookings",
            "events": ["booking.created", "booking.confirmed", "booking.cancelled"],
            "status": "active",
            "disabled_reason": None,
            "secret": webhook.secret,
            "headers": {"X-API-Key": "my-api-key", "X-Custom-Header": "custom-value"},
            "timeout_seconds": 30,
            "max_retries": 3,
            "verify_ssl": True,
            "stats": {
                "success_count": 0,
                "failure_count": 0,
                "success_rate": None,
                "last_success_at": None,
                "last_failure_at": None,
            },
            "created_at": f"{webhook.created_at:%Y-%m-%dT%H:%M:%SZ}",
            "updated_at": f"{webhook.updated_at:%Y-%m-%dT%H:%M:%SZ}",
        }
    }
    assert webhook.owner == alice


def test_the_secret_is_32_random_bytes_and_is_never_told_again(api: Client) -> None:
    first, second = (post(api, LEAST).json()["data"] for _ in range(2))
    scheme, _, text = first["secret"].partition("_")
    assert (scheme, len(base64.b64decode(text, validate=True))) == ("whsec", 32)
    assert first["secret"] != second["secret"]
    again = api.get(f"{URL}/{first['id']}").json()["data"]
    assert again["secret"] == f"{first['secret'][:22]}..."


def test_what_is_left_out_has_its_default(api: Client) -> None:
    made = post(api, LEAST).json()["data"]
    names = ("status", "headers", "timeout_seconds", "max_retries", "verify_ssl")
    assert {name: made[name] for name in names} == {
        "status": "active",
        "headers": {},
        "timeout_seconds": 30,
        "max_retries": 3,
        "verify_ssl": True,
    }


def test_every_event_can_be_chosen(api: Client) -> None:
    meetings = ["created", "confirmed", "rejected", "cancelled", "completed", "expired"]
    bookings = [*meetings[:4], "rescheduled", *meetings[4:]]
    every = [f"booking.{word}" for word in bookings] + [f"meeting.{word}" for word in meetings]
    answer = post(api, LEAST | {"events": every})
    assert (answer.status_code, answer.json()["data"]["events"]) == (201, every)
    assert list(EVENTS) == every


def test_an_event_that_is_named_twice_counts_once(api: Client) -> None:
    events = ["booking.cancelled", "booking.created", "booking.cancelled"]
    made = post(api, LEAST | {"events": events}).json()["data"]
    assert made["events"] == ["booking.created", "booking.cancelled"]


NO_LIST = 'Expected a list of items but got type "str".'
CHARACTERS = "Use at most 1000 printable ASCII characters."
OURS = "This header is set by Parley."


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"name": None}, "name", "This field may not be null."),
        ({"name": ""}, "name", "This field may not be blank."),
        ({"name": 5}, "name", "Not a valid string."),
        ({"name": "a\x00b"}, "name", "Null characters are not allowed."),
        ({"name": "x" * 121}, "name", "Ensure this field has no more than 120 characters."),
        ({"url": None}, "url", "This field may not be null."),
        ({"url": 5}, "url", "Not a valid string."),
        ({"url": "https://a.example/\x00"}, "url", "Null characters are not allowed."),
        (
            {"url": "http://my-app.com/"},
            "url",
            "Use an https:// URL on port 443 or 8443, without a user name.",
        ),
        ({"url": "https://127.0.0.1/"}, "url", "This address is not public."),
        ({"events": []}, "events", "Ensure this field has at least 1 elements."),
        ({"events": None}, "events", "This field may not be null."),
        ({"events": "booking.created"}, "events", NO_LIST),
        ({"events": ["booking.eaten"]}, "events.0", '"booking.eaten" is not a valid choice.'),
        ({"events": ["webhook.test"]}, "events.0", '"webhook.test" is not a valid choice.'),
        ({"events": [1]}, "events.0", '"1" is not a valid choice.'),
        ({"events": [{}]}, "events.0", '"{}" is not a valid choice.'),
        ({"events": ["\x00"]}, "events.0", '"\x00" is not a valid choice.'),
        ({"status": "paused"}, "status", '"paused" is not a valid choice.'),
        ({"status": 1}, "status", '"1" is not a valid choice.'),
        ({"headers": None}, "headers", "This field may not be null."),
        ({"headers": []}, "headers", 'Expected a dictionary of items but got type "list".'),
        ({"headers": {"X-A": 5}}, "headers.X-A", "Not a valid string."),
        ({"headers": {"X-A": None}}, "headers.X-A", "This field may not be null."),
        ({"headers": {"X-A": "a\x00"}}, "headers.X-A", "Null characters are not allowed."),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers.X-A", CHARACTERS),
        ({"headers": {"X-A": "caf\u00e9"}}, "headers.X-A", CHARACTERS),
        (
            {"headers": {"X-A": "a" * 1001}},
            "headers.X-A",
            "Ensure this field has no more than 1000 characters.",
        ),
        ({"headers": {"X A": "a"}}, "headers.X A", "This is no name of a header."),
        ({"headers": {"X-A\r\nX-B": "a"}}, "headers.X-A\r\nX-B", "This is no name of a header."),
        ({"headers": {"Host": "a"}}, "headers.Host", OURS),
        ({"headers": {"content-type": "a"}}, "headers.content-type", OURS),
        ({"headers": {"Transfer-Encoding": "a"}}, "headers.Transfer-Encoding", OURS),
        ({"headers": {"Webhook-Signature": "a"}}, "headers.Webhook-Signature", OURS),
        (
            {"headers": {f"X-{number}": "a" for number in range(21)}},
            "headers",
            "Use at most 20 headers.",
        ),
        (
            {"timeout_seconds": 0},
            "timeout_seconds",
            "Ensure this value is greater than or equal to 1.",
        ),
        (
            {"timeout_seconds": 31},
            "timeout_seconds",
            "Ensure this value is less than or equal to 30.",
        ),
        ({"timeout_seconds": "30"}, "timeout_seconds", "A valid integer is required."),
        ({"timeout_seconds": 1.5}, "timeout_seconds", "A valid integer is required."),
        ({"timeout_seconds": True}, "timeout_seconds", "A valid integer is required."),
        ({"max_retries": -1}, "max_retries", "Ensure this value is greater than or equal to 0."),
        ({"max_retries": 10}, "max_retries", "Ensure this value is less than or equal to 9."),
        ({"max_retries": None}, "max_retries", "This field may not be null."),
        ({"verify_ssl": "no"}, "verify_ssl", "Must be a valid boolean."),
        ({"verify_ssl": 1}, "verify_ssl", "Must be a valid boolean."),
    ],
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, change: dict[str, Any], field: str, message: str
) -> None:
    answer = post(api, LEAST | change)
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (
        422,
        "validation_error",
        "The request is invalid",
    )
    assert answer.json()["details"] == [{"field": field, "message": message}]
    assert Webhook.objects.count() == 0


def test_what_is_missing_is_said(api: Client) -> None:
    assert post(api, {}).json()["details"] == [
        {"field": "name", "message": "Name is required"},
        {"field": "url", "message": "Url is required"},
        {"field": "events", "message": "Events is required"},
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"timeout_seconds": 1, "max_retries": 0},
        {"timeout_seconds": 30, "max_retries": 9},
        {"headers": {f"X-{number}": "a" * 1000 for number in range(20)}},
        {"headers": {"X-Empty": "", "Authorization": "Bearer x y"}},
        {"status": "inactive", "verify_ssl": False},
    ],
)
def test_values_at_the_edges_are_taken(api: Client, change: dict[str, Any]) -> None:
    answer = post(api, LEAST | change)
    made = answer.json()["data"]
    assert (answer.status_code, {name: made[name] for name in change}) == (201, change)


def test_a_key_answers_again_with_the_whole_secret(api: Client) -> None:
    first = post(api, LEAST, **{"Idempotency-Key": "one"})
    again = post(api, LEAST, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.content) == (201, first.content)
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert Webhook.objects.get().secret == again.json()["data"]["secret"]


def test_what_is_kept_for_the_key_is_not_in_clear(api: Client, alice: User) -> None:
    made = post(api, LEAST, **{"Idempotency-Key": "one"}).json()["data"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM core_idempotencyrecord")
        [(kept,)] = cursor.fetchall()
    assert made["secret"] not in kept
    assert made["url"] not in kept

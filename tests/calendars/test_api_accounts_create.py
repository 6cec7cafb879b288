"""POST /api/v1/calendar_accounts: what is looked at, what is kept, and refusals."""

from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from calendars.models import Calendar, CalendarAccount
from core.models import IdempotencyRecord
from core.ops import shares
from tests import factories
from tests.calendars.asking import Address
from tests.calendars.servers import Said
from tests.pages import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

URL = "/api/v1/calendar_accounts"


def post(api: Client, body: Any, **headers: str) -> Any:
    return api.post(URL, body, content_type="application/json", headers=headers)


def ics(address: Address, **more: Any) -> dict[str, Any]:
    return {"provider": "ics", "url": address.url, **more}


def wrong(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(each["field"], each["message"]) for each in answer.json()["details"]]


def test_an_ics_address_is_connected(api: Client, alice: User, address: Address) -> None:
    answer = post(api, ics(address))
    account, calendar = CalendarAccount.objects.get(), Calendar.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "data": {
            "uuid": account.uuid,
            "id": account.pk,
            "provider": "ics",
            "name": "Ada",
            "server": "127.0.0.1",
            "state": "ok",
            "state_since": "2026-03-02T09:00:00Z",
            "error": None,
            "message": None,
            "read_at": None,
            "calendars": [
                {
                    "uuid": calendar.uuid,
                    "id": calendar.pk,
                    "name": "Ada",
                    "color": None,
                    "timezone": None,
                    "is_writable": False,
                    "blocks": True,
                    "blocks_tentative": True,
                    "blocks_all_day": True,
                    "writes": False,
                    "entries": 0,
                    "unreadable": 0,
                    "as_of": None,
                    "error": None,
                    "message": None,
                    "unwritten": 0,
                    "write_error": None,
                    "write_message": None,
                }
            ],
            "created_at": "2026-03-02T09:00:00Z",
            "updated_at": "2026-03-02T09:00:00Z",
        }
    }
    assert (account.user, account.due_at) == (alice, NOW)
    assert account.uuid.startswith("cac_")
    assert calendar.uuid.startswith("cal_")


def test_the_server_is_asked_in_no_transaction(api: Client, address: Address) -> None:
    before: list[int] = []
    ours = connections[DEFAULT_DB_ALIAS]  # not that of the thread that hears
    with CaptureQueriesContext(ours) as queries:
        address.hears = lambda: before.append(len(queries))
        answer = post(api, ics(address), **{"Idempotency-Key": "one"})
    assert answer.status_code == 201
    words = [query["sql"].split()[0] for query in queries]
    [asked] = before
    assert words[:asked].count("SAVEPOINT") == words[:asked].count("RELEASE")
    assert "SAVEPOINT" in words[asked:]


def test_what_opens_it_is_never_answered(api: Client, address: Address) -> None:
    made = post(api, ics(address))
    seen = [made, api.get(URL), api.get(f"{URL}/{made.json()['data']['id']}")]
    seen += [api.get("/api/v1/calendars"), post(api, ics(address))]
    assert not any("secret-of-alice" in answer.content.decode() for answer in seen)


def test_a_name_can_be_given(api: Client, address: Address) -> None:
    assert post(api, ics(address, name="Family")).json()["data"]["name"] == "Family"


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, b"", "There is nothing at this address."),
        (401, b"", "The server asks for a valid user name and password."),
        (500, b"", "The server answered with an error (500)."),
        (
            200,
            b"<html>Sign in</html>",
            "There is no calendar at this address, but something else.",
        ),
    ],
)
def test_what_the_server_says_is_said_on_the_address(
    api: Client, address: Address, status: int, body: bytes, message: str
) -> None:
    address.said = Said(status, body=body)
    assert wrong(post(api, ics(address))) == [("url", message)]
    assert not CalendarAccount.objects.exists()


@pytest.mark.parametrize(
    ("status", "field", "message"),
    [
        (200, "url", "There is no calendar at this address, but something else."),
        (401, "password", "The server asks for a valid user name and password."),
        (403, "password", "The server does not let this account do that."),
    ],
)
def test_a_refusal_is_said_on_the_field_to_mend(
    api: Client, address: Address, status: int, field: str, message: str
) -> None:
    address.said = Said(status, body=b"<html>Welcome</html>")
    body = {"provider": "caldav", "url": address.url, "username": "jo", "password": "wrong"}
    assert wrong(post(api, body)) == [(field, message)]


NO_URL = (
    "This is no address of a calendar. It begins with https:// and has no user name or password."
)
CALDAV = {"provider": "caldav", "username": "jo", "password": "secret"}
NEEDS = "CalDAV needs a user name and a password."
WITHOUT = "A calendar address (ICS) is read without it."


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"provider": None}, "provider", "This field may not be null."),
        ({"provider": "google"}, "provider", '"google" is not a valid choice.'),
        ({"provider": ["ics"]}, "provider", "\"['ics']\" is not a valid choice."),
        ({"url": None}, "url", "This field may not be null."),
        ({"url": 5}, "url", NO_URL),
        ({"url": ""}, "url", "This field may not be blank."),
        ({"url": "ftp://example.com/a.ics"}, "url", NO_URL),
        ({"url": "https://exa mple.com/"}, "url", NO_URL),
        ({"url": "https://example.com/\n"}, "url", NO_URL),
        ({"url": "https://example.com/\x00"}, "url", "Null characters are not allowed."),
        ({"url": "https://me:secret@example.com/"}, "url", NO_URL),
        ({"url": "https://10.0.0.1/a.ics"}, "url", "This address is not public."),
        (
            {"url": f"https://example.com/{'x' * 2000}"},
            "url",
            "Ensure this field has no more than 2000 characters.",
        ),
        ({"name": 5}, "name", "Not a valid string."),
        ({"name": None}, "name", "This field may not be null."),
        ({"name": "x" * 121}, "name", "Ensure this field has no more than 120 characters."),
        ({"username": "jo"}, "username", WITHOUT),
        ({"password": "secret"}, "password", WITHOUT),
        ({"password": 5}, "password", "Not a valid string."),
        ({**CALDAV, "username": ""}, "username", NEEDS),
        ({**CALDAV, "password": ""}, "password", NEEDS),
        ({**CALDAV, "password": " "}, "password", "May not begin or end with a space."),
        ({**CALDAV, "password": "a\x00"}, "password", "Null characters are not allowed."),
    ],
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, address: Address, change: dict[str, Any], field: str, message: str
) -> None:
    assert (field, message) in wrong(post(api, ics(address) | change))
    assert not CalendarAccount.objects.exists()
    assert address.asked == []


def test_what_is_missing_is_named(api: Client) -> None:
    assert wrong(post(api, {})) == [
        ("provider", "Provider is required"),
        ("url", "Url is required"),
    ]


def test_the_same_address_is_connected_once(api: Client, address: Address) -> None:
    post(api, ics(address))
    answer = post(api, ics(address))
    assert answer.status_code == 409
    assert answer.json()["reason"] == "connected"
    assert CalendarAccount.objects.count() == 1


def test_one_calendar_too_many_is_a_conflict(
    api: Client, alice: User, address: Address, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"calendars": 1}
    factories.calendar(alice, now=NOW)
    answer = post(api, ics(address))
    assert (answer.status_code, answer.json()["reason"]) == (409, "limit")
    assert "1" in answer.json()["message"]
    assert CalendarAccount.objects.count() == 1


def test_one_look_at_a_time(api: Client, alice: User, address: Address) -> None:
    """A look waits for a stranger's server, so an account has one at a time."""
    with shares.held({f"calendar looks of {alice.pk}": 1}):
        answer = post(api, ics(address))
    assert (answer.status_code, answer["Retry-After"]) == (429, "10")
    assert answer.json()["error"] == "rate_limit_exceeded"
    assert address.asked == []
    assert post(api, ics(address)).status_code == 201


# --- idempotency keys ---------------------------------------------------------------------------


def test_the_same_key_connects_once_and_asks_once(api: Client, address: Address) -> None:
    first = post(api, ics(address), **{"Idempotency-Key": "one"})
    asked = len(address.asked)
    address.said = Said(500)
    again = post(api, ics(address), **{"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    assert len(address.asked) == asked
    assert CalendarAccount.objects.count() == 1


def test_the_same_key_with_another_body_is_422(api: Client, address: Address) -> None:
    post(api, ics(address), **{"Idempotency-Key": "one"})
    answer = post(api, ics(address, name="Other"), **{"Idempotency-Key": "one"})
    assert wrong(answer) == [("Idempotency-Key", "This key was used with another body.")]


def test_a_failure_leaves_its_key_free(api: Client, address: Address) -> None:
    usual, address.said = address.said, Said(500)
    assert post(api, ics(address), **{"Idempotency-Key": "one"}).status_code == 422
    assert not IdempotencyRecord.objects.exists()
    address.said = usual
    assert post(api, ics(address), **{"Idempotency-Key": "one"}).status_code == 201


def test_a_bad_key_is_422_before_anything_is_asked(api: Client, address: Address) -> None:
    answer = post(api, ics(address), **{"Idempotency-Key": "x" * 256})
    assert wrong(answer) == [("Idempotency-Key", "A key is 1 to 255 printable ASCII characters.")]
    assert address.asked == []

"""PUT and PATCH /api/v1/calendar_accounts/{id}: names, and what opens an account."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from calendars.models import CalendarAccount
from tests import factories
from tests.calendars.asking import Address
from tests.calendars.servers import Said
from tests.calendars.world import Outside
from tests.pages import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def account(alice: User, address: Address) -> CalendarAccount:
    """Return a CalDAV account whose server is the address."""
    return factories.calendar(alice, now=NOW, url=address.url, username="jo").account


def patch(api: Client, account: CalendarAccount, body: Any, method: str = "PATCH") -> Any:
    url = f"/api/v1/calendar_accounts/{account.pk}"
    return api.generic(method, url, json.dumps(body), "application/json")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_name_changes_and_nobody_is_asked(
    api: Client, account: CalendarAccount, address: Address, method: str
) -> None:
    answer = patch(api, account, {"name": "Office", "provider": "ics"}, method)
    assert (answer.status_code, answer.json()["data"]["name"]) == (200, "Office")
    assert answer.json()["data"]["provider"] == "caldav"
    assert address.asked == []


def test_nothing_sent_changes_nothing(api: Client, account: CalendarAccount) -> None:
    before = api.get(f"/api/v1/calendar_accounts/{account.pk}").json()
    assert patch(api, account, {}).json() == before


def test_a_refused_password_is_not_kept(
    api: Client, account: CalendarAccount, address: Address
) -> None:
    address.said = Said(401)
    answer = patch(api, account, {"password": "wrong"})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]] == ["password"]
    assert len(address.asked) > 0
    assert CalendarAccount.objects.get().secret["password"] == "of-the-app"


def test_another_address_needs_the_password_again(
    api: Client, account: CalendarAccount, address: Address
) -> None:
    """Else a token could have the password sent to a server of its holder's."""
    for body in ({"url": f"{address.url}x"}, {"url": f"{address.url}x", "username": "other"}):
        answer = patch(api, account, body)
        assert answer.status_code == 422
        assert answer.json()["details"] == [
            {
                "field": "password",
                "message": "Give the password too: the address has changed.",
            }
        ]
    assert address.asked == []


def test_a_password_that_opens_is_kept_and_all_is_read(
    api: Client, alice: User, outside: Outside, loopback: object
) -> None:
    secret = dict(outside.secret)
    former = factories.calendar(alice, now=NOW, **{**secret, "password": "former"}).account
    CalendarAccount.objects.update(whole_at=NOW, due_at=NOW.replace(year=2027))
    answer = patch(api, former, {"password": secret["password"]})
    assert answer.status_code == 200, answer.json()
    kept = CalendarAccount.objects.get()
    assert (kept.secret, kept.whole_at, kept.due_at) == (secret, None, NOW)
    assert secret["password"] not in answer.content.decode()


def test_an_ics_address_takes_no_password(api: Client, alice: User, address: Address) -> None:
    made = api.post(
        "/api/v1/calendar_accounts", {"provider": "ics", "url": address.url}, "application/json"
    )
    account = CalendarAccount.objects.get(pk=made.json()["data"]["id"])
    answer = patch(api, account, {"password": "secret"})
    assert answer.json()["details"] == [
        {"field": "password", "message": "A calendar address (ICS) is read without it."}
    ]
    moved = patch(api, account, {"url": f"{address.url}?new"})
    assert moved.status_code == 200
    assert CalendarAccount.objects.get().secret == {"url": f"{address.url}?new"}


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": 5}, {"url": ""}, {"username": ""}, {"password": None}]
)
def test_a_value_that_does_not_fit_is_422(
    api: Client, account: CalendarAccount, address: Address, body: Any
) -> None:
    answer = patch(api, account, body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]] == list(body)
    assert address.asked == []


def test_somebody_elses_is_not_there(bob: User, account: CalendarAccount, address: Address) -> None:
    assert patch(factories.client(bob), account, {"password": "x"}).status_code == 404
    assert address.asked == []

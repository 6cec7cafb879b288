"""GET, POST and DELETE /api/v1/users/me/feed."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from calendars.domain import feeds
from calendars.models import Feed
from tests import factories
from tests.pages import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

URL = "/api/v1/users/me/feed"
NONE = (404, "feed not found")


def make(api: Client, body: Any = None, **headers: str) -> Any:
    return api.post(URL, json.dumps(body or {}), content_type="application/json", headers=headers)


def said(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


def test_there_is_none_until_it_is_made(api: Client, alice: User) -> None:
    assert said(api.get(URL)) == NONE
    answer = make(api)
    feed = Feed.objects.get()
    assert (answer.status_code, feed.user) == (201, alice)
    assert answer.json() == {
        "data": {
            "url": f"{settings.PUBLIC_URL}/calendar/feed/{feed.token}.ics",
            "shows_titles": True,
            "created_at": "2026-03-02T09:00:00Z",
        }
    }
    assert api.get(URL).json() == answer.json()
    assert feeds.find(feed.token) == feed


def test_another_address_ends_the_former(api: Client) -> None:
    make(api, {"shows_titles": False})
    former = Feed.objects.get().token
    again = make(api).json()["data"]
    assert former not in again["url"]
    assert again["shows_titles"] is False  # as before
    assert feeds.find(former) is None
    assert make(api, {"shows_titles": True}).json()["data"]["shows_titles"] is True


def test_the_same_key_makes_one_address(api: Client) -> None:
    first = make(api, **{"Idempotency-Key": "one"})
    again = make(api, **{"Idempotency-Key": "one"})
    assert again["Idempotent-Replayed"] == "true"
    assert again.content == first.content


def test_it_ends(api: Client) -> None:
    make(api)
    token = Feed.objects.get().token
    answer = api.delete(URL)
    assert said(answer) == (200, "Feed deleted successfully")
    assert feeds.find(token) is None
    assert said(api.delete(URL)) == NONE
    assert said(api.get(URL)) == NONE


def test_the_address_needs_the_scope_that_may_make_it(alice: User) -> None:
    feeds.rotate(user=alice, now=NOW)
    reads = factories.client(alice, "calendars:read")
    for answer in (reads.get(URL), reads.delete(URL), make(reads)):
        assert said(answer) == (403, "This token lacks the scope calendars:write.")
    assert factories.client(alice, "calendars:write").get(URL).status_code == 200


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_a_value_of_another_type_is_422(api: Client, value: Any) -> None:
    answer = make(api, {"shows_titles": value})
    assert answer.json()["details"][0]["field"] == "shows_titles"
    assert not Feed.objects.exists()

"""Settings, API tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.domain import services
from accounts.models import ApiToken, Session, User
from core.db import crypto
from tests.pages import NOW, UNSEEN, everything, readable, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/tokens"
WANTED: dict[str, Any] = {"name": "Website", "scopes": ["users:read"], "expires": "90"}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def token_of(owner: User, name: str = "Website", **fields: Any) -> ApiToken:
    row, _token = services.create_token(
        user=owner, **{"name": name, "scopes": ["users:read"], **fields}
    )
    return row


def test_it_is_for_the_signed_in(client: Client, alice: User) -> None:
    assert client.get(PAGE).headers["Location"] == "/accounts/login/?next=/settings/tokens"
    row = token_of(alice)
    client.post(f"{PAGE}/{row.pk}/revoke")
    assert ApiToken.objects.get().revoked_at is None


def test_without_any_it_says_what_they_are_for(signed_in: Client) -> None:
    assert "No tokens yet Create one below to read your bookings" in words(signed_in.get(PAGE))


def test_a_new_one_is_shown_once_and_works(
    signed_in: Client, alice: User, settings: Settings
) -> None:
    page = signed_in.post(PAGE, WANTED)
    row, token = ApiToken.objects.get(), page.context["token"]
    assert (page.status_code, row.digest) == (200, crypto.digest(token))
    curl = f"curl -s {settings.PUBLIC_URL}/api/v1/users/me -H 'Authorization: Bearer {token}'"
    assert curl in words(page)
    assert "It is shown only once." in words(page)
    assert "It works until Sun 05/31/2026, 9:00 AM (UTC)." in words(page)
    asked = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/users/me")
    assert asked.json()["data"]["email"] == alice.email
    assert token not in signed_in.get(PAGE).content.decode()


def test_it_is_kept_nowhere(signed_in: Client) -> None:
    page = signed_in.post(PAGE, WANTED)
    token = page.context["token"]
    assert page.headers["Cache-Control"].count("no-store") == 1
    assert token not in str(page.headers) + str(signed_in.cookies)
    assert token not in str([session.get_decoded() for session in Session.objects.all()])
    assert token not in str(readable())


def test_a_token_that_may_not_see_the_profile_is_said_to(signed_in: Client) -> None:
    page = signed_in.post(PAGE, WANTED | {"scopes": ["events:read"]})
    assert "which this token may not see" in words(page)
    assert "which this token may not see" not in words(signed_in.post(PAGE, WANTED))


@pytest.mark.parametrize(
    ("expires", "until", "at"),
    [
        ("30", "", NOW + timedelta(days=30)),
        ("90", "", NOW + timedelta(days=90)),
        ("365", "", NOW + timedelta(days=365)),
        ("never", "", None),
        ("never", "2026-03-03", None),
        # To the end of the day in Kathmandu, which is at a quarter past six in the evening in UTC.
        ("date", "2026-03-03", datetime(2026, 3, 3, 18, 14, 59, 999999, UTC)),
        ("date", "2026-03-02", datetime(2026, 3, 2, 18, 14, 59, 999999, UTC)),
    ],
)
def test_it_expires_when_one_says(
    signed_in: Client, alice: User, expires: str, until: str, at: datetime | None
) -> None:
    User.objects.filter(pk=alice.pk).update(timezone="Asia/Kathmandu")
    signed_in.post(PAGE, WANTED | {"expires": expires, "until": until})
    assert ApiToken.objects.get().expires_at == at


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"name": ""}, {"name": ["This field is required."]}),
        (
            {"name": "a\u202eb"},
            {"name": [UNSEEN]},
        ),
        ({"scopes": []}, {"scopes": ["Choose at least one."]}),
        (
            {"scopes": ["everything"]},
            {"scopes": ["Select a valid choice. everything is not one of the available choices."]},
        ),
        (
            {"expires": "date", "until": ""},
            {"until": ["Choose the last day on which it works."]},
        ),
        (
            {"expires": "date", "until": "2026-03-01"},
            {"until": ["This date is in the past. Choose a later one."]},
        ),
        ({"expires": "date", "until": "nonsense"}, {"until": ["Enter a valid date."]}),
        (
            {"expires": "7"},
            {"expires": ["Select a valid choice. 7 is not one of the available choices."]},
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_the_rest_is_kept(
    signed_in: Client, values: dict[str, Any], problems: dict[str, list[str]]
) -> None:
    page = signed_in.post(PAGE, WANTED | values)
    form = page.context["form"]
    assert form.errors == problems
    assert ApiToken.objects.count() == 0
    assert {name: form[name].value() for name in WANTED} == WANTED | {
        name: value for name, value in values.items() if name in WANTED
    }


def test_the_list_says_of_each_what_it_may_and_how_it_stands(
    signed_in: Client, alice: User
) -> None:
    used = token_of(alice, "Used", scopes=["events:read", "events:write"])
    ApiToken.objects.filter(pk=used.pk).update(created_at=NOW, last_used_at=NOW)
    over = token_of(alice, "Over", expires_at=NOW)
    gone = token_of(alice, "Gone")
    services.revoke_token(token=gone, actor=None, now=NOW)
    ApiToken.objects.filter(pk__in=[over.pk, gone.pk]).update(created_at=NOW)
    listed = words(signed_in.get(PAGE))
    assert (
        f"Gone Revoked {gone.hint}… created Mon 03/02/2026 never used revoked Mon 03/02/2026 "
        "See your profile, teams and devices "
        f"Over Expired {over.hint}… created Mon 03/02/2026 never used "
        "expired Mon 03/02/2026, 9:00 AM (UTC) See your profile, teams and devices "
        f"Used Active {used.hint}… created Mon 03/02/2026 last used Mon 03/02/2026, 9:00 AM "
        "never expires Create and change your bookings Revoke Used"
    ) in listed
    assert listed.count("Revoke the token") == 1  # what has ended, cannot be ended again


def test_revoked_it_opens_nothing_any_more(signed_in: Client, alice: User) -> None:
    row, token = services.create_token(user=alice, name="Website", scopes=["users:read"])
    answer = signed_in.post(f"{PAGE}/{row.pk}/revoke")
    assert answer.headers["Location"] == PAGE
    assert "Website has been revoked" in words(signed_in.get(PAGE))
    asked = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/users/me")
    assert asked.status_code == 401


def test_looking_revokes_nothing(signed_in: Client, alice: User) -> None:
    row = token_of(alice)
    before = everything()
    signed_in.get(PAGE)
    assert signed_in.get(f"{PAGE}/{row.pk}/revoke").status_code == 405
    assert everything() == before


def test_a_strangers_token_is_not_there(client: Client, alice: User, bob: User) -> None:
    row = token_of(alice, "Alice’s own")
    client.force_login(bob)
    assert row.name not in words(client.get(PAGE))
    assert client.post(f"{PAGE}/{row.pk}/revoke").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_thirty_an_hour_are_enough(signed_in: Client) -> None:
    for _number in range(30):
        assert signed_in.post(PAGE, WANTED).status_code == 200
    assert signed_in.post(PAGE, WANTED).status_code == 429
    assert ApiToken.objects.count() == 30
    assert signed_in.get(PAGE).status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_rows(
    signed_in: Client,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for number in range(count):
        token_of(alice, f"Token {number}")
    # Session, person, tokens, how many there are, and how many of them work.
    with django_assert_num_queries(5):
        assert len(signed_in.get(PAGE).context["rows"]) == count

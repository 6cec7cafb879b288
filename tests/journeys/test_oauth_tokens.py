"""OAuth 2.0 codes and tokens: the valid uses, and the refusals for thieves."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from accounts.models import AuditEntry, User
from notifications.models import Notification
from tests import factories
from tests.oauth import (
    CALLBACK,
    INVALID_CLIENT,
    INVALID_GRANT,
    SCOPES,
    VERIFIER,
    App,
    api,
    app_of,
    challenge_of,
    outcome,
    post,
)
from tests.outbox import address_of, content_of
from tests.pages import NOW, everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits_start_anew")]


# --- codes ---------------------------------------------------------------------------------------


def test_a_code_is_good_once_and_a_second_use_ends_what_came_of_it(app: App, alice: User) -> None:
    code = app.code(alice)
    tokens = app.exchange(code).json()
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 200
    assert outcome(app.exchange(code)) == INVALID_GRANT
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
    assert outcome(app.refresh(tokens["refresh_token"])) == INVALID_GRANT


def test_a_code_is_good_for_a_minute(app: App, alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        code = app.code(alice)
        clock.shift(59)
        good = app.code(alice)
        clock.shift(1)
        assert outcome(app.exchange(code)) == INVALID_GRANT
        assert outcome(app.exchange(good)) == (200, None)


@pytest.mark.parametrize(
    ("other", "refused"),
    [
        ({"code_verifier": "another-verifier-of-forty-three-characters-"}, INVALID_GRANT),
        ({"code_verifier": challenge_of(VERIFIER)}, INVALID_GRANT),
        ({"code_verifier": None}, (400, "invalid_request")),
        ({"code_verifier": ""}, (400, "invalid_request")),
        ({"redirect_uri": "https://app.example/other"}, (400, "invalid_request")),
        ({"redirect_uri": f"{CALLBACK}/"}, (400, "invalid_request")),
        ({"client_secret": None}, INVALID_CLIENT),
        ({"client_secret": "ocs_guessed"}, INVALID_CLIENT),
        ({"client_id": None}, INVALID_CLIENT),
        ({"client_id": "nobody"}, INVALID_CLIENT),
        ({"code": None}, (400, "invalid_request")),
        ({"code": "guessed"}, INVALID_GRANT),
    ],
)
def test_a_stolen_code_opens_nothing(
    app: App, alice: User, other: dict[str, Any], refused: tuple[int, str]
) -> None:
    code = app.code(alice)
    assert outcome(app.exchange(code, **other)) == refused
    assert (AccessToken.objects.count(), RefreshToken.objects.count()) == (0, 0)
    assert outcome(app.exchange(code)) == (200, None)  # the intended recipient can still use it


@pytest.mark.parametrize("public", [True, False], ids=["public", "confidential"])
def test_a_code_of_another_application_opens_nothing(
    app: App, alice: User, charlie: User, public: bool
) -> None:
    other = app_of(charlie, now=timezone.now(), public=public)
    assert outcome(other.exchange(app.code(alice))) == INVALID_GRANT
    assert not AccessToken.objects.exists()


def test_without_a_verifier_a_public_application_gets_nothing(alice: User, bob: User) -> None:
    app = app_of(bob, now=timezone.now(), public=True)
    code = app.code(alice)
    refused = (400, "invalid_request")
    assert outcome(app.exchange(code, code_verifier=None)) == refused
    assert outcome(app.exchange(code, client_secret="anything")) == INVALID_CLIENT
    assert outcome(app.exchange(code)) == (200, None)


@pytest.mark.parametrize(
    ("form", "refused"),
    [
        (
            {
                "grant_type": "password",
                "username": "alice@example.com",
                "password": factories.PASSWORD,
                "scope": SCOPES,
            },
            "unsupported_grant_type",
        ),
        ({"grant_type": "client_credentials", "scope": SCOPES}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "openid", "code": "x"}, "unsupported_grant_type"),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
            "unsupported_grant_type",
        ),
        ({"grant_type": ""}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
def test_there_is_no_other_way_to_a_token(
    app: App, alice: User, form: dict[str, str], refused: str
) -> None:
    assert outcome(post("token", **app.credentials(), **form)) == (400, refused)
    assert not AccessToken.objects.exists()


# --- refresh tokens ------------------------------------------------------------------------------


def test_a_refresh_token_is_good_once_and_a_second_use_ends_the_family(
    app: App, alice: User
) -> None:
    first = app.tokens(alice)
    other = app.tokens(alice)  # connected twice: a family of its own
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"]).json()
    assert outcome(app.refresh(first["refresh_token"])) == INVALID_GRANT
    assert outcome(app.refresh(third["refresh_token"])) == INVALID_GRANT
    assert api(third["access_token"]).get("/api/v1/users/me").status_code == 401
    assert api(other["access_token"]).get("/api/v1/users/me").status_code == 200


@pytest.mark.parametrize("what", ["code", "refresh_token"])
def test_what_comes_again_is_on_record_and_told_once(app: App, alice: User, what: str) -> None:
    code = app.code(alice)
    tokens = app.exchange(code).json()
    for _time in range(3):
        app.exchange(code) if what == "code" else app.refresh(tokens["refresh_token"])
    entry = AuditEntry.objects.get(action="token_reused")
    assert (entry.person, entry.actor, entry.subject) == (alice, None, app.row.name)
    row = Notification.objects.get()
    assert (row.kind, row.user, address_of(row)) == ("token_reused", alice, alice.email)
    mail = content_of(row)
    assert mail["subject"] == "Calendar on the wall was disconnected from your account"
    for text in (mail["text"], mail["html"]):
        for path in ("/settings/connections", "/settings/security"):
            assert f"http://localhost{path}" in text
        assert code not in text
        assert not re.search("o[ar]t_", text)


def test_what_ends_nothing_is_told_to_nobody(app: App, alice: User) -> None:
    code = app.code(alice)
    tokens = app.exchange(code).json()
    post("revoke", token=tokens["refresh_token"], **app.credentials())
    before = everything()
    app.exchange(code)
    app.refresh(tokens["refresh_token"])
    app.exchange("guessed")
    assert everything() == before


def test_a_refresh_token_is_good_for_ninety_days_after_the_last_hour(app: App, alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = app.tokens(alice)
        clock.shift(timedelta(hours=1))
        assert api(token["access_token"]).get("/api/v1/users/me").status_code == 401
        clock.shift(timedelta(days=90) - timedelta(seconds=1))
        renewed = app.refresh(token["refresh_token"]).json()
        clock.shift(timedelta(days=90, hours=1))
        assert outcome(app.refresh(renewed["refresh_token"])) == INVALID_GRANT


def test_it_is_of_no_use_to_another_application(app: App, alice: User, charlie: User) -> None:
    other, token = app_of(charlie, now=timezone.now()), app.tokens(alice)["refresh_token"]
    assert outcome(other.refresh(token)) == INVALID_GRANT
    assert outcome(app.refresh(token, client_secret=None)) == INVALID_CLIENT
    assert outcome(app.refresh(token)) == (200, None)


def test_it_may_ask_for_less_and_never_for_more(app: App, alice: User) -> None:
    token = app.tokens(alice)["refresh_token"]
    assert outcome(app.refresh(token, scope="users:write")) == (400, "invalid_scope")
    less = app.refresh(token, scope="users:read").json()
    assert less["scope"] == "users:read"
    assert outcome(app.refresh(less["refresh_token"], scope=SCOPES)) == (400, "invalid_scope")


@pytest.mark.parametrize("token", ["guessed", "x" * 50_000, "ort_" + "0" * 46, "é"])
def test_one_that_was_never_given_is_refused(app: App, token: str) -> None:
    assert outcome(app.refresh(token)) == INVALID_GRANT


# --- people who are no more ----------------------------------------------------------------------


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_of_somebody_deactivated_nothing_is_good(
    app: App, alice: User, bob: User, who: str
) -> None:
    """The tokens end when the person or the application's owner is deactivated."""
    code, tokens = app.code(alice), app.tokens(alice)
    User.objects.filter(username=who).update(is_active=False)
    refused = INVALID_CLIENT if who == "bob" else INVALID_GRANT
    assert outcome(app.exchange(code)) == refused
    assert outcome(app.refresh(tokens["refresh_token"])) == refused
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
    page = app.asks()
    assert page.status_code == (400 if who == "bob" else 302)


# --- giving back, and asking about ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", None])
def test_given_back_both_are_gone(app: App, alice: User, kind: str, hint: str | None) -> None:
    tokens = app.tokens(alice)
    answer = post("revoke", token=tokens[kind], token_type_hint=hint, **app.credentials())
    assert outcome(answer) == (200, None)
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
    assert outcome(app.refresh(tokens["refresh_token"])) == INVALID_GRANT
    entry = AuditEntry.objects.get(action="application_removed")
    assert (entry.person, entry.actor, entry.subject) == (alice, None, app.row.name)
    assert not Notification.objects.exists()  # it meant to


def test_that_it_has_come_for_its_tokens_is_on_record_once(app: App, alice: User) -> None:
    """Later renewals add no entry. An entry every hour would flood the log."""
    tokens = app.tokens(alice)
    renewed = app.refresh(tokens["refresh_token"]).json()
    assert api(renewed["access_token"]).get("/api/v1/users/me").status_code == 200
    log = AuditEntry.objects.filter(person=alice, action__startswith="application").order_by("id")
    assert [(entry.action, entry.actor, entry.subject) for entry in log] == [
        ("application_allowed", alice, app.row.name),
        ("application_started", None, app.row.name),
    ]


def test_nobody_gives_back_what_is_anothers(app: App, alice: User, charlie: User) -> None:
    other, tokens = app_of(charlie, now=timezone.now()), app.tokens(alice)
    for kind in ("access_token", "refresh_token"):
        assert outcome(post("revoke", token=tokens[kind], **other.credentials())) == (200, None)
        wrong = {**app.credentials(), "client_secret": "guessed"}
        assert outcome(post("revoke", token=tokens[kind], **wrong)) == INVALID_CLIENT
    assert outcome(app.refresh(tokens["refresh_token"])) == (200, None)
    assert outcome(post("revoke", **app.credentials())) == (400, "invalid_request")


def test_an_application_may_ask_about_its_own_tokens(app: App, alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        tokens = app.tokens(alice)
        now, known = (
            int(NOW.timestamp()),
            {
                "active": True,
                "client_id": app.client_id,
                "sub": alice.uuid,
                "scope": SCOPES,
                "iss": "http://localhost",
            },
        )
        for kind, lasts in (("access_token", 3_600), ("refresh_token", 3_600 + 90 * 86_400)):
            answer = post("introspect", token=tokens[kind], **app.credentials())
            assert answer.json() == {**known, "iat": now, "exp": now + lasts}
        clock.shift(timedelta(hours=1))
        over = post("introspect", token=tokens["access_token"], **app.credentials())
        assert over.json() == {"active": False}


def test_a_stranger_learns_nothing_of_a_token(app: App, alice: User, charlie: User) -> None:
    token = app.tokens(alice)["access_token"]
    other = app_of(charlie, now=timezone.now())
    public = app_of(charlie, now=timezone.now(), public=True)
    inactive = post("introspect", token=token, **other.credentials())
    assert (inactive.status_code, inactive.json()) == (200, {"active": False})
    for caller in (public.credentials(), {}, {"client_id": app.client_id}):
        assert outcome(post("introspect", token=token, **caller)) == INVALID_CLIENT
    bearing = Client(headers={"Authorization": f"Bearer {token}"}).post(
        "/oauth/introspect", f"token={token}", "application/x-www-form-urlencoded"
    )
    assert outcome(bearing) == INVALID_CLIENT

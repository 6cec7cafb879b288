"""POST /api/v1/tokens/revoke: anybody can revoke a leaked token, and its owner gets an email."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken
from pytest_django import Settings

from accounts.domain import services
from accounts.models import ApiToken, AuditEntry, User, new_token
from notifications.models import Notification
from tests import factories
from tests.oauth import api, app_of
from tests.outbox import address_of, content_of
from tests.pages import everything, stand_alone

pytestmark = pytest.mark.django_db

PATH = "/api/v1/tokens/revoke"
ANSWER = {"message": "If this token was good, it is revoked, and its owner has been told."}


@pytest.fixture(autouse=True)
def _own_limits(settings: Settings) -> None:
    stand_alone(settings)


def found(token: Any) -> Any:
    """Revoke the token as somebody who has no token of their own."""
    return Client(enforce_csrf_checks=True).post(PATH, {"token": token}, "application/json")


def mail_to(person: User) -> dict[str, str]:
    row = Notification.objects.get(kind="token_leaked")
    assert (row.user, address_of(row)) == (person, person.email)
    return content_of(row)


def test_one_made_by_hand(alice: User, bob: User) -> None:
    row, token = services.create_token(user=alice, name="Website", scopes=["users:read"])
    other = factories.client(alice, "users:read")
    answer = found(token)
    assert (answer.status_code, answer.json()) == (200, ANSWER)
    assert api(token).get("/api/v1/users/me").status_code == 401
    assert other.get("/api/v1/users/me").status_code == 200
    entry = AuditEntry.objects.get(action="token_leaked")
    assert (entry.person, entry.actor, entry.subject) == (alice, None, str(row))
    mail = mail_to(alice)
    assert mail["subject"] == "Your API token Website was found elsewhere and is revoked"
    for text in (mail["text"], mail["html"]):
        assert "http://localhost/settings/tokens" in text
        assert "http://localhost/settings/security" in text
        assert token not in text


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_one_that_an_application_got(alice: User, bob: User, kind: str) -> None:
    app = app_of(bob, now=timezone.now())
    tokens = app.tokens(alice)
    assert found(tokens[kind]).json() == ANSWER
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400
    entry = AuditEntry.objects.get(action="token_leaked")
    assert (entry.person, entry.actor, entry.subject) == (alice, None, app.row.name)
    mail = mail_to(alice)
    said = "A token of Calendar on the wall was found elsewhere and is revoked"
    assert mail["subject"] == said
    assert "http://localhost/settings/connections" in mail["text"]


def test_one_that_was_renewed_meanwhile_still_ends_what_came_of_it(alice: User, bob: User) -> None:
    app = app_of(bob, now=timezone.now())
    first = app.tokens(alice)
    second = app.refresh(first["refresh_token"]).json()
    found(first["refresh_token"])
    assert api(second["access_token"]).get("/api/v1/users/me").status_code == 401


def test_one_that_had_run_out_ends_nothing(alice: User, bob: User) -> None:
    app = app_of(bob, now=timezone.now())
    tokens = app.tokens(alice)
    AccessToken.objects.update(expires=timezone.now())
    assert found(tokens["access_token"]).json() == ANSWER
    assert not AuditEntry.objects.filter(action="token_leaked").exists()
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_the_mail_is_in_their_language(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(language="de")
    found(factories.token(alice))
    assert 'lang="de"' in mail_to(alice)["html"]


@pytest.mark.parametrize("kind", ["pat_", "oat_", "ort_"])
def test_of_one_that_is_not_known_the_answer_says_the_same(alice: User, kind: str) -> None:
    before = everything()
    for token in (new_token(kind), kind + "0" * 46):
        answer = found(token)
        assert (answer.status_code, answer.json()) == (200, ANSWER)
    assert everything() == before


def test_nobody_is_told_twice(alice: User) -> None:
    token = factories.token(alice)
    assert found(token).json() == found(token).json() == ANSWER
    assert Notification.objects.filter(kind="token_leaked").count() == 1
    assert AuditEntry.objects.filter(action="token_leaked").count() == 1


def test_one_that_has_expired_is_ended_too(alice: User) -> None:
    _row, token = services.create_token(
        user=alice,
        name="Old",
        scopes=["users:read"],
        expires_at=timezone.now() - timedelta(days=1),
    )
    found(token)
    assert ApiToken.objects.get().revoked_at is not None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "pat_",
        "pat_" + "0" * 45,
        "pat_" + "0" * 47,
        "PAT_" + "0" * 46,
        "sat_" + "0" * 46,
        "pat_" + "0" * 45 + "-",
        "pat_" + "٣" * 46,
        " pat_" + "0" * 46,
        "pat_" + "0" * 46 + "\n",
        "\0",
        "x" * 100_000,
        5,
        None,
        ["pat_"],
        {},
    ],
)
def test_what_is_no_token_is_refused(db: None, token: Any) -> None:
    answer = found(token)
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")
    assert [detail["field"] for detail in answer.json()["details"]] == ["token"]

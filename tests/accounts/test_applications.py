"""Applications and connections: rules that the pages cannot reach."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken
from pytest_django import Settings

from accounts.domain import applications, services
from accounts.libraries.oauth_toolkit import Validator
from accounts.models import User, usernames
from core.errors import Conflict, Invalid, NotFound
from core.ops import redaction
from core.people import privacy
from tests.oauth import CALLBACK, app_of
from tests.pages import NOW, stand_alone

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_limits(settings: Settings) -> None:
    stand_alone(settings)


@pytest.mark.parametrize(
    ("uris", "said"),
    [
        ([], "Give at least one address."),
        (["ftp://x"], "ftp://x: Write a full address such as https://example.com/callback."),
        ([f"https://example.com/{n}" for n in range(11)], "Give at most 10 addresses."),
    ],
)
def test_it_keeps_no_address_that_nobody_can_be_sent_to(
    alice: User, uris: list[str], said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        app_of(alice, now=NOW, redirect_uris=uris)
    assert (refused.value.message, refused.value.field) == (said, "redirect_uris")
    row = app_of(alice, now=NOW).row
    with pytest.raises(Invalid):
        applications.change(application=row, actor=alice, name="x", redirect_uris=uris, now=NOW)
    assert Application.objects.get().redirect_uris == CALLBACK


def test_no_line_of_a_log_says_its_secret(alice: User) -> None:
    secret = app_of(alice, now=NOW).secret
    assert redaction.text(f"refused: {secret}") == "refused: [secret]"


def test_a_public_one_has_no_secret_to_change(alice: User) -> None:
    app = app_of(alice, now=NOW, public=True)
    assert (app.secret, app.row.client_secret) == ("", "")
    with pytest.raises(Conflict):
        applications.rotate_secret(application=app.row, actor=alice, now=NOW)


def test_only_what_is_connected_can_be_disconnected(alice: User, bob: User) -> None:
    app = app_of(bob, now=NOW)
    for number in (app.row.pk, app.row.pk + 1, 2**63):
        with pytest.raises(NotFound):
            applications.disconnect(person=alice, application_id=number, now=NOW)


def test_what_opens_nothing_any_more_is_forgotten(alice: User, bob: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        app = app_of(bob, now=NOW)
        app.code(alice)
        tokens = app.tokens(alice)
        for _day in range(2):
            clock.shift(DAY)
            tokens = app.refresh(tokens["refresh_token"]).json()
        counts = [model.objects.count for model in (Grant, RefreshToken, AccessToken)]

        def purged(after: timedelta) -> list[int]:
            clock.move_to(NOW + after)
            privacy.retain(now=timezone.now())
            return [count() for count in counts]

        # The code goes; a used token stays as long as it would have been good, and the first of a
        # connection, which says since when, as long as that lasts.
        assert purged(2 * DAY) == [0, 3, 1]
        assert purged(91 * DAY) == [0, 3, 1]
        assert purged(92 * DAY) == [0, 2, 1]
        assert purged(92 * DAY + timedelta(minutes=59, seconds=59)) == [0, 2, 1]
        assert app.refresh(tokens["refresh_token"]).status_code == 200
        assert purged(92 * DAY + timedelta(hours=1)) == [0, 3, 1]
        assert purged(182 * DAY + timedelta(hours=2)) == [0, 0, 0]


def test_a_code_that_is_taken_away_while_it_is_exchanged_makes_nothing(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grant disappears before the lock, as with two simultaneous exchanges or a disconnect."""
    app = app_of(bob, now=timezone.now())
    code, lock = app.code(alice), services.lock_kept

    def late(person_id: int) -> User | None:
        Grant.objects.all().delete()
        return lock(person_id)

    monkeypatch.setattr(services, "lock_kept", late)
    answer = app.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("step", ["get_code_challenge", "confirm_redirect_uri"])
def test_at_whatever_moment_it_is_taken_away(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    app = app_of(bob, now=timezone.now())
    code, asked = app.code(alice), getattr(Validator, step)

    def late(*arguments: Any) -> Any:
        Grant.objects.all().delete()
        return asked(*arguments)

    monkeypatch.setattr(Validator, step, late)
    answer = app.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("how", ["used", "gone", "person"])
def test_a_refresh_token_that_is_taken_away_while_it_is_used_makes_nothing(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    app = app_of(bob, now=timezone.now())
    token, lock = app.tokens(alice)["refresh_token"], services.lock_kept

    def late(person_id: int) -> User | None:
        if how == "used":
            RefreshToken.objects.get().revoke()
        elif how == "gone":
            RefreshToken.objects.all().delete()
        else:
            User.objects.filter(pk=person_id).update(is_active=False)
        return lock(person_id)

    monkeypatch.setattr(services, "lock_kept", late)
    answer = app.refresh(token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert not RefreshToken.objects.filter(revoked=None).exists()


@pytest.mark.parametrize("name", ["oauth", ".well-known"])
def test_its_addresses_are_nobodys_username(name: str) -> None:
    assert usernames.is_reserved(name)
    assert usernames.problem_with(name)

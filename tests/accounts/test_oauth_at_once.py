"""Concurrent use of one OAuth code or token: one succeeds, then all its tokens end."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken
from pytest_django import Settings

from accounts.domain import applications
from accounts.models import User
from tests.oauth import App, api, app_of
from tests.pages import stand_alone
from tests.torture.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


@pytest.fixture
def app(bob: User, settings: Settings) -> App:
    stand_alone(settings)
    return app_of(bob, now=timezone.now())


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_a_code_is_exchanged_once(app: App, alice: User) -> None:
    for _round in range(ROUNDS):
        code = app.code(alice)
        answers: list[Any] = at_once([partial(app.exchange, code)] * 4)
        assert statuses(answers) == Counter({200: 1, 400: 3})
        [good] = [answer.json() for answer in answers if answer.status_code == 200]
        assert api(good["access_token"]).get("/api/v1/users/me").status_code == 401
        assert app.refresh(good["refresh_token"]).status_code == 400
    assert not AccessToken.objects.exists()


def test_a_refresh_token_is_used_once(app: App, alice: User) -> None:
    for _round in range(ROUNDS):
        token = app.tokens(alice)["refresh_token"]
        answers: list[Any] = at_once([partial(app.refresh, token)] * 4)
        assert statuses(answers) == Counter({200: 1, 400: 3})
        [good] = [answer.json() for answer in answers if answer.status_code == 200]
        assert all(good[kind] for kind in ("access_token", "refresh_token"))
        assert app.refresh(good["refresh_token"]).status_code == 400
    assert not RefreshToken.objects.filter(revoked=None).exists()


def test_nothing_is_made_behind_the_back_of_a_disconnection(app: App, alice: User) -> None:
    for _round in range(ROUNDS):
        token, code = app.tokens(alice)["refresh_token"], app.code(alice)
        disconnect = partial(
            applications.disconnect,
            person=alice,
            application_id=app.row.pk,
            now=timezone.now(),
        )
        at_once([partial(app.refresh, token), disconnect, partial(app.exchange, code)])
        assert (AccessToken.objects.count(), RefreshToken.objects.count()) == (0, 0)


def test_nothing_is_made_behind_the_back_of_an_end(app: App, alice: User) -> None:
    for _round in range(ROUNDS):
        token = app.tokens(alice)["refresh_token"]
        row = RefreshToken.objects.get(revoked=None)
        end = partial(applications.end, token=row, actor=None, now=timezone.now())
        at_once([partial(app.refresh, token), end])
        assert not RefreshToken.objects.filter(revoked=None).exists()
        assert not AccessToken.objects.exists()

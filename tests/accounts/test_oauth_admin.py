"""Staff pages of OAuth: they show who connected an application, show no token, and can end it."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken
from pytest_django import Settings

from accounts.models import AuditEntry, User
from accounts.staff.base import ReadOnlyAdmin
from tests import factories
from tests.oauth import App, api, app_of
from tests.pages import stand_alone

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, settings: Settings) -> Client:
    stand_alone(settings)
    client.force_login(User.objects.create_superuser("staff@example.com", factories.PASSWORD))
    return client


@pytest.fixture
def app(bob: User, settings: Settings) -> App:
    stand_alone(settings)
    return app_of(bob, now=timezone.now())


def page(row: Any, rest: str = "change/") -> str:
    return f"/admin/oauth2_provider/{row._meta.model_name}/{row.pk}/{rest}"


def test_all_that_is_used_can_be_seen_and_nothing_be_changed() -> None:
    shown = [
        model
        for model in apps.get_app_config("oauth2_provider").get_models()
        if admin.site.is_registered(model)
    ]
    assert sorted(model.__name__ for model in shown) == [
        "AccessToken",
        "Application",
        "Grant",
        "RefreshToken",
    ]
    assert all(isinstance(admin.site.get_model_admin(model), ReadOnlyAdmin) for model in shown)


def test_no_page_shows_what_opens_anything(staff: Client, app: App, alice: User) -> None:
    tokens, code = app.tokens(alice), app.code(alice)
    rows = [model.objects.get() for model in (Application, Grant, AccessToken, RefreshToken)]
    kept = [app.row.client_secret, *(row.token_checksum for row in rows[2:])]
    for row in rows:
        for path in (page(row), f"/admin/oauth2_provider/{row._meta.model_name}/?q=calendar"):
            answer: Any = staff.get(path)
            text = answer.content.decode()
            assert (answer.status_code, app.row.name in text) == (200, True)
            for secret in (*tokens.values(), code, app.secret, *kept):
                assert str(secret) not in text or secret in ("Bearer", 3600, tokens["scope"])
        assert staff.post(page(row), {}).status_code == 403
        assert staff.post(page(row, "delete/"), {"post": "yes"}).status_code == 403


def test_an_application_is_deleted_with_all_its_tokens(
    staff: Client, app: App, alice: User
) -> None:
    token = app.tokens(alice)["access_token"]
    staff.post(page(app.row, "act/remove/"))
    assert not Application.objects.exists()
    assert api(token).get("/api/v1/users/me").status_code == 401
    entry = AuditEntry.objects.get(action="application_deleted")
    assert (entry.actor, entry.person) == (
        User.objects.get(email="staff@example.com"),
        User.objects.get(username="bob"),
    )


def test_a_connection_is_ended(staff: Client, app: App, alice: User) -> None:
    token = app.tokens(alice)["access_token"]
    staff.post(page(RefreshToken.objects.get(), "act/end/"))
    assert api(token).get("/api/v1/users/me").status_code == 401
    removed = AuditEntry.objects.get(action="application_removed")
    assert (removed.person, removed.actor) == (alice, User.objects.get(is_superuser=True))

"""Settings, connections: applications that a person has connected."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, User
from tests.oauth import App, api, app_of
from tests.pages import NOW, everything, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/connections"


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def app(bob: User) -> App:
    return app_of(bob, now=NOW)


def test_without_any_it_says_what_would_stand_there(signed_in: Client) -> None:
    said = words(signed_in.get(PAGE))
    assert "No connected apps When an app wants access to your bookings, it" in said


def test_it_says_of_each_what_it_may_since_when_and_when_it_was_renewed(
    signed_in: Client, app: App, alice: User
) -> None:
    app.tokens(alice, scope="events:write")
    tokens = app.tokens(alice, scope="events:read users:read")
    with time_machine.travel(NOW + timedelta(hours=26), tick=False):
        app.refresh(tokens["refresh_token"])
        page = signed_in.get(PAGE)
    assert (
        "Calendar on the wall made by Bob Byrd connected since Mon 03/02/2026"
        " last renewed Tue 03/03/2026, 11:00 AM"
        " Create and change your bookings See your profile, teams and devices Disconnect"
    ) in words(page)
    assert len(page.context["rows"]) == 1


def test_what_has_ended_is_not_there(signed_in: Client, app: App, alice: User, bob: User) -> None:
    app.code(alice)  # never used
    assert signed_in.get(PAGE).context["rows"] == []
    app.tokens(alice)
    assert len(signed_in.get(PAGE).context["rows"]) == 1
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert signed_in.get(PAGE).context["rows"] == []
    User.objects.filter(pk=bob.pk).update(is_active=True)
    with time_machine.travel(NOW + timedelta(days=90, hours=1), tick=False):
        signed_in.force_login(alice)
        assert signed_in.get(PAGE).context["rows"] == []


def test_disconnected_it_can_do_nothing_at_once(
    signed_in: Client, app: App, alice: User, charlie: User
) -> None:
    first, second, code = app.tokens(alice), app.tokens(alice), app.code(alice)
    others = app.tokens(charlie)
    answer = signed_in.post(f"{PAGE}/{app.row.pk}/remove")
    assert answer.headers["Location"] == PAGE
    said = "Calendar on the wall is disconnected and can no longer act for you."
    assert said in words(signed_in.get(PAGE))
    for tokens in (first, second):
        assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
        assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert api(others["access_token"]).get("/api/v1/users/me").status_code == 200
    entry = AuditEntry.objects.get(action="application_removed")
    assert (entry.person, entry.actor, entry.subject) == (alice, alice, app.row.name)
    assert signed_in.post(f"{PAGE}/{app.row.pk}/remove").status_code == 404
    app.tokens(alice)
    assert len(signed_in.get(PAGE).context["rows"]) == 1


def test_looking_ends_nothing(signed_in: Client, app: App, alice: User) -> None:
    app.tokens(alice)
    signed_in.force_login(alice)
    before = everything()
    signed_in.get(PAGE)
    assert signed_in.get(f"{PAGE}/{app.row.pk}/remove").status_code == 405
    assert everything() == before


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_rows(
    signed_in: Client,
    alice: User,
    bob: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for number in range(count):
        app = app_of(bob, now=timezone.now(), name=f"App {number}")
        for _time in range(count):
            app.tokens(alice)
    with django_assert_num_queries(4):  # session, person, tokens, when each was first made
        assert len(signed_in.get(PAGE).context["rows"]) == count

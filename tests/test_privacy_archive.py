"""Data export: permission, rate limit, and cost."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from oauth2_provider.models import (
    get_refresh_token_model,
)
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEntry, User
from core.api.rendering import instant
from core.people import privacy
from tests import factories
from tests.oauth import app_of
from tests.pages import NOW, START, content, everything, stand_alone, words
from tests.test_privacy_export import files_of, rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


def test_what_was_booked_with_an_address_that_is_not_confirmed_is_nobodys(
    alice: User, bob: User
) -> None:
    EmailAddress.objects.create(user=alice, email="boss@example.com", verified=False)
    factories.booking(factories.event_type(bob), start=START, now=NOW, email="boss@example.com")
    with privacy.archive(person_id=alice.pk, now=NOW) as archive, ZipFile(archive) as zipped:
        assert json.loads(zipped.read("bookings_made.json")) == []


def test_it_is_on_record_and_kept_by_nobody_on_the_way(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer: Any = client.post("/settings/data/export")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="parley-alice-2026-03-02.zip"'
    )
    files_of(answer)
    entry = AuditEntry.objects.get(action="data_exported")
    assert (entry.person, entry.actor) == (alice, alice)


def test_it_can_be_asked_for_ten_times_an_hour(client: Client, alice: User) -> None:
    client.force_login(alice)
    answered = [client.post("/settings/data/export") for _time in range(11)]
    assert all(content(answer) for answer in answered)
    assert [answer.status_code for answer in answered] == [200] * 10 + [429]


def test_a_look_at_the_page_gives_nothing_away(client: Client, alice: User) -> None:
    client.force_login(alice)
    before = everything()
    assert client.get("/settings/data").status_code == 200
    assert client.get("/settings/data/export").status_code == 405
    assert everything() == before


def test_what_no_key_opens_any_more_is_left_out(
    client: Client, alice: User, settings: Settings
) -> None:
    factories.booking(factories.event_type(alice), start=START, now=NOW)
    factories.webhook(alice, headers={"X-Key": "header-value"})
    settings.ENCRYPTION_KEYS = [base64.b64encode(b"x" * 32).decode()]
    client.force_login(alice)
    given = files_of(client.post("/settings/data/export"))
    assert {each["subject"] for each in rows(given, "notifications.json")} == {None}
    assert [each["headers"] for each in rows(given, "webhooks.json")] == [[]]


def test_where_staff_were_is_theirs_and_where_others_tried_is_told(
    client: Client, alice: User, bob: User
) -> None:
    for actor, address in ((bob, "10.66.1.7"), (alice, "10.66.1.8"), (None, "10.66.1.9")):
        AuditEntry.objects.create(
            action="staff_acted", person=alice, actor=actor, address=address, at=NOW
        )
    client.force_login(alice)
    told = {"10.66.1.8", "10.66.1.9"}
    log = rows(files_of(client.post("/settings/data/export")), "audit_log.json")
    assert {each["address"] for each in log if each["action"] == "staff_acted"} == {None, *told}
    page = words(client.get("/settings/security"))
    assert {place for place in ("10.66.1.7", *told) if place in page} == told


def test_a_connection_is_told_as_its_page_tells_it(client: Client, alice: User, bob: User) -> None:
    app = app_of(bob, now=NOW)
    tokens = app.tokens(alice)
    for days, is_there in ((60, True), (120, True), (180, True), (271, False)):
        now = NOW + timedelta(days=days)
        with time_machine.travel(now, tick=False):
            if is_there:
                tokens = app.refresh(tokens["refresh_token"]).json()
            privacy.retain(now=now)
            client.force_login(alice)
            given = files_of(client.post("/settings/data/export"))
            page = words(client.get("/settings/connections"))
        told = [
            (each["name"], each["since"], each["refreshed_at"])
            for each in rows(given, "connected_applications.json")
        ]
        assert told == [(app.row.name, instant(NOW), instant(now))] * is_there
        assert ("connected since Mon 03/02/2026" in page) is is_there
    assert not get_refresh_token_model().objects.filter(user=alice).exists()


# As many as it takes whatever there is.
QUERIES = 41


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_grow(
    count: int, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    event_type = factories.event_type(alice)
    webhook = factories.webhook(alice)
    for place in range(count):
        factories.booking(event_type, start=START + timedelta(hours=place), now=NOW)
        factories.delivery(webhook, now=NOW)
    with django_assert_num_queries(QUERIES):
        privacy.archive(person_id=alice.pk, now=NOW).close()

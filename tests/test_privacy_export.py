"""Everything about me, as a zip: what is in it, what is not, and that it stays small in memory."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from icalendar import Calendar
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_refresh_token_model,
)
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import services, teams
from accounts.models import AuditEntry, Team, User
from config import privacy
from config.api.rendering import instant
from meetings import services as meetings
from scheduling import bookings
from scheduling import services as hosts
from tests import factories
from tests.oauth import app_of
from tests.pages import NOW, START, content, everything, stand_alone, words
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


def files_of(answer: Any) -> dict[str, bytes]:
    with ZipFile(BytesIO(content(answer))) as zipped:
        assert zipped.testzip() is None
        return {name: zipped.read(name) for name in zipped.namelist()}


@pytest.fixture
def given(client: Client, alice: User, bob: User, team: Team) -> Mapping[str, bytes]:
    """What Alice is given, who has one of everything."""
    told = factories.event_type(alice, price="9.50")
    booked = factories.booking(
        told, start=START, now=NOW, notes="Bring <tea>, please", phone="+49 30 12"
    )
    factories.booking(told, start=START + timedelta(hours=2), now=NOW)
    bookings.cancel(booking=booked, actor=bookings.INVITEE, now=NOW, reason="Flu")
    factories.booking(
        factories.event_type(bob, name="Tea with Bob"), start=START, now=NOW, name="Alice Ames",
        email="Alice@example.com", notes="No sugar", answers={"cups": "2"},
    )  # fmt: skip
    for requester, recipient, day in ((alice, bob, 1), (bob, alice, 2)):
        met = meetings.request_meeting(
            requester=requester, recipient_id=recipient.pk, team_id=team.pk, link="",
            date=(START + timedelta(days=day)).isoformat(), now=NOW,
        )  # fmt: skip
        meetings.confirm(meeting=met, actor=recipient, now=NOW)
    services.create_token(user=alice, name="Site", scopes=["users:read"])
    services.register_device(user=alice, token="device-token", platform="ios", name="Phone")
    teams.invite(team=team, actor=alice, email="dora@example.com", now=NOW)
    webhook = factories.webhook(alice, headers={"X-Key": "header-value"})
    factories.attempt(factories.delivery(webhook, now=NOW), at=NOW)
    hosts.set_override(user=alice, day=START.date(), windows=[])
    application = get_application_model().objects.create(
        user=alice, name="App", redirect_uris="https://example.com/back", client_secret="secret-x",
        client_type="confidential", authorization_grant_type="authorization-code",
    )  # fmt: skip
    access = get_access_token_model().objects.create(
        user=alice, token="access-x", application=application, scope="users:read", expires=NOW
    )
    get_refresh_token_model().objects.create(
        user=alice, token="refresh-x", application=application, access_token=access,
        token_family=uuid4(),
    )  # fmt: skip
    client.force_login(alice)
    return files_of(client.post("/settings/data/export"))


def rows(given: Mapping[str, bytes], name: str) -> Any:
    return json.loads(given[name])


def test_every_file_is_there_and_told_in_the_readme(given: Mapping[str, bytes]) -> None:
    assert sorted(given) == sorted([
        "README.txt", "api_tokens.json", "applications.json", "audit_log.json", "bookings.ics",
        "bookings.json", "bookings_made.json", "connected_applications.json",
        "date_overrides.json", "devices.json", "event_types.json", "hours.json",
        "invitations.json", "meetings.ics", "meetings.json",
        "notifications.json", "profile.json", "sessions.json", "teams.json",
        "webhook_events.json", "webhooks.json",
    ])  # fmt: skip
    readme = given["README.txt"].decode()
    for name in given.keys() - {"README.txt"}:
        assert f"\n{name}\n    " in readme
        if name.endswith(".json"):
            assert rows(given, name), name


def test_bookings_come_with_their_history(given: Mapping[str, bytes]) -> None:
    cancelled, stands = rows(given, "bookings.json")
    assert (cancelled["start_time"], cancelled["status"], stands["status"]) == (
        "2026-03-04T10:00:00Z", "cancelled", "confirmed",
    )  # fmt: skip
    assert cancelled["invitee"] == {
        "name": "John Doe", "email": "john@example.com", "phone": "+493012",
    }  # fmt: skip
    assert [(step["change"], step["by"], step["reason"]) for step in cancelled["history"]] == [
        ("created", "invitee", ""), ("cancelled", "invitee", "Flu"),
    ]  # fmt: skip


def test_what_one_booked_with_others_is_as_their_link_shows_it(given: Mapping[str, bytes]) -> None:
    [made] = rows(given, "bookings_made.json")
    assert (made["host"], made["event_type"], made["start_time"], made["status"]) == (
        "Bob Byrd", "Tea with Bob", "2026-03-04T10:00:00Z", "confirmed",
    )  # fmt: skip
    assert (made["notes"], made["custom_field_values"]) == ("No sugar", {"cups": "2"})


def test_what_was_booked_with_an_address_that_is_not_confirmed_is_nobodys(
    alice: User, bob: User
) -> None:
    EmailAddress.objects.create(user=alice, email="boss@example.com", verified=False)
    factories.booking(factories.event_type(bob), start=START, now=NOW, email="boss@example.com")
    with privacy.archive(person_id=alice.pk, now=NOW) as archive, ZipFile(archive) as zipped:
        assert json.loads(zipped.read("bookings_made.json")) == []


def test_meetings_name_the_other_and_what_one_was(given: Mapping[str, bytes]) -> None:
    assert [
        (each["with"], each["you_are"], each["team"], each["status"])
        for each in rows(given, "meetings.json")
    ] == [
        ("Bob Byrd", "requester", "Founders", "confirmed"),
        ("Bob Byrd", "recipient", "Founders", "confirmed"),
    ]


def test_calendars_can_be_read_by_calendars(given: Mapping[str, bytes]) -> None:
    booked: Any
    [booked] = Calendar.from_ical(given["bookings.ics"]).walk("VEVENT")
    assert (booked["SUMMARY"], booked["DTSTART"].dt) == (
        "30 Minute Meeting: John Doe", START + timedelta(hours=2),
    )  # fmt: skip
    met = Calendar.from_ical(given["meetings.ics"]).walk("VEVENT")
    assert [each["SUMMARY"] for each in met] == ["Meeting with Bob Byrd"] * 2
    for name in ("bookings.ics", "meetings.ics"):
        assert given[name].startswith(b"BEGIN:VCALENDAR\r\n")
        assert given[name].endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")


def test_nothing_in_it_opens_a_door(given: Mapping[str, bytes]) -> None:
    whole = b"\n".join(given.values()).decode()
    webhook = Webhook.objects.get()
    for secret in (
        webhook.secret, "header-value", "device-token", "secret-x", "access-x", "refresh-x",
        "/bookings/manage/", "/bookings/answer/", "/meetings/answer/", "argon2", "digest",
    ):  # fmt: skip
        assert secret not in whole
    # Of a token no more than how it begins, which its owner sees in the list too.
    assert re.search(r"pat_\w{5}", whole) is None
    assert {each["subject"] for each in rows(given, "notifications.json")} >= {
        "Cancelled: 30 Minute Meeting with John Doe"
    }


def test_nothing_of_anybody_elses_is_in_it(
    given: Mapping[str, bytes], client: Client, charlie: User
) -> None:
    client.force_login(charlie)
    other = files_of(client.post("/settings/data/export"))
    whole = b"\n".join(other.values()).decode()
    for word in ("Alice", "alice", "Bob", "John", "Founders", "dora"):
        assert word not in whole
    assert Calendar.from_ical(other["bookings.ics"]).walk("VEVENT") == []


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
QUERIES = 28


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

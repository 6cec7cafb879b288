"""Data export as a zip: its contents, its omissions, and its small memory use."""

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
from django.db import connection
from django.test import Client
from icalendar import Calendar
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_refresh_token_model,
)
from pytest_django import Settings

from accounts.domain import pictures, services, teams
from accounts.models import User
from calendars.domain import feeds
from calendars.models import Entry, Feed, Item
from meetings.domain import services as meetings
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.domain import services as hosts
from tests import factories
from tests.pages import NOW, START, Making, content, stand_alone
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


@pytest.fixture(scope="module")
def made(making: Making) -> Mapping[str, bytes]:
    with making():
        return _given()


@pytest.fixture
def given(made: Mapping[str, bytes], db: None) -> Mapping[str, bytes]:
    """Return the files of Alice's export. Alice has one of everything."""
    return made


def _given() -> Mapping[str, bytes]:
    alice = factories.user("alice", first_name="Alice", last_name="Ames")
    bob = factories.user("bob", first_name="Bob", last_name="Byrd")
    team = factories.team("Founders", alice, bob)
    told = factories.event_type(alice, price="9.50")
    booked = factories.booking(
        told, start=START, now=NOW, notes="Bring <tea>, please", phone="+49 30 12"
    )
    factories.booking(told, start=START + timedelta(hours=2), now=NOW, guests=["mary@example.com"])
    factories.booking(
        factories.event_type(bob, name="Lunch with Bob"),
        start=START + timedelta(hours=5),
        now=NOW,
        guests=["Alice@example.com", "other-guest@example.com"],
    )
    bookings.cancel(booking=booked, actor=bookings.INVITEE, now=NOW, reason="Flu")
    factories.booking(
        factories.event_type(bob, name="Tea with Bob"),
        start=START,
        now=NOW,
        name="Alice Ames",
        email="Alice@example.com",
        notes="No sugar",
        answers={"cups": "2"},
    )
    calendar = factories.chosen_calendar(alice, now=NOW)
    item = Item.objects.create(calendar=calendar, key="k", href="k", uid="k")
    Entry.objects.create(
        calendar=calendar, item=item, start=1, end=2, title="Dentist", shown_as="free"
    )
    feeds.rotate(user=alice, now=NOW)
    factories.webhook(alice, url="https://example.com/x")
    factories.booking(
        told,
        start=START + timedelta(hours=4),
        now=NOW,
        join_url="https://example.com/room",
        metadata={"order": "7"},
    )
    Webhook.objects.all().delete()
    for requester, recipient, day in ((alice, bob, 1), (bob, alice, 2)):
        met = meetings.request_meeting(
            requester=requester,
            recipient_id=recipient.pk,
            team_id=team.pk,
            link="",
            date=(START + timedelta(days=day)).isoformat(),
            now=NOW,
        )
        meetings.confirm(meeting=met, actor=recipient, now=NOW)
    services.create_token(user=alice, name="Site", scopes=["users:read"])
    pictures.keep(user=alice, data=factories.picture(), now=NOW)
    services.choose_messages(user=alice, off=[("booking_reminder", "email")])
    services.register_device(user=alice, token="device-token", platform="ios", name="Phone")
    teams.invite(team=team, actor=alice, email="dora@example.com", now=NOW)
    webhook = factories.webhook(alice, headers={"X-Key": "header-value"})
    factories.attempt(factories.delivery(webhook, now=NOW), at=NOW)
    hosts.create_schedule(user=alice, name="Evenings", days={"1": {"enabled": False}})
    hosts.set_override(user=alice, day=START.date(), windows=[])
    application = get_application_model().objects.create(
        user=alice,
        name="App",
        redirect_uris="https://example.com/back",
        client_secret="secret-x",
        client_type="confidential",
        authorization_grant_type="authorization-code",
    )
    access = get_access_token_model().objects.create(
        user=alice, token="access-x", application=application, scope="users:read", expires=NOW
    )
    get_refresh_token_model().objects.create(
        user=alice,
        token="refresh-x",
        application=application,
        access_token=access,
        token_family=uuid4(),
    )
    client = Client()
    client.force_login(alice)
    return files_of(client.post("/settings/data/export"))


def rows(given: Mapping[str, bytes], name: str) -> Any:
    return json.loads(given[name])


def test_every_file_is_there_and_told_in_the_readme(given: Mapping[str, bytes]) -> None:
    assert sorted(given) == sorted(
        [
            "README.txt",
            "api_tokens.json",
            "applications.json",
            "audit_log.json",
            "bookings.ics",
            "bookings.json",
            "bookings_made.json",
            "calendar_accounts.json",
            "calendar_entries.json",
            "calendar_feed.json",
            "calendar_writes.json",
            "connected_applications.json",
            "date_overrides.json",
            "devices.json",
            "event_types.json",
            "guest_of.json",
            "hours.json",
            "invitations.json",
            "meetings.ics",
            "meetings.json",
            "notifications.json",
            "picture.webp",
            "profile.json",
            "sessions.json",
            "switched_off_messages.json",
            "teams.json",
            "webhook_events.json",
            "webhooks.json",
        ]
    )
    readme = given["README.txt"].decode()
    for name in given.keys() - {"README.txt"}:
        assert f"\n{name}\n    " in readme
        if name.endswith(".json"):
            assert rows(given, name), name


def test_bookings_come_with_their_history(given: Mapping[str, bytes]) -> None:
    cancelled, stands, _last = rows(given, "bookings.json")
    assert (cancelled["start_time"], cancelled["status"], stands["status"]) == (
        "2026-03-04T10:00:00Z",
        "cancelled",
        "confirmed",
    )
    assert cancelled["invitee"] == {
        "name": "John Doe",
        "email": "john@example.com",
        "phone": "+493012",
    }
    assert [(step["change"], step["by"], step["reason"]) for step in cancelled["history"]] == [
        ("created", "invitee", ""),
        ("cancelled", "invitee", "Flu"),
    ]


def test_a_booking_comes_with_its_link_and_metadata(given: Mapping[str, bytes]) -> None:
    *_others, last = rows(given, "bookings.json")
    assert (last["join_url"], last["metadata"]) == ("https://example.com/room", {"order": "7"})


def test_hours_come_by_schedule(given: Mapping[str, bytes]) -> None:
    default, evenings = rows(given, "hours.json")
    assert (default["name"], default["is_default"], default["timezone"]) == (
        "Working hours",
        True,
        "UTC",
    )
    assert (evenings["name"], evenings["is_default"], evenings["days"]["1"]) == (
        "Evenings",
        False,
        {"enabled": False, "windows": [{"start": "09:00", "end": "17:00"}]},
    )


def test_webhook_events_come_without_the_links_in_them(given: Mapping[str, bytes]) -> None:
    told = rows(given, "webhook_events.json")
    [body] = [each["body"] for each in told if each["body"]["type"] == "booking.confirmed"]
    assert body["data"]["join_url"] == "https://example.com/..."
    assert body["data"]["cancel_url"].endswith("/...")


def test_what_one_booked_with_others_is_as_their_link_shows_it(given: Mapping[str, bytes]) -> None:
    [made] = rows(given, "bookings_made.json")
    assert (made["host"], made["event_type"], made["start_time"], made["status"]) == (
        "Bob Byrd",
        "Tea with Bob",
        "2026-03-04T10:00:00Z",
        "confirmed",
    )
    assert (made["notes"], made["custom_field_values"]) == ("No sugar", {"cups": "2"})


def test_what_others_brought_one_along_to_names_the_host_alone(given: Mapping[str, bytes]) -> None:
    [invited] = rows(given, "guest_of.json")
    assert invited == {
        "event_type": "Lunch with Bob",
        "host": "Bob Byrd",
        "start_time": "2026-03-04T15:00:00Z",
        "end_time": "2026-03-04T15:30:00Z",
        "status": "confirmed",
        "email": "Alice@example.com",
    }
    cancelled, with_guest, _last = rows(given, "bookings.json")
    assert (cancelled["guests"], with_guest["guests"]) == ([], ["mary@example.com"])


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
    booked, online = Calendar.from_ical(given["bookings.ics"]).walk("VEVENT")
    assert (booked["SUMMARY"], booked["DTSTART"].dt) == (
        "30 Minute Meeting: John Doe",
        START + timedelta(hours=2),
    )
    assert online["URL"] == "https://example.com/room"
    met = Calendar.from_ical(given["meetings.ics"]).walk("VEVENT")
    assert [each["SUMMARY"] for each in met] == ["Meeting with Bob Byrd"] * 2
    for name in ("bookings.ics", "meetings.ics"):
        assert given[name].startswith(b"BEGIN:VCALENDAR\r\n")
        assert given[name].endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")


def test_nothing_in_it_opens_a_door(given: Mapping[str, bytes]) -> None:
    whole = b"\n".join(given.values()).decode(errors="replace")
    webhook = Webhook.objects.get()
    for secret in (
        webhook.secret,
        Feed.objects.get().token,
        "office-secret",
        "header-value",
        "device-token",
        "secret-x",
        "access-x",
        "refresh-x",
        "/bookings/manage/",
        "/bookings/answer/",
        "/meetings/answer/",
        "argon2",
        "digest",
    ):
        assert secret not in whole
    # Of a token no more than how it begins, which its owner sees in the list too.
    assert re.search(r"pat_\w{5}", whole) is None
    # A message is known by its kind: its text is not kept.
    told = rows(given, "notifications.json")
    assert {each["kind"] for each in told} >= {"booking_cancelled", "meeting_confirmed"}
    assert {each["subject"] for each in told} == {None}


def test_nothing_of_anybody_elses_is_in_it(
    given: Mapping[str, bytes], client: Client, charlie: User
) -> None:
    client.force_login(charlie)
    other = files_of(client.post("/settings/data/export"))
    whole = b"\n".join(other.values()).decode()
    for word in ("Alice", "alice", "Bob", "John", "Founders", "dora"):
        assert word not in whole
    assert "bookings.ics" not in other


def test_what_no_key_opens_is_left_out_of_it() -> None:
    nina = factories.user("nina")
    webhook = factories.webhook(nina, headers={"Authorization": "Bearer secret"})
    factories.delivery(webhook, now=NOW)
    Notification.objects.create(
        user=nina,
        channel="email",
        address=nina.email,
        kind="test",
        is_written=True,
        content='{"subject": "Hello"}',
        due_at=NOW,
        created_at=NOW,
    )
    with connection.cursor() as cursor:  # as if their key had been taken away
        cursor.execute("UPDATE webhooks_webhook SET sealed_headers = 'lost.AAAA'")
        cursor.execute("UPDATE webhooks_webhookevent SET body = 'lost.AAAA'")
        cursor.execute("UPDATE notifications_notification SET content = 'lost.AAAA'")
    client = Client()
    client.force_login(nina)
    found = files_of(client.post("/settings/data/export"))
    assert [row["headers"] for row in rows(found, "webhooks.json")] == [[]]
    assert [row["body"] for row in rows(found, "webhook_events.json")] == [None]
    assert [row["subject"] for row in rows(found, "notifications.json")] == [None]

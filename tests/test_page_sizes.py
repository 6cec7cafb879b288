"""Page sizes: each list shows at most fifty rows a page, however many rows an account has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from oauth2_provider.models import Application
from pytest_django import Settings

from accounts.models import ApiToken, Invitation, Membership, Session, Team, User
from calendars.models import Calendar
from meetings.domain import services as meetings
from notifications.models import PushDevice
from scheduling.models import DateOverride, EventType, HistoryEntry
from tests import factories
from tests.pages import NOW, START, main, stand_alone, words
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db

MANY = range(120)


@pytest.fixture(autouse=True)
def _at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    settings.LIMITS = dict.fromkeys(settings.LIMITS, 0)  # an operator may turn them off
    with time_machine.travel(NOW, tick=False):
        yield


def people() -> list[User]:
    made = [
        User(
            email=f"p{number}@example.com",
            username=f"p{number}",
            password="!",
            first_name=f"Person{number:03}",
        )
        for number in MANY
    ]
    return User.objects.bulk_create(made)


def event_types(alice: User, team: Team) -> None:
    offered = [
        EventType(host=alice, name=f"row{number:03}", slug=f"r{number}", duration=30)
        for number in MANY
    ]
    EventType.objects.bulk_create(offered)


def webhooks(alice: User, team: Team) -> None:
    made = [
        Webhook(owner=alice, name=f"row{number:03}", url="https://example.com", secret="s")
        for number in MANY
    ]
    Webhook.objects.bulk_create(made)


def tokens(alice: User, team: Team) -> None:
    made = [
        ApiToken(user=alice, name=f"row{number:03}", digest=str(number), hint="pat_")
        for number in MANY
    ]
    ApiToken.objects.bulk_create(made)


def applications(alice: User, team: Team) -> None:
    made = [
        Application(
            user=alice,
            name=f"row{number:03}",
            client_id=str(number),
            client_type="public",
            authorization_grant_type="authorization-code",
        )
        for number in MANY
    ]
    Application.objects.bulk_create(made)


def devices(alice: User, team: Team) -> None:
    made = [
        PushDevice(user=alice, name=f"row{number:03}", token=str(number), platform="web")
        for number in MANY
    ]
    PushDevice.objects.bulk_create(made)


def teams(alice: User, team: Team) -> None:
    made = Team.objects.bulk_create(Team(name=f"row{number:03}") for number in MANY)
    Membership.objects.bulk_create(Membership(team=each, user=alice) for each in made)


def overrides(alice: User, team: Team) -> None:
    days = [NOW.date() + timedelta(days=number) for number in MANY]
    DateOverride.objects.bulk_create(DateOverride(user=alice, date=day) for day in days)


def sessions(alice: User, team: Team) -> None:
    later = NOW + timedelta(days=1)
    made = [
        Session(
            session_key=str(number), session_data="{}", expire_date=later, user=alice, seen_at=NOW
        )
        for number in MANY
    ]
    Session.objects.bulk_create(made)


def members(alice: User, team: Team) -> None:
    Membership.objects.bulk_create(Membership(team=team, user=each) for each in people())


def invitations(alice: User, team: Team) -> None:
    times = {"created_at": NOW, "expires_at": NOW + timedelta(days=1)}
    made = [
        Invitation(team=team, email=f"row{number:03}@example.com", invited_by=alice, **times)
        for number in MANY
    ]
    Invitation.objects.bulk_create(made)


def calendars(alice: User, team: Team) -> None:
    account = factories.read_calendar(alice).account
    made = [
        Calendar(account=account, user=alice, href=str(number), name=f"row{number:03}")
        for number in MANY
    ]
    Calendar.objects.bulk_create(made)


# What makes many rows, the page (of team 1: TEAM), its parameter, and what each row has once.
LISTS: Mapping[str, tuple[Callable[[User, Team], None], str, str, str]] = {
    "event types": (event_types, "/event-types", "page", ">Copy link<"),
    "public page": (event_types, "/alice", "page", 'class="offer"'),
    "webhooks": (webhooks, "/settings/webhooks", "page", 'class="webhook-name"'),
    "calendars": (calendars, "/settings/calendars", "page", 'class="calendar-switches"'),
    "tokens": (tokens, "/settings/tokens", "page", ">Revoke the token<"),
    "applications": (applications, "/settings/applications", "page", 'class="application-name"'),
    "devices": (devices, "/settings/devices", "page", ">Remove the device<"),
    "teams": (teams, "/settings/teams", "page", '<h2><a href="/settings/teams/'),
    "dates": (overrides, "/settings/hours/dates", "page", 'value="save">Remove<'),
    "browsers": (sessions, "/settings/security", "browsers", "last seen"),
    "people of a team": (members, "/settings/teams/TEAM", "people", ">Save the role<"),
    "invitations": (invitations, "/settings/teams/TEAM", "invited", ">Send again<"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_comes_in_pages(client: Client, alice: User, team: Team, name: str) -> None:
    make, url, parameter, row = LISTS[name]
    make(alice, team)
    client.force_login(alice)
    url = url.replace("TEAM", str(team.pk))
    first, last = client.get(url), client.get(url, {parameter: "3"})
    assert main(first).count(row) == 50
    assert 20 <= main(last).count(row) <= 22  # with those that were there before
    assert len(first.content) < 200_000
    assert "Page 1 of 3" in words(first)
    assert f"{parameter}=2" in main(first)
    assert f"{parameter}=2" in main(last)
    for wrong in ("x", "0", "-1", "9" * 30):
        assert client.get(url, {parameter: wrong}).status_code == 200


def test_a_short_list_has_no_pages(client: Client, alice: User) -> None:
    factories.event_type(alice)
    client.force_login(alice)
    assert "pager" not in main(client.get("/event-types"))


# --- one booking ----------------------------------------------------------------------------------


def test_the_history_of_a_booking_comes_in_pages(client: Client, alice: User) -> None:
    booked = factories.booking(factories.event_type(alice), start=START, now=NOW)
    for number in MANY:
        moved = START + timedelta(hours=number % 2)
        HistoryEntry.objects.create(
            booking=booked,
            sequence=number + 1,
            change="rescheduled",
            from_status="confirmed",
            to_status="confirmed",
            start=moved,
            end=moved + timedelta(minutes=30),
            role="host",
            actor=alice,
            at=NOW,
        )
    client.force_login(alice)
    page = f"/bookings/{booked.pk}"
    first, second = client.get(page), client.get(page, {"history": "2"})
    assert len(first.context["steps"]) == len(second.context["steps"]) == 50
    assert "Page 1 of 3" in words(first)
    # The first line of a page knows what stood on the page before.
    was = HistoryEntry.objects.get(sequence=49).start
    assert f"from Wednesday, 4 March 2026, {was:%I:%M %p}" in second.context["steps"][0].sentence


# --- whom one may ask -----------------------------------------------------------------------------


def options(page: Any) -> Sequence[Any]:
    return [each for _team, one in page.context["form"].fields["mate"].choices[1:] for each in one]


def test_of_many_team_mates_some_are_listed_and_a_search_finds_the_others(
    client: Client, alice: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.pages.meetings._MOST_MATES", 20)
    members(alice, team)
    client.force_login(alice)
    page = client.get("/meetings/new")
    assert len(options(page)) == 20
    assert "You have too many teammates for one list" in words(page)
    found = client.get("/meetings/new", {"find": "person111"})
    assert [name for _key, name in options(found)] == ["Person111 (UTC)"]
    assert b'value="person111"' in found.content
    nobody = client.get("/meetings/new", {"find": "Zoe\0%_"})
    assert "Nobody with this name is in your teams." in words(nobody)
    # One that is not among those listed can be chosen all the same.
    [(mate, _name)] = options(found)
    assert len(options(client.get("/meetings/new", {"mate": mate}))) == 20
    asked = {"mate": mate, "date": "2026-03-04", "time": "10:00", "link": ""}
    assert client.post("/meetings/new", asked).status_code == 302


def test_few_team_mates_are_not_searched(client: Client, alice: User, team: Team) -> None:
    client.force_login(alice)
    assert "Find a teammate" not in words(client.get("/meetings/new"))


def test_the_week_shows_so_many_requests(
    client: Client, alice: User, bob: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.pages.home._MOST_OF_WEEK", 3)
    for number in range(5):
        meetings.request_meeting(
            requester=bob,
            recipient_id=alice.pk,
            team_id=team.pk,
            link="",
            date=f"2026-03-0{3 + number % 2} 1{number}:00:00",
            now=NOW,
        )
    client.force_login(alice)
    week = main(client.get("/")).partition('<ol class="week')[2]
    assert week.count('href="/meetings/') == 3

"""Limits on the rows of one account: at the limit, one above it, and without a limit."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.test import Client
from oauth2_provider.models import Application, RefreshToken
from pytest_django import Settings

from accounts.domain import applications, links, services, teams
from accounts.models import ApiToken, Invitation, Membership, Session, Team, User
from core.errors import LimitReached
from notifications.domain import devices
from notifications.models import PushDevice
from scheduling.domain import services as hosts
from scheduling.models import DateOverride, EventType, Schedule
from tests import factories
from tests.oauth import CALLBACK, app_of
from tests.pages import NOW, everything, stand_alone, words
from webhooks.models import Webhook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def allow(settings: Settings, **most: int) -> None:
    settings.LIMITS = settings.LIMITS | most


@pytest.fixture
def at_now(settings: Settings) -> Iterator[time_machine.Traveller]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


# --- what bounds the rows of each table -----------------------------------------------------------

BOUNDED = {
    "a limit of an account or a team": {
        "accounts.ApiToken",
        "accounts.Invitation",
        "accounts.Membership",
        "notifications.PushDevice",
        "accounts.Session",
        "accounts.Team",
        "account.EmailAddress",
        "oauth2_provider.Application",
        "oauth2_provider.AccessToken",
        "oauth2_provider.RefreshToken",
        "calendars.Calendar",
        "calendars.CalendarAccount",
        "calendars.Entry",
        "calendars.Item",
        "scheduling.DateOverride",
        "scheduling.EventType",
        "scheduling.Schedule",
        "webhooks.Webhook",
    },
    "one of each kind for a person": {
        "calendars.Feed",
        "accounts.Picture",
        "notifications.OptOut",
        "mfa.Authenticator",
        "scheduling.WeeklyAvailability",
        "webhooks.OwnerCounter",
    },
    "requests a day, and kept for some days": {
        "accounts.AuditEntry",
        "calendars.Push",
        "scheduling.Hold",
        "core.IdempotencyRecord",
        "notifications.Notification",
        "oauth2_provider.Grant",
        "webhooks.Attempt",
        "webhooks.Delivery",
        "webhooks.WebhookEvent",
    },
    "requests a day: it is what accounts are for": {
        "accounts.User",
        "meetings.HistoryEntry",
        "meetings.MeetingRequest",
        "scheduling.Booking",
        "scheduling.Guest",
        "calendars.BusyTime",
        "scheduling.HistoryEntry",
    },
    "so many of one owner": {"accounts.FormerUsername", "scheduling.FormerSlug"},
    "one a day": {"meetings.DayCounter"},
    "one": {"core.KeyCanary"},
    "staff": {"admin.LogEntry", "auth.Group"},
    "code": {"auth.Permission", "contenttypes.ContentType"},
    "no rows are written": {
        "account.EmailConfirmation",
        "oauth2_provider.DeviceGrant",
        "oauth2_provider.IDToken",
    },
}


def test_of_every_table_it_is_said_what_bounds_its_rows() -> None:
    """Each new model needs an entry that says what bounds its rows. Otherwise this test fails."""
    labels = {model._meta.label for model in apps.get_models() if not model._meta.proxy}
    assert set().union(*BOUNDED.values()) == labels


# --- what is refused ------------------------------------------------------------------------------

HOOK = {"name": "Hook", "url": "https://example.com/hook", "events": ["booking.created"]}
API: Mapping[str, tuple[type[models.Model], str, Callable[[int], tuple[str, dict[str, Any]]]]] = {
    "webhooks": (Webhook, "post", lambda number: ("/api/v1/webhooks", HOOK)),
    "event_types": (
        EventType,
        "post",
        lambda number: ("/api/v1/event_types", {"name": "Talk", "duration": 30}),
    ),
    "overrides": (
        DateOverride,
        "put",
        lambda number: (
            f"/api/v1/users/me/availability/overrides/2026-04-0{number}",
            {"windows": []},
        ),
    ),
}


@pytest.mark.parametrize("name", API)
def test_the_api_refuses_one_more_and_names_the_number(
    alice: User, bob: User, settings: Settings, name: str
) -> None:
    allow(settings, **{name: 2})
    model, method, request = API[name]
    api = factories.client(alice)

    def ask(number: int, client: Client = api) -> Any:
        path, body = request(number)
        return getattr(client, method)(path, body, content_type="application/json")

    assert [ask(number).status_code // 100 for number in (1, 2)] == [2, 2]
    answer = ask(3)
    body = answer.json()
    assert (answer.status_code, body["error"], body["reason"]) == (409, "conflict", "limit")
    assert "the limit of 2 " in body["message"]
    assert model._default_manager.count() == 2
    # It is the account's limit: others have their own, and an operator may turn it off.
    assert ask(1, factories.client(bob)).status_code // 100 == 2
    allow(settings, **{name: 0})
    assert ask(3).status_code // 100 == 2


EVENT_TYPE = {
    "name": "Talk",
    "duration": "30",
    "color": "#4F46E5",
    "location": "zoom_meeting",
    "link_later": "on",
    "buffer_time_before": "0",
    "buffer_time_after": "0",
    "min_advance_booking": "0",
    "max_advance_booking": "60",
    "available_days": ["1"],
    "currency": "USD",
    "is_active": "on",
}
WEBHOOK = {
    "name": "Hook",
    "url": "https://example.com/hook",
    "events": "booking.created",
    "timeout_seconds": "30",
    "max_retries": "3",
    "headers-TOTAL_FORMS": "0",
    "headers-INITIAL_FORMS": "0",
}
APPLICATION = {"name": "App", "kind": "public", "redirect_uris": CALLBACK}
TOKEN = {"name": "Token", "scopes": "users:read", "expires": "never"}
# The list, its button for a new one (none: the form is on the same page), and what is sent.
PAGES: Mapping[str, tuple[type[models.Model], str, str, dict[str, Any]]] = {
    "webhooks": (Webhook, "/settings/webhooks", "/settings/webhooks/new", WEBHOOK),
    "event_types": (EventType, "/event-types", "/event-types/new", EVENT_TYPE),
    "applications": (
        Application,
        "/settings/applications",
        "/settings/applications/new",
        APPLICATION,
    ),
    "teams": (Team, "/settings/teams", "", {"name": "Editors"}),
    "tokens": (ApiToken, "/settings/tokens", "", TOKEN),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_that_there_can_be_no_more(
    signed_in: Client, settings: Settings, name: str
) -> None:
    model, listed, new, sent = PAGES[name]
    allow(settings, **{name: 2})
    said = "You have reached the limit of 2 "
    for _number in range(2):
        assert said not in words(signed_in.get(new or listed))
        assert signed_in.post(new or listed, sent).status_code in (200, 302)
    assert model._default_manager.count() == 2
    before = everything()
    refused = signed_in.post(new or listed, sent)
    assert (refused.status_code, words(refused).count(said)) == (200, 1)
    assert everything() == before
    assert words(signed_in.get(new or listed)).count(said) == 1
    page = signed_in.get(listed)
    assert words(page).count(said) == 1
    assert not new or f'href="{new}"' not in page.content.decode()


def test_a_copy_of_an_event_type_counts(signed_in: Client, alice: User, settings: Settings) -> None:
    allow(settings, event_types=1)
    offered = factories.event_type(alice)
    page = signed_in.post(f"/event-types/{offered.pk}/duplicate", follow=True)
    assert page.redirect_chain == [("/event-types", 302)]
    assert "the limit of 1 event types" in words(page)
    assert EventType.objects.count() == 1


def test_the_page_of_dates_says_it_too(
    signed_in: Client, alice: User, settings: Settings, at_now: time_machine.Traveller
) -> None:
    allow(settings, overrides=1)
    hosts.set_override(user=alice, day=NOW.date(), windows=[])
    off = {"kind": "off", "act": "save"}
    page = signed_in.post("/settings/hours/dates?date=2026-03-20", off, follow=True)
    assert "the limit of 1 date-specific hours" in words(page)
    assert DateOverride.objects.count() == 1


def test_the_default_schedule_counts_and_a_deleted_one_makes_room(
    signed_in: Client, alice: User, settings: Settings
) -> None:
    allow(settings, schedules=2)
    said, evenings = "the limit of 2 schedules", "/settings/hours/schedules"
    assert said not in words(signed_in.get("/settings/hours"))
    assert signed_in.post(evenings, {"name": "Evenings"}).status_code == 302
    assert words(signed_in.get("/settings/hours")).count(said) == 1
    refused = signed_in.post(evenings, {"name": "Nights"})
    assert (refused.status_code, words(refused).count(said)) == (200, 1)
    api, url = factories.client(alice), "/api/v1/users/me/schedules"
    answer = api.post(url, {"name": "Nights"}, content_type="application/json")
    assert (answer.status_code, answer.json()["reason"]) == (409, "limit")
    hosts.delete_schedule(schedule=Schedule.objects.get(name="Evenings"))
    assert signed_in.post(evenings, {"name": "Nights"}).status_code == 302
    allow(settings, schedules=0)
    assert signed_in.post(evenings, {"name": "Evenings"}).status_code == 302


def test_dates_that_have_passed_make_room(alice: User, settings: Settings) -> None:
    allow(settings, overrides=2)
    for days in (-9, 9):
        hosts.set_override(user=alice, day=NOW.date() + timedelta(days=days), windows=[])
    hosts.set_override(user=alice, day=NOW.date() + timedelta(days=10), windows=[])
    left = [NOW.date() + timedelta(days=days) for days in (9, 10)]
    assert list(DateOverride.objects.values_list("date", flat=True)) == left
    hosts.set_override(user=alice, day=left[0], windows=[])  # which is none more
    with pytest.raises(LimitReached):
        hosts.set_override(user=alice, day=NOW.date() + timedelta(days=11), windows=[])


def test_what_is_deleted_makes_room(alice: User, settings: Settings) -> None:
    allow(settings, webhooks=1, event_types=1)
    factories.webhook(alice).delete()
    factories.webhook(alice)
    offered = factories.event_type(alice)
    hosts.update_event_type(event_type=offered, is_active=False)
    with pytest.raises(LimitReached):  # inactive ones count
        factories.event_type(alice)
    hosts.delete_event_type(event_type=offered)
    factories.event_type(alice)


# --- teams ----------------------------------------------------------------------------------------


def invite(team: Team, email: str) -> Invitation:
    owner = team.memberships.get(role=Membership.Role.OWNER).user
    return teams.invite(team=team, actor=owner, email=email, now=NOW)


def test_invitations_count_with_the_people_of_a_team(
    signed_in: Client, team: Team, alice: User, settings: Settings
) -> None:
    allow(settings, team_members=3)
    page, said = f"/settings/teams/{team.pk}", "This team has reached the limit of 3 people"
    assert said not in words(signed_in.get(page))
    first = invite(team, "dora@example.com")
    assert words(signed_in.get(page)).count(said) == 1
    refused = signed_in.post(f"{page}/invitations", {"email": "emil@example.com"})
    assert (refused.status_code, words(refused).count(said)) == (200, 1)
    assert Invitation.objects.count() == 1
    teams.withdraw(team=team, actor=alice, invitation_id=first.pk, now=NOW)
    invite(team, "emil@example.com")


def test_nobody_joins_one_team_too_many(
    client: Client, team: Team, charlie: User, settings: Settings
) -> None:
    allow(settings, teams=1)
    teams.create(owner=charlie, name="Own")
    invitation = invite(team, charlie.email)
    with pytest.raises(LimitReached):
        teams.join(invitation=invitation, user=charlie, now=NOW)
    client.force_login(charlie)
    page = client.post(
        links.invitation_url(invitation).removeprefix(settings.PUBLIC_URL), follow=True
    )
    assert "You have reached the limit of 1 teams" in words(page)
    assert Invitation.objects.count() == 1  # it can still be taken
    teams.leave(team=charlie.teams.get(), actor=charlie, now=NOW)
    teams.join(invitation=invitation, user=charlie, now=NOW)


# --- tokens ---------------------------------------------------------------------------------------


def make_token(user: User, **values: Any) -> ApiToken:
    wanted = {"name": "x", "scopes": ["users:read"]}
    return services.create_token(user=user, **wanted | values)[0]


def test_tokens_that_no_longer_work_do_not_count_and_only_the_newest_are_kept(
    alice: User, settings: Settings
) -> None:
    allow(settings, tokens=2)
    for _number in range(3):
        services.revoke_token(token=make_token(alice), actor=alice, now=NOW)
    make_token(alice, expires_at=NOW)
    living = [make_token(alice), make_token(alice)]
    with pytest.raises(LimitReached):
        make_token(alice)
    assert list(ApiToken.objects.usable(NOW)) == living[::-1]
    assert ApiToken.objects.ended(NOW).count() == 2


def test_an_operator_makes_one_more(alice: User, settings: Settings) -> None:
    allow(settings, tokens=1)
    make_token(alice)
    call_command("create_token", alice.email, name="mine")
    assert ApiToken.objects.usable(NOW).count() == 2


# --- what makes room for another ------------------------------------------------------------------


def register(user: User, token: str) -> PushDevice:
    return services.register_device(user=user, token=token, platform="web", name=token)


def names_of(user: User) -> list[str]:
    return sorted(user.devices.values_list("name", flat=True))


def test_one_device_more_replaces_the_one_unused_for_longest(
    alice: User, bob: User, settings: Settings, at_now: time_machine.Traveller
) -> None:
    allow(settings, devices=3)
    for name in ("a", "b", "c", "a"):  # an app that starts registers again
        register(alice, name)
        at_now.shift(timedelta(days=1))
    register(alice, "d")
    assert names_of(alice) == ["a", "c", "d"]
    devices.deactivate(digest=alice.devices.get(name="a").digest)
    at_now.shift(timedelta(days=1))
    register(alice, "e")
    assert names_of(alice) == ["c", "d", "e"]  # Firebase no longer knows `a`
    register(bob, "e")  # a device changes hands
    assert (names_of(alice), names_of(bob)) == (["c", "d"], ["e"])


def test_one_browser_more_signs_out_the_one_unseen_for_longest(
    alice: User, settings: Settings, at_now: time_machine.Traveller
) -> None:
    allow(settings, sessions=2)
    browsers = [Client(), Client(), Client()]
    for browser in browsers:
        at_now.shift(timedelta(hours=1))
        browser.force_login(alice)
        at_now.shift(timedelta(minutes=10))
        browsers[0].get("/settings/profile")
    shown = [browser.get("/settings/profile").status_code for browser in browsers]
    assert (shown, Session.objects.filter(user=alice).count()) == ([200, 302, 200], 2)


def test_one_connection_more_ends_the_one_not_renewed_for_longest(
    alice: User, bob: User, settings: Settings
) -> None:
    allow(settings, connections=2)
    app = app_of(bob, now=NOW)
    first, second = app.tokens(alice), app.tokens(alice)
    renewed = app.refresh(first["refresh_token"]).json()
    third = app.tokens(alice)
    assert applications.live(NOW).filter(user=alice).count() == 2
    answers = [app.refresh(each["refresh_token"]) for each in (second, renewed, third)]
    assert [answer.status_code for answer in answers] == [400, 200, 200]


def test_of_the_used_tokens_of_a_connection_the_newest_are_kept(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.domain.applications._MOST_USED", 3)
    app = app_of(bob, now=NOW)
    tokens = [app.tokens(alice)["refresh_token"]]
    for _number in range(6):
        tokens.append(app.refresh(tokens[-1]).json()["refresh_token"])
    assert RefreshToken.objects.count() == 1 + 3  # the first says since when it lasts
    [connection] = applications.connections(person=alice, now=NOW)
    assert connection.since == NOW
    assert app.refresh(tokens[1]).status_code == 400  # forgotten, so nothing ends
    assert applications.live(NOW).count() == 1
    assert app.refresh(tokens[-2]).status_code == 400  # known to be used: all ends
    assert applications.live(NOW).count() == 0


# --- addresses ------------------------------------------------------------------------------------


def test_an_account_has_so_many_addresses(signed_in: Client, settings: Settings) -> None:
    settings.ACCOUNT_MAX_EMAIL_ADDRESSES = 2
    for number in (1, 2):
        added = {"email": f"other{number}@example.com", "action_add": ""}
        page = signed_in.post("/accounts/email/", added)
    assert "You have reached the limit of 2 email addresses" in words(page)
    assert b'name="action_add"' not in signed_in.get("/accounts/email/").content

"""Writes for an account that is being deleted: they are erased too, or refused."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from ipaddress import ip_network
from typing import Any
from unittest import mock

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.sessions.backends.base import UpdateError
from django.core import signing
from django.test import Client

from accounts.domain import applications, pictures, services, sessions, teams
from accounts.models import ApiToken, User
from core.errors import AccountClosed
from core.people import privacy
from scheduling.domain import bookings, outside
from scheduling.domain import services as hosts
from tests import factories
from tests.pages import NOW, START, stand_alone
from tests.torture.races import at_once
from webhooks.domain import services as webhooks

Act = Callable[[], Any]

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = range(4)
BY_SERVICE = [
    "profile",
    "username",
    "token",
    "use of a token",
    "device",
    "choice of messages",
    "picture",
    "team",
    "name of a team",
    "place in a team",
    "invitation",
    "application",
    "change of an application",
    "secret of an application",
    "event type",
    "change of an event type",
    "address of an event type",
    "hours",
    "hours on a page",
    "schedule",
    "change of a schedule",
    "default schedule",
    "default schedule on a page",
    "date",
    "note on a booking",
    "webhook",
    "change of a webhook",
    "secret of a webhook",
    "test of a webhook",
]
BY_PAGE = [
    "session",
    "sign-in",
    "failed sign-in",
    "address",
    "looking at addresses",
    "confirmation",
    "link for a password",
    "password",
    "export",
]


@pytest.fixture(autouse=True)
def _alone(settings: Any) -> None:
    stand_alone(settings)
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]  # where nobody listens


class Things:
    """Alice's rows from before the deletion. Each is changed by somebody who read it earlier."""

    def __init__(self, alice: User, bob: User) -> None:
        self.team = factories.team("Alice’s", alice)
        self.others = factories.team("Bob’s", bob)
        self.event_type = factories.event_type(alice)
        self.schedule = hosts.create_schedule(user=alice, name="Evenings")
        self.booking = factories.booking(self.event_type, start=START, now=NOW)
        self.webhook = factories.webhook(alice, url="http://127.0.0.1:9/")
        self.invitation = teams.invite(team=self.others, actor=bob, email=alice.email, now=NOW)
        self.application, _secret = applications.make(
            owner=alice, name="App", is_public=False, redirect_uris=["https://a.example/"], now=NOW
        )
        self.address = EmailAddress.objects.create(user=alice, email="further@example.com")
        self.row, self.token = services.create_token(
            user=alice, name="First", scopes=["users:read"]
        )


def _session(alice: User) -> None:
    store = sessions.SessionStore()
    store.update({"_auth_user_id": str(alice.pk), "agent": "Firefox"})
    with suppress(UpdateError):  # refused, which the middleware answers
        store.save()


def _confirm(things: Things, client: Client) -> None:
    key = signing.dumps(things.address.pk, salt="account")
    client.post(f"/accounts/confirm-email/{key}/")


def _export(browser: Client) -> None:
    browser.post("/settings/data/export").close()


def _post(client: Client, path: str, **form: str) -> None:
    client.post(path, form)


def writes(things: Things, alice: User) -> dict[str, Act]:
    """Return one write for each kind of row that belongs to a person."""
    browser = Client()
    browser.force_login(alice)
    return {
        "profile": partial(services.update_profile, user=alice, first_name="Kept"),
        "username": partial(services.update_profile, user=alice, username="kept"),
        "token": partial(services.create_token, user=alice, name="Kept", scopes=["users:read"]),
        "use of a token": partial(services.note_use, token=things.row, now=NOW),
        "device": partial(services.register_device, user=alice, token="kept", platform="web"),
        "picture": partial(pictures.keep, user=alice, data=factories.picture(), now=NOW),
        "choice of messages": partial(
            services.choose_messages, user=alice, off=[("booking_reminder", "email")]
        ),
        "session": partial(_session, alice),
        "sign-in": partial(
            _post, Client(), "/accounts/login/", login=alice.email, password=factories.PASSWORD
        ),
        "failed sign-in": partial(
            _post, Client(), "/accounts/login/", login=alice.email, password="wrong"
        ),
        "address": partial(
            _post, browser, "/accounts/email/", action_add="", email="kept@example.com"
        ),
        "looking at addresses": partial(browser.get, "/accounts/email/"),
        "confirmation": partial(_confirm, things, browser),
        "link for a password": partial(
            _post, Client(), "/accounts/password/reset/", email=alice.email
        ),
        "password": partial(
            _post,
            browser,
            "/accounts/password/change/",
            oldpassword=factories.PASSWORD,
            password1="battery-horse-staple",
            password2="battery-horse-staple",
        ),
        "export": partial(_export, browser),
        "team": partial(teams.create, owner=alice, name="Kept"),
        "name of a team": partial(teams.rename, team=things.team, actor=alice, name="Kept"),
        "place in a team": partial(teams.join, invitation=things.invitation, user=alice, now=NOW),
        "invitation": partial(
            teams.invite, team=things.team, actor=alice, email="kept@example.com", now=NOW
        ),
        "application": partial(
            applications.make,
            owner=alice,
            name="Kept",
            is_public=True,
            redirect_uris=["https://kept.example/"],
            now=NOW,
        ),
        "change of an application": partial(
            applications.change,
            application=things.application,
            actor=alice,
            name="Kept",
            redirect_uris=["https://kept.example/"],
            now=NOW,
        ),
        "secret of an application": partial(
            applications.rotate_secret, application=things.application, actor=alice, now=NOW
        ),
        "event type": partial(hosts.create_event_type, host=alice, name="Kept", duration=30),
        "change of an event type": partial(
            hosts.update_event_type, event_type=things.event_type, name="Kept"
        ),
        "address of an event type": partial(
            hosts.update_event_type, event_type=things.event_type, slug="kept"
        ),
        "hours": partial(hosts.set_hours, user=alice, days={}, timezone="Asia/Tokyo"),
        "hours on a page": partial(
            outside.set_hours,
            schedule=things.schedule,
            days={},
            timezone="Asia/Tokyo",
            agreed=(),
            now=NOW,
        ),
        "schedule": partial(hosts.create_schedule, user=alice, name="Kept"),
        "change of a schedule": partial(
            hosts.update_schedule, schedule=things.schedule, name="Kept"
        ),
        "default schedule": partial(hosts.make_default, schedule=things.schedule),
        "default schedule on a page": partial(
            outside.make_default, schedule=things.schedule, agreed=(), now=NOW
        ),
        "date": partial(hosts.set_override, user=alice, day=date(2026, 5, 1), windows=[]),
        "note on a booking": partial(
            bookings.update, booking=things.booking, now=NOW, notes="Kept"
        ),
        "webhook": partial(
            webhooks.create,
            owner=alice,
            name="Kept",
            url="https://kept.example/",
            events=["booking.created"],
        ),
        "change of a webhook": partial(
            webhooks.update, webhook=things.webhook, now=NOW, name="Kept"
        ),
        "secret of a webhook": partial(webhooks.rotate_secret, webhook=things.webhook, now=NOW),
        "test of a webhook": partial(webhooks.send_test, webhook=things.webhook, now=NOW),
    }


@pytest.mark.parametrize("kind", [*BY_SERVICE, *BY_PAGE])
def test_what_is_written_at_once_is_gone_or_refused(kind: str, bob: User) -> None:
    """Three writers run against a deletion, several times. None of their rows remains."""
    for _round in ROUNDS:
        dora = factories.user("dora")
        things = Things(dora, bob)
        erase: Act = partial(privacy.erase, person_id=dora.pk, now=NOW)
        outcomes = at_once([erase, *[writes(things, dora)[kind]] * 3])
        assert outcomes[0] is None
        assert [*traces_of(dora)] == []


@pytest.mark.parametrize("how", ["deleted", "deactivated"])
def test_what_comes_after_is_refused(alice: User, bob: User, how: str) -> None:
    things = Things(alice, bob)
    acts = writes(things, alice)
    stale = User.objects.get(pk=alice.pk)
    if how == "deleted":
        privacy.erase(person_id=alice.pk, now=NOW)
    else:
        User.objects.filter(pk=alice.pk).update(is_active=False)
    assert stale.is_active
    refused = [kind for kind in BY_SERVICE if isinstance(at_once([acts[kind]])[0], AccountClosed)]
    # The first use of a token is then not recorded, and the caller gets no error.
    assert refused == [kind for kind in BY_SERVICE if kind != "use of a token"]
    assert ApiToken.objects.filter(user=alice, name="Kept").count() == 0


def traces_of(person: User) -> Iterator[str]:
    """Yield the rows of a deleted person that remain, except those meant to stay."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if field.is_relation and field.related_model is User and hasattr(field, "column"):
                rows = model._base_manager.filter(**{field.name: person.pk})
                kept = KEPT.get(model._meta.label)
                found = rows.exclude(**kept) if kept is not None else rows
                yield from (f"{model._meta.label}.{field.name}: {row}" for row in found)
    row = User.objects.get(pk=person.pk)
    told = (row.first_name, row.last_login, row.has_usable_password(), row.is_active)
    if told != ("", None, False, False) or "deleted.invalid" not in row.email:
        yield f"{told} {row.email}"
    if row.event_types.exclude(name="Meeting", is_active=False).exists():
        yield "event type"


# By table, what stays of its rows.
KEPT: dict[str, dict[str, Any]] = {
    "accounts.AuditEntry": {"action": "account_deleted"},
    "accounts.FormerUsername": {"username__startswith": "~"},  # sealed: nobody can read it
    "scheduling.Booking": {"notes": "", "status": "cancelled"},
    "scheduling.HistoryEntry": {"reason": ""},
    "scheduling.EventType": {"name": "Meeting"},
}


def test_the_api_answers_a_closed_account_as_a_bad_token(alice: User) -> None:
    """The account is closed between the check of the token and the write."""
    client = factories.client(alice)
    device = {"token": "x", "platform": "web"}

    def closed(person_id: int) -> User:
        raise AccountClosed("This account is closed.")

    with mock.patch.object(services, "lock", closed):
        answer = client.post("/api/v1/users/me/devices", device, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_page_says_that_the_account_is_closed(alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    page = browser.get("/settings/profile")
    assert page.status_code == 200
    sent = {
        "first_name": "New",
        "username": "alice",
        "timezone": "UTC",
        "language": "en",
        "date_format": "yyyy-MM-dd",
        "time_format": "HH:mm",
        "week_start": "1",
    }

    def closed(person_id: int) -> User:
        raise AccountClosed("This account is closed.")

    with mock.patch.object(services, "lock", closed):
        answer = browser.post("/settings/profile", sent)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/inactive/")


def test_a_session_that_is_saved_in_a_page_while_its_person_is_deleted(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Client()
    browser.force_login(alice)

    def refused(store: sessions.SessionStore, must_create: bool = False) -> None:
        raise UpdateError

    monkeypatch.setattr(sessions.SessionStore, "save", refused)
    new = "battery-horse-staple"
    sent = {"oldpassword": factories.PASSWORD, "password1": new, "password2": new}
    answer = browser.post("/accounts/password/change/", sent)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/inactive/")
    assert answer.cookies["sessionid"].value == ""

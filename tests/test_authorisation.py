"""API permissions: every route below /api/, by every method, for each kind of caller.

The routes are read from the URL table. A route that is missing from ROWS fails the suite.
"""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from accounts.domain import services as people
from accounts.models import Team, User, scopes
from calendars.domain import feeds
from core.db import outbox
from meetings.domain import services as meetings
from scheduling.domain import services as hosts
from tests import factories
from tests.calendars.asking import listening
from tests.pages import NOW, Making, everything, stand_alone

ZONE = "Pacific/Chatham"  # Alice's, so that her hours are known when somebody else sees them
DATE = "v1/users/me/availability/overrides/<str:date>"
MAKE_DEFAULT = "v1/users/me/schedules/<str:key>/make_default"
REDELIVER = "v1/webhooks/<str:key>/deliveries/<str:delivery_key>/redeliver"
ACCOUNTS = "v1/calendar_accounts"
OWN, MADE, NONE = "200 of their own", "201 of their own", "200 and nothing"


@dataclass(frozen=True)
class Row:
    """Answers of one route to a stranger, a team mate and the owner.

    Other callers get the same answers everywhere: 401 without a token, and 403 with all scopes
    except the required one. An empty scope means that everybody can call the route.
    """

    method: str
    route: str
    scope: str
    stranger: int | str
    mate: int | str
    owner: int


ROWS = [
    Row(*cells)
    for cells in (
        # method, route, scope, stranger, team mate, owner
        ("GET", "schema", "", 200, 200, 200),
        ("GET", "docs", "", 200, 200, 200),
        ("ANY", "", "", 404, 404, 404),
        ("POST", "v1/tokens/revoke", "", 200, 200, 200),  # anybody who holds a token
        ("GET", "v1/users/me", "users:read", OWN, OWN, 200),
        ("PUT", "v1/users/me", "users:write", OWN, OWN, 200),
        ("PATCH", "v1/users/me", "users:write", OWN, OWN, 200),
        ("GET", "v1/users/me/devices", "users:read", NONE, NONE, 200),
        ("POST", "v1/users/me/devices", "users:write", MADE, MADE, 201),
        ("DELETE", "v1/users/me/devices/<int:device_id>", "users:write", 404, 404, 200),
        ("GET", "v1/teams", "users:read", NONE, 200, 200),
        ("GET", "v1/teams/<int:team_id>/members", "users:read", 404, 200, 200),
        ("GET", "v1/users/me/availability", "availability:read", OWN, OWN, 200),
        ("PUT", "v1/users/me/availability", "availability:write", OWN, OWN, 200),
        ("PATCH", "v1/users/me/availability", "availability:write", OWN, OWN, 200),
        ("GET", "v1/users/me/availability/overrides", "availability:read", NONE, NONE, 200),
        ("PUT", DATE, "availability:write", OWN, OWN, 200),
        ("DELETE", DATE, "availability:write", 404, 404, 200),
        ("GET", "v1/users/me/schedules", "availability:read", OWN, OWN, 200),
        ("POST", "v1/users/me/schedules", "availability:write", MADE, MADE, 201),
        ("GET", "v1/users/me/schedules/<str:key>", "availability:read", 404, 404, 200),
        ("PUT", "v1/users/me/schedules/<str:key>", "availability:write", 404, 404, 200),
        ("PATCH", "v1/users/me/schedules/<str:key>", "availability:write", 404, 404, 200),
        ("DELETE", "v1/users/me/schedules/<str:key>", "availability:write", 404, 404, 200),
        ("POST", MAKE_DEFAULT, "availability:write", 404, 404, 200),
        ("GET", "v1/event_types", "event_types:read", NONE, NONE, 200),
        ("POST", "v1/event_types", "event_types:write", MADE, MADE, 201),
        ("GET", "v1/event_types/<str:key>", "event_types:read", 404, 404, 200),
        ("PUT", "v1/event_types/<str:key>", "event_types:write", 404, 404, 200),
        ("PATCH", "v1/event_types/<str:key>", "event_types:write", 404, 404, 200),
        ("DELETE", "v1/event_types/<str:key>", "event_types:write", 404, 404, 200),
        ("GET", "v1/event_types/<str:key>/availability", "availability:read", 404, 404, 200),
        ("GET", "v1/events", "events:read", NONE, NONE, 200),
        ("POST", "v1/events", "events:write", 422, 422, 201),  # of Alice's event type
        ("GET", "v1/events/<str:key>", "events:read", 404, 404, 200),
        ("PUT", "v1/events/<str:key>", "events:write", 404, 404, 200),
        ("PATCH", "v1/events/<str:key>", "events:write", 404, 404, 200),
        ("DELETE", "v1/events/<str:key>", "events:write", 404, 404, 200),
        ("POST", "v1/events/<str:key>/confirm", "events:write", 404, 404, 200),
        ("POST", "v1/events/<str:key>/reject", "events:write", 404, 404, 200),
        ("POST", "v1/events/<str:key>/cancel", "events:write", 404, 404, 200),
        ("POST", "v1/events/<str:key>/reschedule", "events:write", 404, 404, 200),
        ("POST", "v1/events/<str:key>/no-show", "events:write", 404, 404, 409),  # to come
        ("GET", "v1/events/<str:key>/history", "events:read", 404, 404, 200),
        ("GET", "v1/webhooks", "webhooks:read", NONE, NONE, 200),
        ("POST", "v1/webhooks", "webhooks:write", MADE, MADE, 201),
        ("GET", "v1/webhooks/<str:key>", "webhooks:read", 404, 404, 200),
        ("PUT", "v1/webhooks/<str:key>", "webhooks:write", 404, 404, 200),
        ("PATCH", "v1/webhooks/<str:key>", "webhooks:write", 404, 404, 200),
        ("DELETE", "v1/webhooks/<str:key>", "webhooks:write", 404, 404, 200),
        ("POST", "v1/webhooks/<str:key>/test", "webhooks:write", 404, 404, 200),
        ("POST", "v1/webhooks/<str:key>/rotate_secret", "webhooks:write", 404, 404, 200),
        ("POST", "v1/webhooks/<str:key>/recover", "webhooks:write", 404, 404, 202),
        ("GET", "v1/webhooks/<str:key>/deliveries", "webhooks:read", 404, 404, 200),
        ("POST", REDELIVER, "webhooks:write", 404, 404, 202),
        ("GET", ACCOUNTS, "calendars:read", NONE, NONE, 200),
        ("POST", ACCOUNTS, "calendars:write", MADE, MADE, 201),
        ("GET", f"{ACCOUNTS}/<str:key>", "calendars:read", 404, 404, 200),
        ("PUT", f"{ACCOUNTS}/<str:key>", "calendars:write", 404, 404, 200),
        ("PATCH", f"{ACCOUNTS}/<str:key>", "calendars:write", 404, 404, 200),
        ("DELETE", f"{ACCOUNTS}/<str:key>", "calendars:write", 404, 404, 200),
        ("POST", f"{ACCOUNTS}/<str:key>/refresh", "calendars:write", 404, 404, 202),
        ("GET", "v1/calendars", "calendars:read", NONE, NONE, 200),
        ("GET", "v1/calendars/<str:key>", "calendars:read", 404, 404, 200),
        ("PUT", "v1/calendars/<str:key>", "calendars:write", 404, 404, 200),
        ("PATCH", "v1/calendars/<str:key>", "calendars:write", 404, 404, 200),
        ("GET", "v1/users/me/feed", "calendars:write", 404, 404, 200),
        ("POST", "v1/users/me/feed", "calendars:write", MADE, MADE, 201),
        ("DELETE", "v1/users/me/feed", "calendars:write", 404, 404, 200),
        ("POST", "v3/meeting/create", "meetings:write", 404, MADE, 201),  # in Alice's team
        ("GET", "v3/meeting/list", "meetings:read", NONE, NONE, 200),
        ("GET", "v3/meeting/<int:meeting_id>", "meetings:read", 404, 404, 200),
        ("POST", "v3/meeting/<int:meeting_id>/confirm", "meetings:write", 404, 404, 200),
        ("POST", "v3/meeting/<int:meeting_id>/reject", "meetings:write", 404, 404, 200),
        ("POST", "v3/meeting/<int:meeting_id>/cancel", "meetings:write", 404, 404, 200),
    )
]


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield method and route of everything below. ANY stands for a view that ignores the method."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            wanted = {name.upper() for name in methods(pattern.callback)} - {"HEAD", "OPTIONS"}
            yield from ((method, route) for method in sorted(wanted) or ["ANY"])
        else:
            yield from routes(pattern, route)


def methods(callback: Any) -> list[str]:
    """Names of the methods that a view answers: of a ViewSet on this route, of a class anywhere."""
    if hasattr(callback, "actions"):
        return list(callback.actions)
    view = getattr(callback, "cls", None)
    return [name for name in view.http_method_names if hasattr(view, name)] if view else []


def test_every_route_has_its_row() -> None:
    [api] = [
        pattern
        for pattern in get_resolver().url_patterns
        if isinstance(pattern, URLResolver) and str(pattern.pattern) == "api/"
    ]
    there, told = list(routes(api)), [(row.method, row.route) for row in ROWS]
    assert not set(there) - set(told), "routes without a row in ROWS: say who may call them"
    assert not set(told) - set(there), "rows of routes that are no more"
    assert sorted(there) == sorted(told)


@dataclass(frozen=True)
class World:
    """Alice's objects, and three callers."""

    callers: dict[str, User]
    parts: dict[str, object]  # of paths and bodies
    words: tuple[str, ...]  # that only Alice, and whom she deals with, may read

    def path_of(self, row: Row) -> str:
        kinds = ("event_type", "event", "webhook", "calendar_account", "calendar", "schedule")
        key = next((kind for kind in kinds if f"/{kind}s" in row.route), "event")
        # Alice was asked: she may cancel what she has confirmed.
        meeting = "confirmed" if row.route.endswith("/cancel") else "pending"
        parts = {**self.parts, "key": self.parts[key], "meeting_id": self.parts[meeting]}
        return "/api/" + re.sub(r"<\w+:(\w+)>", lambda part: str(parts[part[1]]), row.route)


BODIES: dict[tuple[str, str], Callable[[dict[str, object]], dict[str, object]]] = {
    ("POST", "v1/tokens/revoke"): lambda there: {"token": f"pat_{'0' * 46}"},
    ("POST", "v1/users/me/devices"): lambda there: {"token": "a new one", "platform": "ios"},
    ("PUT", "v1/users/me/availability"): lambda there: {"availability": {}},
    ("PATCH", "v1/users/me/availability"): lambda there: {"availability": {}},
    ("PUT", DATE): lambda there: {"windows": []},
    ("POST", "v1/users/me/schedules"): lambda there: {"name": "New"},
    ("POST", "v1/event_types"): lambda there: {"name": "New", "duration": 30},
    ("POST", "v1/events"): lambda there: {
        "event_type_id": there["event_type_id"],
        "attendee_email": "john@example.com",
        "attendee_name": "John Doe",
        "start_time": there["free"],
    },
    ("POST", "v1/events/<str:key>/no-show"): lambda there: {"no_show": True},
    ("POST", "v1/events/<str:key>/reschedule"): lambda there: {"start_time": there["free"]},
    ("POST", "v1/webhooks"): lambda there: {
        "name": "New",
        "url": "https://example.com/hook",
        "events": ["booking.created"],
    },
    ("POST", ACCOUNTS): lambda there: {"provider": "ics", "url": there["address"]},
    ("POST", "v1/webhooks/<str:key>/recover"): lambda there: {"since": "2026-01-01T00:00:00Z"},
    ("POST", "v3/meeting/create"): lambda there: {
        "user_id": there["dora"],
        "team_id": there["team_id"],
        "date": there["free"],
    },
}


SETTINGS = {"WEBHOOK_ALLOWED_NETWORKS": [ip_network("127.0.0.0/8")]}  # where nobody listens


@pytest.fixture(scope="module")
def made(making: Making) -> World:
    with making(**SETTINGS):
        return _made(NOW)


@pytest.fixture
def world(made: World, settings: Settings, db: None) -> Iterator[World]:
    stand_alone(settings)
    settings.WEBHOOK_ALLOWED_NETWORKS = SETTINGS["WEBHOOK_ALLOWED_NETWORKS"]
    with listening(settings) as address, time_machine.travel(NOW, tick=False):
        there = deepcopy(made)
        yield replace(there, parts={**there.parts, "address": address.url})


def _made(now: datetime) -> World:
    """Make a team of Alice, Bob and Dora. Bob has no access to Dora's meeting with Alice."""
    alice = factories.user("alice", first_name="Alice", timezone=ZONE)
    bob, charlie, dora = (factories.user(name) for name in ("bob", "charlie", "dora"))
    team = factories.team("Founders", alice, bob, dora)
    monday = now.date() + timedelta(days=8 - now.weekday())
    start, free, later = (
        datetime.combine(monday, time(hour), ZoneInfo(ZONE)) for hour in (9, 10, 14)
    )
    event_type = factories.event_type(alice, name="Alice's hour", requires_approval=True)
    event = factories.booking(event_type, start=start, now=now)
    day = monday + timedelta(days=1)
    hosts.set_override(user=alice, day=day, windows=[{"start": "09:00", "end": "12:00"}])
    schedule = hosts.create_schedule(user=alice, name="Evenings of-alice")
    device = people.register_device(user=alice, token="secret-of-alice", platform="web")
    webhook = factories.webhook(alice, url="http://127.0.0.1:9/of-alice")
    delivery = factories.delivery(webhook, now=now)
    outbox.retry_later(delivery, now=now, error="refused", delay=None)
    calendar = factories.calendar(alice, now=now, url="https://cloud.alice.example/")
    feed = feeds.rotate(user=alice, now=now)
    pending, confirmed = (
        _meeting(requester=dora, recipient=alice, team=team, start=at, now=now)
        for at in (free, later)
    )
    meetings.confirm(meeting=confirmed, actor=alice, now=now)
    return World(
        callers={"stranger": charlie, "mate": bob, "owner": alice},
        parts={
            "event_type": event_type.uuid,
            "event_type_id": event_type.pk,
            "event": event.uuid,
            "webhook": webhook.uuid,
            "schedule": schedule.uuid,
            "delivery_key": delivery.uuid,
            "calendar": calendar.uuid,
            "calendar_account": calendar.account.uuid,
            "pending": pending.pk,
            "confirmed": confirmed.pk,
            "device_id": device.pk,
            "team_id": team.pk,
            "date": day.isoformat(),
            "free": free.isoformat(),
            "dora": dora.pk,
        },
        words=(
            alice.email,
            "Alice",
            "secret-o",
            ZONE,
            team.name,
            event_type.uuid,
            event.uuid,
            schedule.uuid,
            "of-alice",
            delivery.uuid,
            calendar.uuid,
            calendar.account.uuid,
            "cloud.alice.example",
            feed.token,
            "John Doe",
            pending.booking_number,
            confirmed.booking_number,
        ),
    )


def _meeting(
    *, requester: User, recipient: User, team: Team, start: datetime, now: datetime
) -> Any:
    return meetings.request_meeting(
        requester=requester,
        recipient_id=recipient.pk,
        team_id=team.pk,
        date=start.isoformat(),
        link="",
        now=now,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.route}")
def test_who_may_do_it(row: Row, world: World) -> None:
    others = [scope for scope in scopes.SCOPES if not scopes.allows([scope], row.scope)]
    scope = row.scope or "users:read"
    clients = {
        "no token": Client(),
        "wrong scope": factories.client(world.callers["owner"], *others),
        **{name: factories.client(user, scope) for name, user in world.callers.items()},
    }
    before = everything()
    answers = {name: answer(client, row, world, before) for name, client in clients.items()}
    owner = answers.pop("owner")
    assert answers == {
        "no token": 401 if row.scope else row.owner,
        "wrong scope": 403 if row.scope else row.owner,
        "stranger": row.stranger,
        "mate": row.mate,
    }
    assert int(str(owner).split()[0]) == row.owner


def answer(client: Client, row: Row, world: World, before: dict[str, Any]) -> int | str:
    """Return the status and what the answer shows of Alice's. Roll back all changes."""
    method = "DELETE" if row.method == "ANY" else row.method
    body_of = BODIES.get((row.method, row.route))
    body = body_of(world.parts) if body_of else {}
    client.handler.enforce_csrf_checks = True  # as outside of tests
    with transaction.atomic():
        response: Any = client.generic(
            method, world.path_of(row), json.dumps(body), "application/json"
        )
        text = response.content.decode()
        touched = {name for name, rows in everything().items() if rows != before[name]}
        transaction.set_rollback(True)
    status: int = response.status_code
    told = any(word in text for word in world.words)
    if status >= 400:
        assert not told, text
        # Its last use, and that this was the first.
        assert touched <= {"accounts.ApiToken", "accounts.AuditEntry"}, touched
        return status
    if told or not row.scope:
        return status
    nothing = status == 200 and not response.json().get("data", text)
    return NONE if nothing else {200: OWN, 201: MADE}.get(status, status)

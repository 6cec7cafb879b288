"""Table of Parley's pages: URL name, method, and answer to each visitor; and a world to ask in."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote, urlencode

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.domain import links as team_links
from accounts.domain import pictures, teams
from accounts.domain import services as people
from accounts.models import User
from calendars.domain import feeds
from core.db import crypto, outbox
from meetings.domain import services as meetings
from meetings.messages import links as meeting_links
from notifications.models import Notification
from scheduling.domain import bookings, holds, outside
from scheduling.domain import services as hosts
from scheduling.messages import links
from scheduling.models import Booking
from tests import factories
from tests.oauth import app_of
from tests.pages import NOW, START

# Excluded pages: the API has a table of its own, and OAuth's endpoints have a journey. The others
# are tested by those who made them.
OTHERS = (
    "api/",
    "admin/",
    "accounts/",
    "accounts/email/",
    "oauth/token",
    "oauth/revoke",
    "oauth/introspect",
    ".well-known/oauth-authorization-server",
    ".well-known/oauth-protected-resource",
)

URLENCODED = "application/x-www-form-urlencoded"
Form = Mapping[str, Sequence[str]]

LOGIN = "to sign in"
OWN = "200 of their own"
DONE = "done"  # rows were written
DONE_OWN = "done to their own"


@dataclass(frozen=True)
class Row:
    """Answers of one page to a visitor without login, a stranger, a team mate and the owner.

    A POST that is not done writes nothing. A page of Alice's shows others none of her words, unless
    it answers them with 200.
    """

    method: str
    name: str
    nobody: int | str
    stranger: int | str
    mate: int | str
    owner: int | str


ROWS = [
    Row(*cells)
    for cells in (
        # method, name, nobody, stranger, team mate, owner
        ("POST", "set_language", 302, 302, 302, 302),
        ("GET", "components", 404, 404, 404, 404),  # for staff
        ("GET", "meetings:home", 200, OWN, OWN, 200),
        ("GET", "meetings:meetings", LOGIN, OWN, OWN, 200),
        ("GET", "meetings:meeting_file", LOGIN, OWN, OWN, 200),
        ("GET", "meetings:ask", LOGIN, OWN, 200, 200),  # mates are listed
        ("POST", "meetings:ask", LOGIN, OWN, DONE_OWN, DONE),
        ("GET", "meetings:meeting", LOGIN, 404, 404, 200),
        ("POST", "meetings:confirm", LOGIN, 404, 404, DONE),
        ("POST", "meetings:reject", LOGIN, 404, 404, DONE),
        ("POST", "meetings:cancel", LOGIN, 404, 404, DONE),
        ("GET", "meetings:answer", 200, 200, 200, 200),  # anybody with the link
        ("POST", "meetings:answer", DONE, DONE, DONE, DONE),
        ("GET", "accounts:settings", LOGIN, OWN, OWN, 200),
        ("GET", "accounts:profile", LOGIN, OWN, OWN, 200),
        ("POST", "accounts:profile", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("POST", "accounts:upload_picture", LOGIN, OWN, OWN, 200),  # the form has no file
        ("POST", "accounts:remove_picture", LOGIN, 302, 302, DONE),  # they have none
        ("GET", "public:picture", 200, OWN, OWN, 200),
        ("GET", "accounts:notifications", LOGIN, OWN, OWN, 200),
        ("POST", "accounts:notifications", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "accounts:tokens", LOGIN, OWN, OWN, 200),
        ("POST", "accounts:tokens", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("POST", "accounts:revoke_token", LOGIN, 404, 404, DONE),
        ("GET", "accounts:security", LOGIN, OWN, OWN, 200),
        ("GET", "accounts:access", LOGIN, OWN, OWN, 200),
        ("POST", "accounts:access", LOGIN, DONE_OWN, 302, DONE),  # the mate has nothing to end
        ("POST", "accounts:end_session", LOGIN, 404, 404, DONE),
        ("POST", "accounts:end_other_sessions", LOGIN, 302, 302, DONE),  # they have no others
        ("GET", "accounts:applications", LOGIN, OWN, OWN, 200),
        ("GET", "accounts:new_application", LOGIN, OWN, OWN, 200),
        ("POST", "accounts:new_application", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "accounts:application", LOGIN, 404, 404, 200),
        ("POST", "accounts:application", LOGIN, 404, 404, DONE),
        ("POST", "accounts:rotate_application", LOGIN, 404, 404, DONE),
        ("POST", "accounts:delete_application", LOGIN, 404, 404, DONE),
        ("GET", "accounts:connections", LOGIN, OWN, OWN, 200),
        ("POST", "accounts:disconnect", LOGIN, 404, 404, DONE),
        ("GET", "oauth2_provider:authorize", LOGIN, OWN, OWN, 200),
        ("POST", "oauth2_provider:authorize", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "accounts:data", LOGIN, OWN, OWN, 200),
        ("POST", "accounts:export", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "accounts:delete_account", LOGIN, OWN, 200, 200),  # the teams that one leaves
        ("POST", "accounts:delete_account", LOGIN, OWN, 200, DONE),  # it takes one's own username
        ("GET", "accounts:devices", LOGIN, OWN, OWN, 200),
        ("POST", "accounts:remove_device", LOGIN, 404, 404, DONE),
        ("GET", "accounts:teams", LOGIN, OWN, 200, 200),
        ("POST", "accounts:teams", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "accounts:team", LOGIN, 404, 200, 200),
        ("POST", "accounts:team", LOGIN, 404, 403, DONE),
        ("POST", "accounts:leave_team", LOGIN, 404, DONE_OWN, DONE),  # there is another owner
        ("POST", "accounts:delete_team", LOGIN, 404, 403, DONE),
        ("POST", "accounts:change_role", LOGIN, 404, 403, DONE),
        ("POST", "accounts:remove_member", LOGIN, 404, 403, DONE),
        ("GET", "accounts:invite", LOGIN, 404, 302, 302),  # to the team
        ("POST", "accounts:invite", LOGIN, 404, 403, DONE),
        ("POST", "accounts:send_invitation", LOGIN, 404, 403, DONE),
        ("POST", "accounts:withdraw_invitation", LOGIN, 404, 403, DONE),
        ("GET", "accounts:join_team", 200, 200, 200, 200),
        ("POST", "accounts:join_team", 200, 302, 302, DONE),
        ("GET", "webhooks:webhooks", LOGIN, OWN, OWN, 200),
        ("GET", "webhooks:new_webhook", LOGIN, OWN, OWN, 200),
        ("POST", "webhooks:new_webhook", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "webhooks:webhook", LOGIN, 404, 404, 200),
        ("GET", "webhooks:edit", LOGIN, 404, 404, 200),
        ("POST", "webhooks:edit", LOGIN, 404, 404, DONE),
        ("GET", "webhooks:secret", LOGIN, 404, 404, 302),  # no longer, to its webhook
        ("POST", "webhooks:rotate", LOGIN, 404, 404, DONE),
        ("POST", "webhooks:delete", LOGIN, 404, 404, DONE),
        ("POST", "webhooks:test", LOGIN, 404, 404, DONE),
        ("POST", "webhooks:recover", LOGIN, 404, 404, DONE),
        ("POST", "webhooks:redeliver", LOGIN, 404, 404, DONE),
        ("GET", "calendars:accounts", LOGIN, OWN, OWN, 200),
        ("GET", "calendars:connect_ics", LOGIN, OWN, OWN, 200),
        ("POST", "calendars:connect_ics", LOGIN, OWN, OWN, 200),  # nobody listens there
        ("GET", "calendars:connect_caldav", LOGIN, OWN, OWN, 200),
        ("POST", "calendars:connect_caldav", LOGIN, OWN, OWN, 200),
        ("GET", "calendars:account", LOGIN, 404, 404, 200),
        ("POST", "calendars:account", LOGIN, 404, 404, DONE),
        ("POST", "calendars:refresh", LOGIN, 404, 404, DONE),
        ("GET", "calendars:disconnect", LOGIN, 404, 404, 200),
        ("POST", "calendars:disconnect", LOGIN, 404, 404, DONE),
        ("POST", "calendars:switch", LOGIN, 404, 404, DONE),
        ("POST", "calendars:write_to", LOGIN, 404, 404, DONE),
        ("POST", "calendars:make_feed", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("POST", "calendars:show_titles", LOGIN, 302, 302, DONE),  # they have no feed
        ("POST", "calendars:end_feed", LOGIN, 302, 302, DONE),
        ("GET", "calendars:feed", 200, 200, 200, 200),  # anybody with the address
        ("GET", "scheduling:booking_file", LOGIN, OWN, OWN, 200),
        ("GET", "scheduling:bookings", LOGIN, OWN, OWN, 200),
        ("GET", "scheduling:booking", LOGIN, 404, 404, 200),
        ("POST", "scheduling:confirm", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:reject", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:cancel", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:move", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:note", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:no_show", LOGIN, 404, 404, DONE),
        ("GET", "scheduling:event_types", LOGIN, OWN, OWN, 200),
        ("GET", "scheduling:new_event_type", LOGIN, OWN, OWN, 200),
        ("POST", "scheduling:new_event_type", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "scheduling:event_type", LOGIN, 404, 404, 200),
        ("POST", "scheduling:event_type", LOGIN, 404, 404, DONE),
        ("GET", "scheduling:book_for", LOGIN, 404, 404, 200),
        ("POST", "scheduling:book_for", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:activate", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:deactivate", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:duplicate", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:move_up", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:move_down", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:delete_event_type", LOGIN, 404, 404, DONE),
        ("GET", "scheduling:start", LOGIN, OWN, OWN, 200),
        ("GET", "scheduling:hours", LOGIN, OWN, OWN, 200),
        ("POST", "scheduling:hours", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "scheduling:schedule", LOGIN, 404, 404, 200),
        ("POST", "scheduling:schedule", LOGIN, 404, 404, DONE),
        ("GET", "scheduling:add_schedule", LOGIN, 302, 302, 302),  # to the hours
        ("POST", "scheduling:add_schedule", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "scheduling:rename_schedule", LOGIN, 404, 404, 302),  # to the schedule
        ("POST", "scheduling:rename_schedule", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:make_default", LOGIN, 404, 404, DONE),
        ("POST", "scheduling:delete_schedule", LOGIN, 404, 404, DONE),
        ("GET", "scheduling:dates", LOGIN, OWN, OWN, 200),
        ("POST", "scheduling:dates", LOGIN, DONE_OWN, DONE_OWN, DONE),
        ("GET", "scheduling:held", 200, OWN, OWN, 200),
        ("GET", "scheduling:confirm_hold", 200, 200, 200, 200),  # anybody with the link
        ("POST", "scheduling:confirm_hold", DONE, DONE, DONE, DONE),
        ("GET", "scheduling:booked", 200, 200, 200, 200),  # anybody with the link
        ("GET", "scheduling:calendar", 200, 200, 200, 200),
        ("GET", "scheduling:manage", 200, 200, 200, 200),
        ("POST", "scheduling:manage", DONE, DONE, DONE, DONE),
        ("POST", "scheduling:erase", DONE, DONE, DONE, DONE),
        ("GET", "scheduling:erased", 200, OWN, OWN, 200),
        ("GET", "scheduling:answer", 200, 200, 200, 200),
        ("POST", "scheduling:answer", DONE, DONE, DONE, DONE),
        ("GET", "public:host", 200, 200, 200, 200),
        ("GET", "public:event_type", 200, 200, 200, 200),
        ("GET", "public:qr_of_host", 200, OWN, OWN, 200),  # in a drawing are no words
        ("GET", "public:qr_of_event_type", 200, OWN, OWN, 200),
        ("POST", "public:event_type", DONE, DONE, DONE, DONE),
        ("GET", "public:unslashed", 301, 301, 301, 301),
    )
]
BEHIND_LINKS = {
    "accounts:join_team",
    "calendars:feed",
    "meetings:answer",
    "scheduling:answer",
    "scheduling:booked",
    "scheduling:calendar",
    "scheduling:confirm_hold",
    "scheduling:erase",
    "scheduling:manage",
}

# Of a test that asks in the world.
_NETWORKS = [ip_network("127.0.0.0/8")]  # where nobody listens
SETTINGS = {"WEBHOOK_ALLOWED_NETWORKS": _NETWORKS, "CALENDAR_ALLOWED_NETWORKS": _NETWORKS}


def patterns(resolver: URLResolver, space: str = "", route: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and route of each of Parley's own URL patterns."""
    for each in resolver.url_patterns:
        whole = route + str(each.pattern)
        if not route and whole in OTHERS:
            continue
        if isinstance(each, URLPattern):
            yield f"{space}{each.name}", "/" + whole
        else:
            yield from patterns(each, f"{each.namespace}:" if each.namespace else space, whole)


ROUTES = dict(patterns(get_resolver()))


@dataclass(frozen=True)
class World:
    """Alice's objects, and the people who visit them."""

    people: dict[str, User]
    parts: dict[str, Any]  # of paths and bodies
    words: tuple[str, ...]  # that only Alice, and whom she deals with, may read
    secrets: tuple[str, ...]  # that no page shows, not even to her

    def path_of(self, name: str, **others: object) -> str:
        """Return the page's path for Alice's objects. `others` replaces any of its parts."""

        def part(found: re.Match[str]) -> str:
            known = self.parts.get(f"{name} {found[1]}", self.parts[found[1]])
            return quote(str(others.get(found[1], known)), safe="")

        path = re.sub(r"<\w+:(\w+)>", part, ROUTES[name])
        query = self.parts.get(f"{name} query")
        return f"{path}?{query}" if query else path

    def has_any_of(self, touched: dict[str, list[dict[str, Any]]]) -> bool:
        """Tell whether one of these rows, grouped by table, is Alice's."""
        alice = self.people["owner"].pk
        keys = ("user_id", "owner_id", "host_id", "recipient_id", "requester_id", "invited_by_id")
        return any(
            alice in ([row["id"]] if label == "accounts.User" else [row.get(key) for key in keys])
            for label, rows in touched.items()
            for row in rows
        )

    def client(self, who: str, name: str, **options: Any) -> Client:
        client = Client(**options)
        # The owner of an invitation is the invited person.
        person = "dora" if (who, name) == ("owner", "accounts:join_team") else who
        if person != "nobody":
            client.force_login(self.people[person])
        return client

    def body_of(self, name: str) -> Form:
        """Return the fields that the page's form sends."""
        free = int(self.parts["free"])
        question = {
            "question": "0",
            "question-0-label": "Which one?",
            "question-0-type": "select",
            "question-0-options": "this\r\nthat",
            "question-0-name": "which",
        }
        webhook = {
            "name": "Another",
            "url": "http://127.0.0.1:9/another",
            "events": ["booking.created"],
            "everything": ["meeting"],
            "timeout_seconds": "5",
            "max_retries": "2",
            "headers-TOTAL_FORMS": "1",
            "headers-INITIAL_FORMS": "0",
            "headers-0-name": "X-New",
            "headers-0-value": "new",
            "headers-0-DELETE": "",
        }
        event_type = {
            "name": "Another",
            "slug": "another",
            "description": "New",
            "color": "#123456",
            "duration": "45",
            "location": "custom",
            "location_custom": "Here",
            "location_link": "https://example.com/new",
            "buffer_time_before": "0",
            "buffer_time_after": "0",
            "min_advance_booking": "1",
            "max_advance_booking": "30",
            "available_days": ["1", "2"],
            "slot_interval": "15",
            "daily_limit": "3",
            "price": "9.50",
            "currency": "EUR",
            "payment_method": "",
            "weekly_limit": "9",
            "cancellation_notice": "1440",
            "redirect_url": "https://example.com/thanks",
            "act": "save",
            **question,
        }
        week = {
            "timezone": "Asia/Tokyo",
            "on-1": "on",
            "start-1": "10:00",
            "end-1": "11:00",
            "copy-1": ["2"],
            "agreed": self.parts["marks"],
            "act": "save",
        }
        bodies: dict[str, Form] = {
            "set_language": {"language": "de", "next": "/meetings?tab=sent"},
            "meetings:ask": {
                "mate": f"{self.parts['team_id']}:{self.people['erin'].pk}",
                "date": "2026-03-11",
                "time": "10:00",
                "link": "https://example.com/new",
            },
            "meetings:confirm": {"next": "/meetings"},
            "meetings:reject": {"reason": "No.", "next": "/meetings"},
            "meetings:cancel": {"reason": "No.", "next": "/meetings"},
            "meetings:answer": {"answer": "reject", "reason": "No."},
            "accounts:profile": {
                "first_name": "New",
                "last_name": "Name",
                "position": "P",
                "company": "C",
                "username": "new-name",
                "timezone": "Asia/Tokyo",
                "date_format": "yyyy-MM-dd",
                "time_format": "HH:mm",
                "week_start": "7",
                "language": "de",
            },
            "accounts:tokens": {
                "name": "New",
                "scopes": ["users:read"],
                "expires": "date",
                "until": "2026-04-01",
            },
            "accounts:new_application": {
                "name": "New",
                "kind": "confidential",
                "redirect_uris": "https://new.example/",
            },
            "accounts:application": {"name": "New", "redirect_uris": "https://new.example/"},
            "oauth2_provider:authorize": {"answer": "allow"},
            "accounts:delete_account": {"username": "alice", "password": factories.PASSWORD},
            "accounts:teams": {"name": "New"},
            "accounts:team": {"name": "New"},
            "accounts:change_role": {"role": "manager"},
            "accounts:invite": {"email": "new@example.com"},
            "calendars:connect_ics": {"url": "http://127.0.0.1:9/another", "name": "Another"},
            "calendars:connect_caldav": {
                "url": "http://127.0.0.1:9/another",
                "username": "another",
                "password": "another",
                "name": "Another",
            },
            "calendars:account": {
                "url": "https://dav.example.com/",
                "username": "of-alice",
                "password": "",
                "name": "Another",
            },
            "calendars:disconnect": {"takes_back": "yes"},
            "calendars:switch": {"switch": "blocks", "on": "no", "next": "/settings/calendars"},
            "calendars:write_to": {"calendar": str(self.parts["calendar_id"])},
            "calendars:show_titles": {"on": "no"},
            "webhooks:new_webhook": webhook,
            "webhooks:edit": webhook,
            "webhooks:recover": {"since": "2026-01-01"},
            "webhooks:redeliver": {"next": "/settings/webhooks"},
            "scheduling:confirm": {"sequence": "0", "next": "/bookings"},
            "scheduling:reject": {"sequence": "0", "reason": "No.", "next": "/bookings"},
            "scheduling:cancel": {"sequence": "0", "reason": "No.", "next": "/bookings"},
            "scheduling:move": {
                "sequence": "0",
                "reason": "No.",
                "start": str(free),
                "next": "/bookings",
            },
            "scheduling:note": {"notes": "New"},
            "scheduling:no_show": {"no_show": "1"},
            "scheduling:new_event_type": event_type,
            "scheduling:event_type": event_type,
            "scheduling:book_for": {
                "start": str(free),
                "name": "New",
                "email": "new@example.com",
                "zone_of_invitee": "Europe/Berlin",
                "phone": "+49 30 1234",
                "trap": "",
            },
            "scheduling:hours": week,
            "scheduling:schedule": week,
            "scheduling:add_schedule": {"name": "New"},
            "scheduling:rename_schedule": {"name": "New"},
            "scheduling:make_default": {"agreed": self.parts["marks"]},
            "scheduling:dates": {
                "kind": "other",
                "start-date": "10:00",
                "end-date": "11:00",
                "agreed": "",
                "act": "save",
            },
            "scheduling:manage": {
                "act": "move",
                "sequence": "0",
                "reason": "No.",
                "start": str(free),
            },
            "scheduling:answer": {"answer": "reject", "reason": "No."},
            "public:event_type": {
                "start": str(free),
                "name": "New",
                "email": "new@example.com",
                "phone": "+49 30 1234",
                "notes": "New",
                "trap": "",
                "answer-0": "this",
                "zone": "Asia/Tokyo",
                "hours": "24",
            },
        }
        return bodies.get(name, {})

    def form_of(self, name: str) -> tuple[str, str]:
        """Return the same form as a URL-encoded body, and its content type."""
        return urlencode(self.body_of(name), doseq=True), URLENCODED


def build() -> World:
    """Make the world at NOW.

    Alice and Bob are in a team with Erin. Bob has no access to Erin's meetings with Alice. Dora is
    invited to the team. Charlie has nothing to do with any of them.
    """
    alice = factories.user(
        "alice", first_name="Alice", last_name="Ames", timezone="Pacific/Chatham"
    )
    bob, charlie, dora, erin = (factories.user(name) for name in ("bob", "charlie", "dora", "erin"))
    team = factories.team("Founders of Alice", alice, bob, erin)
    team.memberships.filter(user=erin).update(role="owner")
    other_team = factories.team("Others", charlie, erin)
    unused = factories.team("Alice’s other", alice, bob)
    invitation = teams.invite(team=team, actor=alice, email=dora.email, now=NOW)
    foreign = teams.invite(team=other_team, actor=charlie, email="x@example.com", now=NOW)
    # --- what can be booked of her, and is
    hosts.set_hours(user=alice, days={}, timezone="UTC")
    evenings = hosts.create_schedule(user=alice, name="Evenings of-alice")
    which = {
        "name": "which",
        "label": "Which one?",
        "type": "select",
        "required": False,
        "options": ["this", "that"],
    }
    asked = factories.event_type(
        alice,
        name="Alice’s hour",
        duration=60,
        requires_approval=True,
        custom_fields=[which],
        location="phone_call",
    )
    plain = factories.event_type(
        alice, name="Alice’s call", slug="call", location_link="https://example.com/of-alice"
    )
    off = factories.event_type(alice, name="Alice’s pause", slug="pause", is_active=False)
    pending = factories.booking(asked, start=START, now=NOW, phone="+49 30 12345", notes="of-alice")
    booked = factories.booking(plain, start=START + timedelta(hours=2), now=NOW)
    begun = factories.booking(plain, start=START + timedelta(hours=4), now=NOW)
    holds.place(
        event_type=factories.event_type(alice, name="Held", confirm_email=True),
        start=START + timedelta(days=2, hours=3),
        invitee=bookings.Invitee("John Doe", "john@example.com", "Europe/Berlin"),
        now=NOW,
    )
    hold_token = json.loads(Notification.objects.get(kind="hold_confirm").content)["token"]
    Booking.objects.filter(pk=begun.pk).update(start=NOW, end=NOW + timedelta(minutes=30))
    hosts.set_override(user=alice, day=START.date() + timedelta(days=15), windows=[])
    # webhooks and notifications
    webhook = factories.webhook(
        alice, url="http://127.0.0.1:9/of-alice", headers={"X-Key": "header-of-alice"}
    )
    delivery = factories.delivery(webhook, now=NOW)
    outbox.retry_later(delivery, now=NOW, error="refused", delay=None)
    # outside calendars
    calendar = factories.read_calendar(alice, name="of-alice")
    factories.entry(
        calendar,
        start=START + timedelta(days=3),
        end=START + timedelta(days=3, minutes=30),
        title="Dentist of-alice",
    )
    feed = feeds.rotate(user=alice, now=NOW)
    foreign_delivery = factories.delivery(factories.webhook(charlie), now=NOW)
    # --- her other things
    token_row, token = people.create_token(user=alice, name="of-alice", scopes=["users:read"])
    own_app = app_of(alice, now=NOW, name="App of-alice")
    others_app = app_of(factories.user("fay"), now=NOW)
    connected = others_app.tokens(alice)
    pictures.keep(user=alice, data=factories.picture(), now=NOW)
    device = people.register_device(user=alice, token="device-of-alice", platform="web")
    elsewhere = Client()
    elsewhere.force_login(alice)
    session_key = str(elsewhere.session.session_key)
    waits, stands = (
        meetings.request_meeting(
            requester=erin,
            recipient_id=alice.pk,
            team_id=team.pk,
            date=at.isoformat(),
            link="https://example.com/of-alice",
            now=NOW,
        )
        for at in (START + timedelta(days=1), START + timedelta(days=2))
    )
    meetings.confirm(meeting=stands, actor=alice, now=NOW)

    def last(url: str) -> str:
        return url.rpartition("/")[2]

    answer, manage = last(links.answer_url(pending)), links.manage_token(booked)
    meeting_answer, join = (
        last(meeting_links.answer_url(waits)),
        last(team_links.invitation_url(invitation)),
    )
    member = team.memberships.get(user=bob)
    return World(
        people={"owner": alice, "mate": bob, "stranger": charlie, "dora": dora, "erin": erin},
        parts={
            "team_id": team.pk,
            "accounts:delete_team team_id": unused.pk,
            "member_id": member.pk,
            "foreign member_id": other_team.memberships.get(user=charlie).pk,
            "invitation_id": invitation.pk,
            "foreign invitation_id": foreign.pk,
            "token_id": token_row.pk,
            "application_id": own_app.row.pk,
            "accounts:disconnect application_id": others_app.row.pk,
            "oauth2_provider:authorize query": urlencode(others_app.request()),
            "scheduling:dates query": "date=2026-03-19",
            "device_id": device.pk,
            "digest": alice.picture_digest,
            "session_id": crypto.digest(session_key),
            "account_id": calendar.account_id,
            "calendar_id": calendar.pk,
            "calendars:feed token": feed.token,
            "webhook_id": webhook.pk,
            "delivery_id": delivery.pk,
            "foreign delivery_id": foreign_delivery.pk,
            "booking_id": booked.pk,
            "scheduling:confirm booking_id": pending.pk,
            "scheduling:reject booking_id": pending.pk,
            "scheduling:no_show booking_id": begun.pk,
            "schedule_id": evenings.pk,
            "event_type_id": plain.pk,
            "scheduling:activate event_type_id": off.pk,
            "meeting_id": waits.pk,
            "meetings:cancel meeting_id": stands.pk,
            "token": manage,
            "scheduling:answer token": answer,
            "scheduling:confirm_hold token": hold_token,
            "meetings:answer token": meeting_answer,
            "accounts:join_team token": join,
            "username": "alice",
            "path": "alice",
            "slug": asked.slug,
            "kind": "svg",
            "free": int((START + timedelta(days=6)).timestamp()),
            "marks": " ".join(outside.mark(booking) for booking in (pending, booked)),
        },
        words=(
            alice.email,
            "Alice",
            "of-alice",
            feed.token,
            "Founders",
            "John Doe",
            webhook.uuid,
            delivery.uuid,
            asked.uuid,
            pending.uuid,
            waits.booking_number,
            stands.booking_number,
            dora.email,
            "erin@example.com",
        ),
        secrets=(
            token,
            own_app.secret,
            connected["access_token"],
            connected["refresh_token"],
            webhook.secret,
            "header-of-alice",
            "sesame-of-calendar",
            "device-of-alice",
            answer,
            manage,
            meeting_answer,
            join,
            session_key,
        ),
    )

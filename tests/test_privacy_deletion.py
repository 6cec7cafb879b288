"""Account deletion: the remaining data of a person, and what others still see."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import models
from django.test import Client
from django.utils import timezone
from icalendar import Calendar
from oauth2_provider.models import get_access_token_model, get_application_model
from pytest_django import Settings

from accounts.domain import audit, pictures, services, teams
from accounts.domain.audit import Action
from accounts.models import AuditEntry, Membership, Team, User
from calendars.models import BusyTime
from core.errors import Conflict
from core.models import IdempotencyRecord
from core.people import privacy
from meetings.domain import services as meetings
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.domain import bookings
from scheduling.domain import services as hosts
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.factories import PASSWORD
from tests.pages import NOW, START, Making, stand_alone, words
from tests.traces import drain, traces
from webhooks.models import OwnerCounter

pytestmark = pytest.mark.django_db

Role = Membership.Role
LATER = NOW + timedelta(minutes=10)
KEPT = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(autouse=True)
def at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    settings.EMAIL_BACKEND = KEPT
    with time_machine.travel(NOW, tick=False):
        yield


@dataclass(frozen=True)
class World:
    """Zephyrine, who has one of everything, and the people that she deals with."""

    zephyrine: User
    bob: User
    charlie: User
    team: Team
    asked: MeetingRequest
    answered: MeetingRequest
    met: MeetingRequest
    booked: Booking
    pending: Booking
    past: Booking

    @property
    def marks(self) -> tuple[str, ...]:
        """Return all texts that identify her."""
        return (
            "zephyrine",
            "quill",
            "of-zeph",
            "10.9.8.7",
            self.zephyrine.uuid,
            "nebelhorn",
        )


@pytest.fixture(scope="module")
def made(making: Making) -> World:
    with making(EMAIL_BACKEND=KEPT):
        return _made()


@pytest.fixture
def world(made: World, db: None) -> World:
    return deepcopy(made)


@pytest.fixture
def charlie(world: World) -> User:
    return world.charlie


def _made() -> World:
    bob = factories.user("bob", first_name="Bob", last_name="Byrd")
    charlie = factories.user("charlie", first_name="Charlie", last_name="Cole")
    zephyrine = factories.user(
        "zephyrine",
        first_name="Zephyrine",
        last_name="Quill",
        company="Quillco",
        position="Quillwright",
        avatar_url="https://example.com/of-zeph.png",
        language="en",
    )
    team = factories.team("Writers", zephyrine, bob)
    other = factories.team("Others", charlie)
    _invitations(zephyrine, team, charlie, other)
    with time_machine.travel(NOW - timedelta(days=14)):
        then, start = timezone.now(), START - timedelta(days=14)
        plain = factories.event_type(
            zephyrine,
            name="Tea with Zephyrine",
            description="Quill",
            location_link="https://example.com/of-zeph",
        )
        past = factories.booking(
            plain,
            start=start,
            now=then,
            notes="Nebelhorn",
            phone="+49 30 99",
            answers={"x": "Nebelhorn"},
            join_url="https://example.com/of-zeph",
            metadata={"x": "Nebelhorn"},
        )
        met = _asks(zephyrine, bob, team, start + timedelta(hours=2))
        meetings.confirm(meeting=met, actor=bob, now=then)
        drain()
    bookings.record_overdue(booking=past, now=NOW)
    _things_of(zephyrine)
    factories.webhook(bob)
    evenings = hosts.create_schedule(user=zephyrine, name="Evenings of Zephyrine")
    asking = factories.event_type(
        zephyrine, name="Of Zephyrine", requires_approval=True, schedule=evenings
    )
    factories.event_type(zephyrine, name="Unused of Zephyrine")
    booked = factories.booking(plain, start=START, now=NOW, name="Ina")
    pending = factories.booking(asking, start=START + timedelta(hours=3), now=NOW)
    asked = _asks(zephyrine, bob, team, START + timedelta(days=1))
    answered = _asks(bob, zephyrine, team, START + timedelta(days=2))
    drain()
    return World(zephyrine, bob, charlie, team, asked, answered, met, booked, pending, past)


def _invitations(zephyrine: User, hers: Team, charlie: User, his: Team) -> None:
    """Make invitations by her and to her: a pending, an accepted, a withdrawn and a renewed one."""
    eve = factories.user("eve")
    for actor, team, joins, email in (
        (zephyrine, hers, eve, "eve@example.com"),
        (charlie, his, zephyrine, zephyrine.email),
    ):
        long_ago = NOW - teams.INVITATION_STANDS
        teams.invite(team=team, actor=actor, email=email, now=long_ago)
        drain()
        again = teams.invite(team=team, actor=actor, email=email, now=NOW)
        drain()
        teams.join(invitation=again, user=joins, now=NOW)
        teams.remove(team=team, actor=actor, member_id=team.memberships.get(user=joins).pk, now=NOW)
        withdrawn = teams.invite(team=team, actor=actor, email=email, now=NOW)
        teams.send_again(team=team, actor=actor, invitation_id=withdrawn.pk, now=NOW)
        drain()
        teams.withdraw(team=team, actor=actor, invitation_id=withdrawn.pk, now=NOW)
    teams.invite(team=hers, actor=zephyrine, email="dora@example.com", now=NOW)
    teams.invite(team=his, actor=charlie, email=zephyrine.email, now=NOW)


def _asks(requester: User, recipient: User, team: Team, start: Any) -> MeetingRequest:
    link = "https://example.com/of-zeph" if requester.username == "zephyrine" else ""
    return meetings.request_meeting(
        requester=requester,
        recipient_id=recipient.pk,
        team_id=team.pk,
        date=start.isoformat(),
        link=link,
        now=timezone.now(),
    )


def _things_of(person: User) -> None:
    services.create_token(user=person, name="of-zeph", scopes=["users:read"])
    services.register_device(user=person, token="device-of-zeph", platform="web", name="of-zeph")
    pictures.keep(user=person, data=factories.picture(), now=NOW)
    services.choose_messages(user=person, off=[("booking_reminder", "push")])
    hosts.set_override(user=person, day=START.date() + timedelta(days=9), windows=[])
    webhook = factories.webhook(person, name="of-zeph", url="https://example.com/of-zeph")
    factories.attempt(factories.delivery(webhook, now=NOW), at=NOW)
    EmailAddress.objects.create(user=person, email="quill@example.net", verified=True)
    application = get_application_model().objects.create(
        user=person,
        name="of-zeph",
        redirect_uris="https://example.com/of-zeph",
        client_type="confidential",
        authorization_grant_type="authorization-code",
    )
    get_access_token_model().objects.create(
        user=person, token="of-zeph", application=application, expires=LATER, scope="users:read"
    )
    IdempotencyRecord.objects.create(
        user=person, method="POST", path="/", key="of-zeph", answer="Zephyrine", created_at=NOW
    )
    client = Client(REMOTE_ADDR="10.9.8.7", headers={"User-Agent": "of-zeph"})
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    AuditEntry.objects.create(person=person, action=Action.LOGIN, address="10.9.8.7", at=NOW)
    Authenticator.objects.create(user=person, type="totp", data={"secret": "of-zeph"})
    audit.record(Action.STAFF_CHANGED, person=person, subject="name: Zephyrine", now=NOW)


def delete(world: World) -> None:
    privacy.erase(person_id=world.zephyrine.pk, now=NOW)


# --- nothing is left ----------------------------------------------------------------------------


def test_nothing_of_them_is_left_when_the_last_emails_are_sent(world: World) -> None:
    assert {word for _table, word in traces(*world.marks)} == set(world.marks)
    delete(world)
    waiting = {("notifications.Notification", word) for word in ("zephyrine", "quill")}
    assert set(traces(*world.marks)) <= waiting | {("notifications.Notification", "of-zeph")}
    assert set(Notification.objects.values_list("topic", "state")) == {("once", "waiting")}
    drain()
    privacy.retain(now=LATER)
    assert traces(*world.marks) == []


def test_reasons_go_with_the_host(world: World) -> None:
    host = bookings.host(world.zephyrine)
    bookings.cancel(booking=world.booked, actor=host, now=NOW, reason="Nebelhorn")
    delete(world)
    drain()
    privacy.retain(now=LATER)
    assert traces(*world.marks) == []


def test_nothing_points_at_them_but_what_others_still_see(world: World) -> None:
    """The person's row stays. Rows that would be deleted with it are deleted all the same."""
    delete(world)
    left = {
        relation.related_model._meta.label
        for relation in User._meta.related_objects
        if getattr(relation, "on_delete", None) is models.CASCADE
        and relation.related_model._base_manager.filter(
            **{relation.field.name: world.zephyrine.pk}
        ).exists()
    }
    # Bookings were made of the one, and the other keeps the name from other people.
    assert left == {"scheduling.EventType", "accounts.FormerUsername"}
    assert set(OwnerCounter.objects.values_list("owner", flat=True)) == {world.bob.pk}
    for name in ("groups", "user_permissions", "teams"):
        assert not getattr(world.zephyrine, name).exists()


def test_a_row_stays_that_nobody_can_reach_or_be(world: World, client: Client) -> None:
    delete(world)
    nobody = User.objects.get(pk=world.zephyrine.pk)
    assert (nobody.name, nobody.get_short_name(), nobody.timezone) == (
        "Deleted person",
        "Deleted person",
        "UTC",
    )
    assert (nobody.is_active, nobody.has_usable_password(), nobody.deleted_at) == (
        False,
        False,
        NOW,
    )
    assert nobody.email == f"{nobody.uuid}@deleted.invalid"
    for path in ("/zephyrine", f"/{nobody.username}", "/zephyrine/tea-with-zephyrine"):
        assert client.get(path).status_code == 404
    client.post("/accounts/login/", {"login": "zephyrine@example.com", "password": PASSWORD})
    assert client.get("/settings/profile").status_code == 302


def test_the_same_address_can_sign_up_anew(world: World) -> None:
    delete(world)
    anew = factories.user("zephyrine")
    assert anew.pk != world.zephyrine.pk
    assert not anew.memberships.exists()
    assert not MeetingRequest.objects.visible_to(anew).exists()


def test_the_audit_log_keeps_when_it_was_and_what_staff_did(world: World) -> None:
    delete(world)
    kept = AuditEntry.objects.filter(person=world.zephyrine)
    assert set(kept.values_list("action", "subject", "address")) == {
        ("staff_changed", "", None),
        ("account_deleted", "", None),
    }


def test_being_forgotten_again_changes_nothing(world: World) -> None:
    delete(world)
    before = User.objects.get(pk=world.zephyrine.pk)
    delete(world)
    after = User.objects.get(pk=world.zephyrine.pk)
    assert (before.uuid, before.email) == (after.uuid, after.email)
    assert AuditEntry.objects.filter(action="account_deleted").count() == 1


# --- the other side -----------------------------------------------------------------------------


def written_to(address: str) -> list[Any]:
    return [message for message in mail.outbox if message.to == [address]]


def test_whoever_booked_is_told_by_name_and_their_calendar_too(world: World) -> None:
    mail.outbox.clear()
    delete(world)
    drain()
    told = written_to("john@example.com")
    assert sorted(message.subject for message in told) == [
        "Cancelled: Of Zephyrine with Zephyrine Quill, Wed 4 Mar, 14:00",
        "Cancelled: Tea with Zephyrine with Zephyrine Quill, Wed 4 Mar, 11:00",
    ]
    [confirmed] = [message for message in told if "Tea" in message.subject]
    calendar = Calendar.from_ical(confirmed.attachments[0].get_payload(decode=True))
    [event] = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert event["UID"] == f"{world.booked.uuid}@localhost"


def test_team_mates_are_told(world: World) -> None:
    mail.outbox.clear()
    delete(world)
    drain()
    assert sorted(message.subject for message in written_to(world.bob.email)) == [
        "Cancelled: your meeting with Zephyrine Quill, Thu 5 Mar, 10:00 AM",
        "Declined: your meeting with Zephyrine Quill, Fri 6 Mar, 10:00 AM",
    ]


def test_the_last_email_goes_to_them(world: World) -> None:
    mail.outbox.clear()
    delete(world)
    drain()
    [last] = written_to("zephyrine@example.com")
    assert last.subject == "Your account is deleted"
    assert "Hello Zephyrine," in last.body


def test_what_was_to_come_is_cancelled_and_what_was_keeps_its_time(world: World) -> None:
    delete(world)
    status = dict(Booking.objects.values_list("pk", "status"))
    assert status == {
        world.booked.pk: "cancelled",
        world.pending.pk: "cancelled",
        world.past.pk: "completed",
    }
    kept = Booking.objects.get(pk=world.past.pk)
    assert (kept.start, kept.end) == (world.past.start, world.past.end)
    assert (kept.invitee_name, kept.invitee_email) == ("John Doe", "john@example.com")
    assert dict(MeetingRequest.objects.values_list("pk", "status")) == {
        world.asked.pk: "cancelled",
        world.answered.pk: "rejected",
        world.met.pk: "completed",
    }
    assert not BusyTime.objects.filter(user=world.zephyrine).exists()
    assert BusyTime.objects.filter(user=world.bob).count() == 1


def test_what_was_booked_says_deleted_person_to_whoever_booked(
    world: World, client: Client
) -> None:
    delete(world)
    for booking, said in ((world.past, "Completed"), (world.booked, "Cancelled")):
        page: Any = client.get(links.manage_url(booking).removeprefix("http://localhost:8000"))
        assert page.status_code == 200
        assert f"Meeting with Deleted person {said}" in words(page)
        assert "Choose another time" not in words(page)


def test_meetings_say_it_too(world: World, client: Client) -> None:
    delete(world)
    client.force_login(world.bob)
    page: Any = client.get(f"/meetings/{world.met.pk}")
    assert "Meeting with Deleted person" in words(page)
    assert "Deleted person requested this meeting." in words(page)
    cancelled: Any = client.get(f"/meetings/{world.asked.pk}")
    assert "Deleted person cancelled it." in words(cancelled)
    assert "Request another time" not in words(cancelled)
    for path in ("/", "/meetings?tab=cancelled", "/meetings?tab=rejected", "/settings/teams"):
        assert client.get(path).status_code == 200
    answered: Any = factories.client(world.bob).get(f"/api/v3/meeting/{world.met.pk}")
    assert answered.status_code in (200, 404)


def test_event_types_go_unless_they_were_booked(world: World) -> None:
    delete(world)
    left = EventType.objects.filter(host=world.zephyrine)
    assert set(left.values_list("name", "description", "is_active")) == {("Meeting", "", False)}
    assert left.count() == 2


# --- teams --------------------------------------------------------------------------------------


def roles(team: Team) -> list[tuple[str, str]]:
    return sorted(team.memberships.values_list("user__username", "role"))


def test_the_longest_standing_manager_becomes_the_owner(
    world: World, alice: User, charlie: User
) -> None:
    for who in (alice, charlie):
        Membership.objects.create(team=world.team, user=who, role=Role.MANAGER)
    delete(world)
    assert roles(world.team) == [("alice", "owner"), ("bob", "member"), ("charlie", "manager")]


def test_else_the_longest_standing_member_who_can_sign_in(
    world: World, alice: User, charlie: User
) -> None:
    User.objects.filter(pk=world.bob.pk).update(is_active=False)
    for who in (alice, charlie):
        factories.join(world.team, who)
    delete(world)
    assert roles(world.team) == [("alice", "owner"), ("bob", "member"), ("charlie", "member")]


def test_a_team_with_another_owner_is_simply_left(world: World, alice: User) -> None:
    Membership.objects.create(team=world.team, user=alice, role=Role.OWNER)
    delete(world)
    assert roles(world.team) == [("alice", "owner"), ("bob", "member")]


def test_a_team_of_nobody_else_goes_unless_meetings_are_on_record(world: World) -> None:
    alone = factories.team("Alone", world.zephyrine)
    world.team.memberships.filter(user=world.bob).delete()
    delete(world)
    assert not Team.objects.filter(pk=alone.pk).exists()
    assert roles(world.team) == []


# --- who may ------------------------------------------------------------------------------------


def test_the_last_superuser_stays(world: World, alice: User) -> None:
    User.objects.filter(pk=world.zephyrine.pk).update(is_staff=True, is_superuser=True)
    with pytest.raises(Conflict, match="Nobody else has all rights here"):
        delete(world)
    assert Booking.objects.get(pk=world.booked.pk).status == "confirmed"
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    delete(world)
    nobody = User.objects.get(pk=world.zephyrine.pk)
    assert (nobody.is_staff, nobody.is_superuser) == (False, False)


def send(client: Client, username: str = "zephyrine", password: str = PASSWORD) -> Any:
    form = {"username": username, "password": password}
    return client.post("/settings/data/delete", form, follow=True)


def test_the_page_says_what_will_happen_in_numbers(world: World, client: Client) -> None:
    client.force_login(world.zephyrine)
    said = words(client.get("/settings/data/delete"))
    for sentence in (
        "2 upcoming meetings are cancelled, and the other people get an email.",
        "2 upcoming bookings are cancelled, and the invitees get an email.",
        "3 event types can no longer be booked.",
        "1 webhook is deleted with its log, and receives nothing more.",
        "You leave Writers, and Bob Byrd becomes its owner.",
        "1 API token stops working.",
        "1 application of yours stops working, for everybody who has connected it.",
        "those that are over lose your name, address, phone, notes and answers.",
        "Upcoming ones stay with their hosts, who must know who comes. The link in each",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("username", "password", "said"),
    [
        ("zephyrine", "wrong", "This is not your password."),
        ("bob", PASSWORD, "This is not your username."),
        ("", "", "This field is required."),
    ],
)
def test_it_takes_the_password_and_the_username(
    username: str, password: str, said: str, world: World, client: Client
) -> None:
    client.force_login(world.zephyrine)
    assert said in words(send(client, username, password))
    assert User.objects.get(pk=world.zephyrine.pk).is_active


def test_then_they_are_signed_out_and_read_that_it_is_done(world: World, client: Client) -> None:
    client.force_login(world.zephyrine)
    page = send(client)
    assert page.redirect_chain == [("/", 302)]
    assert "Your account is deleted. An email confirms it." in words(page)
    assert client.get("/settings/profile").status_code == 302
    drain()
    privacy.retain(now=LATER)
    assert traces(*world.marks) == []


def test_the_last_superuser_reads_why_not(world: World, client: Client) -> None:
    User.objects.filter(pk=world.zephyrine.pk).update(is_superuser=True)
    client.force_login(world.zephyrine)
    page = client.get("/settings/data/delete")
    assert "Nobody else has all rights here." in words(page)
    assert "Delete my account" not in words(page)
    assert "Nobody else has all rights here." in words(send(client))

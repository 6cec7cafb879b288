"""Account deletion and other people: rows that stay are theirs and hold nothing of the person."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.domain import audit, teams
from accounts.domain.audit import Action
from accounts.models import AuditEntry, User
from core.people import privacy
from meetings.domain import services as meetings
from meetings.models import MeetingRequest
from scheduling.domain import bookings
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, stand_alone
from tests.traces import drain, traces

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def at_now(settings: Settings) -> Iterator[None]:
    stand_alone(settings)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with time_machine.travel(NOW, tick=False):
        yield


def test_an_invitation_from_before_they_had_an_account_is_forgotten(alice: User) -> None:
    invitation = teams.invite(
        team=factories.team("Two", alice), actor=alice, email="quincey@example.com", now=NOW
    )
    drain()
    quincey = factories.user("quincey")
    teams.join(invitation=invitation, user=quincey, now=NOW)
    privacy.erase(person_id=quincey.pk, now=NOW)
    drain()
    privacy.retain(now=LATER)
    assert traces("quincey") == []


def test_whoever_goes_takes_nothing_out_of_the_log_of_others(alice: User, bob: User) -> None:
    """A deleted person's name, even a common word, removes no entry from the log of others."""
    subjects = [
        "Firefox on Linux",
        "Remove the second step of signing in: authenticator app",
        "old@x.example",
    ]
    for subject in subjects:
        audit.record(Action.STAFF_ACTED, person=bob, subject=subject, now=NOW)
    for first, last in (("on", "Linux"), ("second", "step")):
        person = factories.user("mallory", first_name=first, last_name=last)
        EmailAddress.objects.create(user=person, email="d@x.example", verified=True)
        privacy.erase(person_id=person.pk, now=NOW)
    kept = AuditEntry.objects.filter(person=bob).order_by("id").values_list("subject", flat=True)
    assert list(kept) == subjects


def test_webhooks_of_a_deactivated_account_are_told_nothing(alice: User, bob: User) -> None:
    """Others can still meet the person, but the person's webhooks hear nothing of it."""
    factories.webhook(alice)
    factories.webhook(bob)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    team = factories.team("Two", bob, alice)
    assert team
    meeting = MeetingRequest.objects.create(
        booking_number="x",
        requester=bob,
        recipient=alice,
        team=team,
        timezone="UTC",
        start=START,
        end=START + timedelta(hours=1),
        created_at=NOW,
        updated_at=NOW,
    )
    meetings.cancel(meeting=meeting, actor=bob, now=NOW)
    assert not alice.webhook_events.exists()
    [event] = bob.webhook_events.all()
    assert json.loads(event.body)["type"] == "meeting.cancelled"


# --- what they booked with others ---------------------------------------------------------------


@pytest.mark.parametrize("recorded", [True, False])
def test_what_they_booked_and_is_over_is_erased_as_by_its_link(
    recorded: bool, alice: User, bob: User
) -> None:
    """The outcome is the same if the sweep has recorded the booking's end or not."""
    factories.webhook(bob, url="https://nowhere.invalid/hook")
    event_type = factories.event_type(bob)
    with time_machine.travel(NOW - timedelta(days=14)):
        made = _books(alice, event_type, START - timedelta(days=14))
        drain()
    if recorded:
        bookings.record_overdue(booking=made, now=NOW)
    privacy.erase(person_id=alice.pk, now=NOW)
    drain()
    privacy.retain(now=LATER)
    made.refresh_from_db()
    assert (made.status, made.invitee, made.erased_at) == ("completed", "Deleted person", NOW)
    assert traces("alice", "ames", "nebelhorn") == []


def test_what_is_to_come_stays_with_its_host_and_its_link_erases_it(
    alice: User, bob: User, client: Client
) -> None:
    made = _books(alice, factories.event_type(bob), START)
    drain()
    mail.outbox.clear()
    privacy.erase(person_id=alice.pk, now=NOW)
    drain()
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]  # the last one
    made.refresh_from_db()
    assert (made.status, made.invitee, made.notes) == ("confirmed", "Alice Ames", "Nebelhorn")
    client.post(reverse("scheduling:erase", args=[links.manage_token(made)]))
    drain()
    privacy.retain(now=LATER)
    made.refresh_from_db()
    assert made.status == "cancelled"
    assert traces("alice", "ames", "nebelhorn") == []


def test_what_somebody_booked_with_an_address_that_they_never_confirmed_is_not_theirs(
    alice: User, bob: User
) -> None:
    EmailAddress.objects.filter(user=alice).update(verified=False)
    with time_machine.travel(NOW - timedelta(days=14)):
        made = _books(alice, factories.event_type(bob), START - timedelta(days=14))
    privacy.erase(person_id=alice.pk, now=NOW)
    made.refresh_from_db()
    assert made.invitee == "Alice Ames"


def _books(person: User, event_type: EventType, start: Any) -> Booking:
    return factories.booking(
        event_type,
        start=start,
        now=timezone.now(),
        name=person.name,
        email=person.email.capitalize(),
        notes="Nebelhorn",
    )

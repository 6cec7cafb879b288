"""Migrations of databases with rows: messages that wait are sent as they are."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import Settings

from accounts.models import Team, User
from meetings.domain import services
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.models import Booking
from tests import factories
from tests.outbox import sent
from tests.pages import NOW, START

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE_FACTS = [
    ("notifications", "0001_initial"),
    ("scheduling", "0001_initial"),
    ("meetings", "0001_initial"),
]


@contextmanager
def migrated_back(to: list[tuple[str, str]]) -> Iterator[None]:
    """Take these apps back to these migrations, and forward again afterwards."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    MigrationExecutor(connection).migrate(to)
    try:
        yield
    finally:
        MigrationExecutor(connection).migrate(newest)


def test_a_message_that_waits_is_sent_as_it_was_written(alice: User) -> None:
    content = {"subject": "Confirmed: tea", "text": "It is confirmed.", "html": "<p>Confirmed"}
    row = Notification.objects.create(
        user=alice,
        channel="email",
        address="before@example.com",
        kind="booking_confirmed",
        content=json.dumps(content),
        due_at=NOW,
        created_at=NOW,
    )
    with migrated_back(BEFORE_FACTS):
        pass
    row.refresh_from_db()
    assert row.is_written
    message = sent(NOW)["before@example.com"]
    assert (message.subject, message.body) == (content["subject"], content["text"])
    # A row that is made now has facts.
    assert not Notification(channel="email").is_written


def test_entries_in_calendars_keep_their_identity(
    alice: User, bob: User, team: Team, settings: Settings
) -> None:
    booking = factories.booking(factories.event_type(alice), start=START, now=NOW)
    meeting = services.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date=START.isoformat(),
        link="",
        now=NOW,
    )
    settings.PUBLIC_HOST = "parley.example"
    settings.DEFAULT_FROM_EMAIL = "Parley <parley@parley.example>"
    with migrated_back(BEFORE_FACTS):
        pass
    for row, name in (
        (Booking.objects.get(), booking.uuid),
        (MeetingRequest.objects.get(), meeting.booking_number),
    ):
        assert row.calendar_uid == f"{name}@parley.example"
        assert row.organizer == "parley@parley.example"

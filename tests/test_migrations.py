"""Migrations of databases with rows: messages that wait are sent as they are."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import translation
from django.utils.translation import gettext
from pytest_django import Settings

from accounts.models import Team, User
from meetings.domain import services
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.domain import services as hosts
from scheduling.models import Booking, Schedule, WeeklyAvailability
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


def test_weekly_hours_become_the_default_schedule_in_the_language_of_their_host(
    alice: User, bob: User
) -> None:
    User.objects.filter(pk=bob.pk).update(language="de")
    hosts.set_hours(user=alice, days={"1": {"enabled": False}}, timezone="Asia/Tokyo")
    evenings = hosts.create_schedule(user=alice, name="Evenings")
    factories.event_type(alice, schedule=evenings)
    with migrated_back([("scheduling", "0003_calendar_identity_and_reminders")]):
        pass
    with translation.override("de"):
        german = gettext("Working hours")
    assert list(Schedule.objects.order_by("user").values_list("user", "name")) == [
        (alice.pk, "Working hours"),
        (bob.pk, german),
    ]
    weekly = WeeklyAvailability.objects.get(user=alice)
    assert sorted(weekly.default.windows) == [2, 3, 4, 5]
    assert weekly.timezone == "Asia/Tokyo"
    assert alice.event_types.get().schedule is None

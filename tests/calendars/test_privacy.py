"""Personal data of outside calendars: export, erasure, retention. An invitee's name leaves them."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import Team, User
from calendars.domain import accounts, feeds
from calendars.models import BusyTime, Calendar, CalendarAccount, Entry, Feed, Item, Push
from calendars.models.entries import key_of
from calendars.privacy import export
from core.people import privacy
from core.tasks import retain
from meetings.domain import services as meetings
from scheduling.domain import bookings, erasure
from tests import factories
from tests.calendars import world
from tests.calendars.world import Outside, fresh, read, write
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def entry(calendar: Calendar, start: datetime, *, title: str = "Dentist") -> Entry:
    """Make an entry of half an hour that closes time, as a reading does."""
    first = int(start.timestamp())
    number = Item.objects.count()
    item = Item.objects.create(
        calendar=calendar, key=key_of(f"{number}"), href=f"{number}", uid=f"uid-{number}"
    )
    claim = BusyTime.objects.create(
        user_id=calendar.user_id, start=first, end=first + 1800, exclusive=False
    )
    return Entry.objects.create(
        calendar=calendar,
        item=item,
        start=first,
        end=first + 1800,
        title=title,
        shown_as="busy",
        busy_time=claim,
    )


@pytest.fixture
def office(alice: User) -> Calendar:
    """Return Alice's calendar at a server that does not exist. Bookings are to be written to it."""
    return factories.chosen_calendar(alice, now=NOW)


# --- export -------------------------------------------------------------------------------------


def exported(person: User) -> dict[str, Any]:
    return {
        file.name: json.loads(b"".join(file.pieces))
        for file in export(person_id=person.pk, now=NOW)
    }


def test_the_export_has_all_but_what_opens_a_door(
    office: Calendar, alice: User, bob: User, book: Book
) -> None:
    entry(office, START)
    entry(factories.chosen_calendar(bob, now=NOW), START, title="Of Bob")
    booking = book(start=START + DAY)
    feed = feeds.rotate(user=alice, now=NOW)
    given = exported(alice)
    [account] = given["calendar_accounts.json"]
    assert (account["name"], account["host"], account["username"]) == (
        "Office",
        "caldav.example",
        "office-user",
    )
    assert [each["name"] for each in account["calendars"]] == ["Work"]
    [read] = given["calendar_entries.json"]
    assert (read["title"], read["start_time"], read["closes_time"]) == (
        "Dentist",
        "2026-03-04T10:00:00Z",
        True,
    )
    [written] = given["calendar_writes.json"]
    assert (written["uid"], written["state"]) == (booking.calendar_uid, "waiting")
    assert given["calendar_feed.json"] == [
        {"shows_titles": True, "created_at": "2026-03-02T09:00:00Z"}
    ]
    whole = json.dumps(given)
    for secret in ("office-secret", "caldav.example/home", feed.token, feed.digest):
        assert secret not in whole


# --- erasure ------------------------------------------------------------------------------------


def test_an_account_goes_with_its_calendars_their_claims_and_its_feed(
    office: Calendar, alice: User, bob: User, book: Book
) -> None:
    entry(office, START)
    kept = entry(factories.chosen_calendar(bob, now=NOW), START)
    book(start=START + DAY)
    feeds.rotate(user=alice, now=NOW)
    said = privacy.consequences(person_id=alice.pk, now=NOW)
    assert "1 calendar account is disconnected. What was written to it stays there." in said
    assert "Your private feed ends: calendars that read it get nothing more." in said
    privacy.erase(person_id=alice.pk, now=NOW)
    assert list(CalendarAccount.objects.values_list("user", flat=True)) == [bob.pk]
    assert list(Entry.objects.all()) == [kept]
    assert list(BusyTime.objects.all()) == [kept.busy_time]
    assert not Push.objects.exists()
    assert not Feed.objects.exists()


# --- retention ----------------------------------------------------------------------------------


def test_entries_that_are_over_go_with_their_claims_and_leave_their_objects(
    office: Calendar,
) -> None:
    entry(office, NOW - DAY - 31 * MINUTE)
    kept = entry(office, NOW - DAY - 29 * MINUTE)
    retain()
    assert list(Entry.objects.all()) == [kept]
    assert list(BusyTime.objects.all()) == [kept.busy_time]
    assert Item.objects.count() == 2


def test_writes_go_30_days_after_they_were_settled_and_their_booking_is_over(
    office: Calendar,
) -> None:
    def push(name: str, *, settled: timedelta | None, over: timedelta) -> None:
        Push.objects.create(
            calendar=office,
            source="booking",
            number=1,
            uid=name,
            ends_at=NOW - over,
            state="waiting" if settled is None else "sent",
            settled_at=None if settled is None else NOW - settled,
            due_at=NOW + DAY,
            created_at=NOW - 90 * DAY,
        )

    push("gone", settled=30 * DAY, over=30 * DAY)
    push("settled later", settled=30 * DAY - MINUTE, over=30 * DAY)
    push("over later", settled=30 * DAY, over=30 * DAY - MINUTE)
    push("waiting", settled=None, over=60 * DAY)
    retain()
    assert sorted(Push.objects.values_list("uid", flat=True)) == [
        "over later",
        "settled later",
        "waiting",
    ]


# --- what others' calendars say of somebody who is erased ----------------------------------------


@pytest.fixture
def calendar(outside: Outside, alice: User, loopback: object) -> Calendar:
    """Return the calendar on a real server to which Alice's bookings are written."""
    calendar = world.connected(alice, outside.secret, now=NOW)
    accounts.change_calendar(calendar=calendar, writes=True, now=NOW)
    return fresh(calendar)


def written(calendar: Calendar, at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        write(fresh(calendar).account, now=at)


def test_an_erased_invitee_is_not_named_by_the_hosts_calendar(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    booking, at = book(notes="Allergic to nuts."), START + DAY
    written(calendar, NOW)
    read(fresh(calendar).account, now=NOW)
    assert "John Doe" in outside.objects()[0]
    assert world.titles(calendar) == ["30 Minute Meeting: John Doe"]
    with time_machine.travel(at, tick=False):
        bookings.record_overdue(booking=booking, now=at)
        erasure.erase_invitee(booking=booking, now=at)
        assert world.titles(calendar) == []
    written(calendar, at)
    [text] = outside.objects()
    assert "Deleted person" in text
    for word in ("John", "john", "Allergic"):
        assert word not in text


def test_a_deleted_person_is_not_named_by_the_calendars_of_those_they_met(
    outside: Outside, calendar: Calendar, alice: User, bob: User, team: Team
) -> None:
    meeting = meetings.request_meeting(
        requester=bob,
        team_id=team.pk,
        recipient_id=alice.pk,
        date=START.isoformat(),
        link="",
        now=NOW,
    )
    meeting = meetings.confirm(meeting=meeting, actor=alice, now=NOW)
    written(calendar, NOW)
    assert "Bob Byrd" in outside.objects()[0]
    at = START + DAY
    with time_machine.travel(at, tick=False):
        meetings.record_overdue(meeting=meeting, now=at)
        privacy.erase(person_id=bob.pk, now=at)
    written(calendar, at)
    [text] = outside.objects()
    assert "Bob" not in text
    assert "Deleted person" in text

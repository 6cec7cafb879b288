"""A last look at calendars before something is booked, and what its history says."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import Team, User
from calendars.domain import freshness
from calendars.models import Calendar
from core.errors import TimeTaken
from core.ops import shares
from meetings.domain import services as meetings
from scheduling.domain import bookings
from scheduling.models import HistoryEntry
from tests.calendars import world
from tests.calendars.servers import Asked, Said, Scripted, scripted
from tests.calendars.world import event, read, text_of
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("at_now", "loopback"),
]

BEFORE = NOW - timedelta(minutes=2)
HOUR = timedelta(hours=1)


class Feed:
    """An ICS address that shows what a test says. While it `hangs` it does not answer."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.hangs = False
        self.server: Scripted

    def __call__(self, _asked: Asked) -> Said:
        if self.hangs:
            self.server.ended.wait(10)
        return Said(body=text_of(*self.events).encode())


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    with scripted(feed) as feed.server:
        yield feed


@pytest.fixture
def calendar(feed: Feed, alice: User) -> Calendar:
    """Return a calendar of Alice's that was read two minutes ago."""
    calendar = world.connected(alice, {"url": feed.server.url}, provider="ics", now=BEFORE)
    assert read(calendar.account, now=BEFORE)
    return calendar


def as_of() -> list[object]:
    """Return what the history of the only booking says of calendars."""
    return list(HistoryEntry.objects.values_list("calendars_as_of", flat=True))


def test_what_has_just_come_is_not_booked_over(feed: Feed, calendar: Calendar, book: Book) -> None:
    feed.events = [event("new@example.com", START)]
    with pytest.raises(TimeTaken):
        book()


def test_a_fresh_look_leaves_no_trace(feed: Feed, calendar: Calendar, book: Book) -> None:
    book()
    assert as_of() == [None]


def test_a_minute_is_fresh(feed: Feed, calendar: Calendar, book: Book) -> None:
    read(calendar.account, now=NOW)
    count = len(feed.server.asked)
    book()
    assert len(feed.server.asked) == count


def test_a_calendar_that_hangs_holds_a_booking_up_for_the_budget_alone(
    feed: Feed, calendar: Calendar, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "SECONDS", 0.5)
    feed.hangs = True
    began = time.monotonic()
    book()
    assert 0.3 <= time.monotonic() - began < 8  # of the ten that it hangs
    assert as_of() == [BEFORE]


def test_a_move_looks_too(feed: Feed, calendar: Calendar, book: Book, alice: User) -> None:
    booking = book()
    calendar.account.refresh_from_db()
    read_at = calendar.account.read_at
    assert read_at == NOW
    type(calendar.account).objects.update(read_at=BEFORE)
    Calendar.objects.update(read_at=BEFORE)
    feed.events = [event("new@example.com", START + HOUR)]
    with pytest.raises(TimeTaken) as taken:
        bookings.reschedule(
            booking=booking, start=START + HOUR, actor=bookings.host(alice), now=NOW
        )
    assert taken.value.reason == "calendar"
    bookings.reschedule(
        booking=booking,
        start=START + HOUR,
        actor=bookings.host(alice),
        over_calendar=True,
        now=NOW,
    )


def test_an_invitee_never_moves_it_over_the_hosts_calendar(
    feed: Feed, calendar: Calendar, book: Book
) -> None:
    booking = book()
    feed.events = [event("new@example.com", START + HOUR)]
    read(calendar.account, now=NOW)
    with pytest.raises(TimeTaken) as taken:
        bookings.reschedule(
            booking=booking,
            start=START + HOUR,
            actor=bookings.INVITEE,
            over_calendar=True,
            now=NOW,
        )
    assert taken.value.reason == "busy"


def test_nobody_waits_inside_a_transaction(feed: Feed, calendar: Calendar, alice: User) -> None:
    count = len(feed.server.asked)
    with transaction.atomic():
        assert freshness.freshen([alice.pk], now=NOW) == BEFORE
    assert len(feed.server.asked) == count


def test_only_a_few_requests_wait_at_once(feed: Feed, calendar: Calendar, alice: User) -> None:
    count = len(feed.server.asked)
    with shares.held({"calendar freshening": 1}), shares.held({"calendar freshening": 2}):
        assert freshness.freshen([alice.pk], now=NOW) == BEFORE
    assert len(feed.server.asked) == count


def test_a_calendar_that_was_never_read_is_known_as_of_now(feed: Feed, alice: User) -> None:
    world.connected(alice, {"url": feed.server.url}, provider="ics", now=NOW)
    with transaction.atomic():
        assert freshness.freshen([alice.pk], now=NOW) == NOW


def test_a_meeting_is_confirmed_over_ones_own_calendar_alone(
    feed: Feed, bob: User, alice: User, team: Team
) -> None:
    feed.events = [event("own@example.com", START)]
    calendar = world.connected(bob, {"url": feed.server.url}, provider="ics", now=NOW)
    read(calendar.account, now=NOW)
    meeting = meetings.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date="2026-03-04T10:00:00Z",
        link="",
        now=NOW,
    )
    with pytest.raises(TimeTaken) as taken:
        meetings.confirm(meeting=meeting, actor=bob, now=NOW)
    assert taken.value.reason == "calendar"
    confirmed = meetings.confirm(meeting=meeting, actor=bob, over_calendar=True, now=NOW)
    assert confirmed.status == "confirmed"


def test_the_requesters_calendar_is_nobody_elses(
    feed: Feed, bob: User, alice: User, team: Team
) -> None:
    feed.events = [event("own@example.com", START)]
    calendar = world.connected(alice, {"url": feed.server.url}, provider="ics", now=NOW)
    read(calendar.account, now=NOW)
    meeting = meetings.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date="2026-03-04T10:00:00Z",
        link="",
        now=NOW,
    )
    with pytest.raises(TimeTaken) as taken:
        meetings.confirm(meeting=meeting, actor=bob, over_calendar=True, now=NOW)
    assert (taken.value.reason, taken.value.message) == ("busy", "That time is no longer free.")

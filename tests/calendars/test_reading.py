"""Reading of outside calendars on real servers: what closes time, and what never vanishes."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from calendars.domain import accounts, reading
from calendars.models import BusyTime, Calendar, CalendarAccount, Entry, Item
from calendars.models.entries import key_of
from scheduling.domain import availability
from scheduling.models import EventType
from scheduling.rules.slots import Reason
from tests.calendars import world
from tests.calendars.servers import Asked, Said, scripted
from tests.calendars.world import Outside, event, fresh, read, taken, text_of
from tests.outbox import rows
from tests.pages import NOW, START

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now", "loopback")]

LATER = timedelta(minutes=5)
HOUR = timedelta(hours=1)


@pytest.fixture
def calendar(outside: Outside, alice: User) -> Calendar:
    return world.connected(alice, outside.secret, now=NOW)


def later(calendar: Calendar, times: int = 1) -> bool:
    """Read the account again, so many times later."""
    with time_machine.travel(NOW + times * LATER, tick=False):
        return read(CalendarAccount.objects.select_related("user").get(), now=NOW + times * LATER)


# --- what is read -------------------------------------------------------------------------------


def test_an_entry_closes_its_time(
    outside: Outside, calendar: Calendar, alice: User, event_type: EventType
) -> None:
    outside.put("dentist", event("dentist@example.com", START))
    assert availability.judge(event_type, start=START, now=NOW) is Reason.OPEN
    assert read(calendar.account, now=NOW)
    assert taken(alice) == ["03-04 10:00-10:30"]
    assert availability.judge(event_type, start=START, now=NOW) is Reason.BUSY
    assert world.titles(calendar) == ["Dentist"]
    assert fresh(calendar).as_of == NOW


def test_titles_are_encrypted(outside: Outside, calendar: Calendar) -> None:
    outside.put("dentist", event("dentist@example.com", START, title="Dr Pain"))
    read(calendar.account, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM calendars_entry")
        assert "Pain" not in cursor.fetchone()[0]


def test_changes_are_read(outside: Outside, calendar: Calendar, alice: User) -> None:
    outside.put("moved", event("moved@example.com", START))
    outside.put("deleted", event("deleted@example.com", START + timedelta(hours=1)))
    read(calendar.account, now=NOW)
    assert taken(alice) == ["03-04 10:00-10:30", "03-04 11:00-11:30"]
    outside.put("moved", event("moved@example.com", START + timedelta(hours=2)))
    outside.put("new", event("new@example.com", START + timedelta(hours=3)))
    outside.delete("deleted")
    assert later(calendar)
    assert taken(alice) == ["03-04 12:00-12:30", "03-04 13:00-13:30"]
    assert Item.objects.count() == Entry.objects.count() == 2


def test_a_series_is_expanded_in_the_window(
    outside: Outside, calendar: Calendar, alice: User
) -> None:
    outside.put("weekly", event("weekly@example.com", START, "RRULE:FREQ=WEEKLY;COUNT=100"))
    read(calendar.account, now=NOW)
    first, last = BusyTime.objects.earliest("start"), BusyTime.objects.latest("start")
    assert first.start_at == START
    assert last.start_at == datetime(2027, 3, 31, 10, 0, tzinfo=UTC)
    assert BusyTime.objects.count() == 57


def test_nothing_new_costs_three_statements_and_writes_no_row(
    outside: Outside, calendar: Calendar
) -> None:
    for number in range(5):
        start = START + number * timedelta(hours=1)
        outside.put(f"{number}", event(f"{number}@example.com", start))
    read(calendar.account, now=NOW)
    before = list(Entry.objects.order_by("pk").values_list("pk", "busy_time"))
    later(calendar)  # statements that are prepared once
    account = fresh(calendar).account
    with (
        time_machine.travel(NOW + 2 * LATER, tick=False),
        CaptureQueriesContext(connection) as asked,
    ):
        assert read(account, now=NOW + 2 * LATER)
    assert len(asked) == 3, [each["sql"] for each in asked]
    assert list(Entry.objects.order_by("pk").values_list("pk", "busy_time")) == before
    assert fresh(calendar).as_of == NOW + 2 * LATER


def test_the_window_moves_on(outside: Outside, calendar: Calendar, alice: User) -> None:
    """Each day all is read anew: what was too far ahead comes in, what is over goes."""
    outside.put("near", event("near@example.com", START))
    outside.put("far", event("far@example.com", START + timedelta(days=405)))
    read(calendar.account, now=NOW)
    assert taken(alice) == ["03-04 10:00-10:30"]
    at = NOW + timedelta(days=10)
    with time_machine.travel(at, tick=False):
        assert read(CalendarAccount.objects.select_related("user").get(), now=at)
    assert taken(alice) == ["04-13 10:00-10:30"]


def test_switches_open_and_close(outside: Outside, calendar: Calendar, alice: User) -> None:
    outside.put("sure", event("sure@example.com", START))
    outside.put("maybe", event("maybe@example.com", START + timedelta(hours=1), "STATUS:TENTATIVE"))
    outside.put("free", event("free@example.com", START + timedelta(hours=2), "TRANSP:TRANSPARENT"))
    whole = event("day@example.com", START).replace("T100000Z", "").replace("T103000Z", "")
    whole = whole.replace("DTSTART:20260304", "DTSTART;VALUE=DATE:20260305")
    outside.put("day", whole.replace("DTEND:20260304", "DTEND;VALUE=DATE:20260306"))
    read(calendar.account, now=NOW)
    everything = ["03-04 10:00-10:30", "03-04 11:00-11:30", "03-05 00:00-00:00"]
    assert taken(alice) == everything
    accounts.change_calendar(calendar=calendar, blocks_tentative=False, now=NOW)
    assert taken(alice) == ["03-04 10:00-10:30", "03-05 00:00-00:00"]
    accounts.change_calendar(calendar=calendar, blocks_all_day=False, now=NOW)
    assert taken(alice) == ["03-04 10:00-10:30"]
    accounts.change_calendar(calendar=calendar, blocks_tentative=True, now=NOW)
    accounts.change_calendar(calendar=calendar, blocks_all_day=True, now=NOW)
    assert taken(alice) == everything
    accounts.change_calendar(calendar=calendar, blocks=False, now=NOW)
    assert taken(alice) == []
    assert not Entry.objects.exists()
    accounts.change_calendar(calendar=calendar, blocks=True, now=NOW)
    read(CalendarAccount.objects.select_related("user").get(), now=NOW)
    assert taken(alice) == everything


# --- fail safe ----------------------------------------------------------------------------------


class Feed:
    """An ICS address whose answer a test sets."""

    def __init__(self) -> None:
        self.said = Said()

    def show(self, *components: str) -> None:
        self.said = Said(body=text_of(*components).encode())

    def __call__(self, _asked: Asked) -> Said:
        return self.said


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def ics(feed: Feed, alice: User) -> Iterator[Calendar]:
    with scripted(feed) as running:
        feed.show(event("dentist@example.com", START))
        calendar = world.connected(alice, {"url": running.url}, provider="ics", now=NOW)
        assert read(calendar.account, now=NOW)
        yield calendar


@pytest.mark.parametrize(
    ("said", "error", "state"),
    [
        (Said(500), "http_500", "failing"),
        (Said(401), "unauthorized", "revoked"),
        (Said(404), "not_found", "failing"),
        (Said(body=b"<html>Sign in</html>"), "not_a_calendar", "failing"),
        (Said(body=b"BEGIN:VCALENDAR\r\n"), "invalid_answer", "failing"),
        (Said(body=b"BEGIN:VCALENDAR\r\n", length=5000), "invalid_answer", "failing"),
        (Said(), "not_a_calendar", "failing"),
    ],
)
def test_while_a_calendar_fails_its_entries_stay(
    feed: Feed, ics: Calendar, alice: User, said: Said, error: str, state: str
) -> None:
    feed.said = said
    assert not later(ics)
    assert taken(alice) == ["03-04 10:00-10:30"]
    calendar = fresh(ics)
    assert (calendar.error, calendar.account.error, calendar.account.state) == (error, error, state)
    assert calendar.as_of == NOW
    assert calendar.account.state_since == NOW + LATER


def test_one_mail_tells_of_a_failure_and_one_of_its_end(feed: Feed, ics: Calendar) -> None:
    feed.said = Said(503)
    for minutes in (5, 6, 10, 14, 16, 30, 60):
        at = NOW + timedelta(minutes=minutes)
        with time_machine.travel(at, tick=False):
            read(CalendarAccount.objects.select_related("user").get(), now=at)
        told = [row.kind for row in rows(kind__startswith="calendar")]
        assert told == (["calendar_failing"] if minutes >= 16 else []), minutes
    feed.show(event("dentist@example.com", START))
    for hours in (2, 3):
        at = NOW + timedelta(hours=hours)
        with time_machine.travel(at, tick=False):
            assert read(CalendarAccount.objects.select_related("user").get(), now=at)
    assert [row.kind for row in rows(kind__startswith="calendar")] == [
        "calendar_failing",
        "calendar_recovered",
    ]
    account = CalendarAccount.objects.get()
    assert (account.state, account.error, account.failures) == ("ok", "", 0)


def test_a_failure_of_a_moment_is_not_told(feed: Feed, ics: Calendar) -> None:
    feed.said = Said(503)
    later(ics)
    feed.show(event("dentist@example.com", START))
    assert later(ics, 2)
    assert rows(kind__startswith="calendar") == []


def test_a_calendar_that_is_suddenly_empty_is_not_believed_at_once(
    feed: Feed, ics: Calendar, alice: User
) -> None:
    many = [event(f"{n}@example.com", START + n * timedelta(hours=1)) for n in range(20)]
    feed.show(*many)
    later(ics)
    assert len(taken(alice)) == 20
    feed.show()
    later(ics, 2)
    assert len(taken(alice)) == 20
    assert fresh(ics).doubted_at
    assert rows(kind__startswith="calendar") == []
    later(ics, 3)
    assert taken(alice) == []
    assert fresh(ics).doubted_at is None
    [told] = rows(kind__startswith="calendar")
    assert (told.kind, json.loads(told.content)["gone"]) == ("calendar_emptied", 20)


def test_what_comes_back_was_never_gone(feed: Feed, ics: Calendar, alice: User) -> None:
    many = [event(f"{n}@example.com", START + n * timedelta(hours=1)) for n in range(20)]
    feed.show(*many)
    later(ics)
    before = list(BusyTime.objects.order_by("pk").values())
    feed.show()
    later(ics, 2)
    feed.show(*many)
    later(ics, 3)
    assert list(BusyTime.objects.order_by("pk").values()) == before
    assert fresh(ics).doubted_at is None
    assert rows(kind__startswith="calendar") == []


def test_few_that_are_gone_are_gone(feed: Feed, ics: Calendar, alice: User) -> None:
    feed.show(event("other@example.com", START + timedelta(hours=1)))
    later(ics)
    assert taken(alice) == ["03-04 11:00-11:30"]


def test_an_object_that_cannot_be_read_keeps_its_entries(
    feed: Feed, ics: Calendar, alice: User
) -> None:
    feed.show(
        event("dentist@example.com", START, "RRULE:FREQ=SECONDLY"),
        event("other@example.com", START + timedelta(hours=1)),
    )
    assert later(ics)
    assert taken(alice) == ["03-04 10:00-10:30", "03-04 11:00-11:30"]
    assert Item.objects.exclude(error="").get().uid == "dentist@example.com"
    feed.show(event("other@example.com", START + timedelta(hours=1)))
    later(ics, 2)
    assert taken(alice) == ["03-04 11:00-11:30"]


def test_more_entries_than_fit_leave_what_is_known(
    feed: Feed, ics: Calendar, alice: User, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"calendar_entries": 1}
    feed.show(
        event("dentist@example.com", START),
        event("other@example.com", START + timedelta(hours=1)),
    )
    assert not later(ics)
    assert taken(alice) == ["03-04 10:00-10:30"]
    assert fresh(ics).error == "too_many"


# --- two at once --------------------------------------------------------------------------------


def test_two_workers_do_not_read_one_account(ics: Calendar) -> None:
    due = reading.due(NOW + LATER + LATER)
    at = NOW + LATER + LATER
    first = reading.claim(ics.account.pk, condition=due, now=at, seconds=60)
    assert first is not None
    assert reading.claim(ics.account.pk, condition=due, now=at, seconds=60) is None


def test_a_worker_that_lost_its_lease_saves_nothing(feed: Feed, ics: Calendar, alice: User) -> None:
    due = reading.due(NOW + LATER + LATER)
    at = NOW + LATER + LATER
    slow = reading.claim(ics.account.pk, condition=due, now=at, seconds=60)
    assert slow is not None
    with time_machine.travel(at + timedelta(minutes=2), tick=False):
        feed.show(event("new@example.com", START + timedelta(hours=1)))
        assert later(ics, 3)
        feed.show(event("stale@example.com", START + timedelta(hours=2)))
        assert not reading.read(slow, now=at)
    assert taken(alice) == ["03-04 11:00-11:30"]
    assert fresh(ics).account.state == "ok"


def test_a_person_who_is_deactivated_is_not_read(ics: Calendar, alice: User) -> None:
    alice.is_active = False
    alice.save()
    due = reading.due(NOW + timedelta(days=1))
    assert reading.claim(ics.account.pk, condition=due, now=NOW, seconds=60) is None


# --- a server that does not hand out all that it lists ------------------------------------------


def test_an_object_that_is_listed_and_not_handed_out_keeps_its_entries(
    outside: Outside, calendar: Calendar, alice: User
) -> None:
    for number in range(3):
        outside.put(f"{number}", event(f"{number}@example.com", START + number * HOUR))
    assert read(calendar.account, now=NOW)
    held = taken(alice)
    assert len(held) == 3
    names = [f"{number}.ics" for number in range(3)]
    with scripted(lambda asked: reluctant(asked, names)) as server:
        base = f"{server.url}own/"
        Calendar.objects.filter(pk=calendar.pk).update(href=base)
        for item in Item.objects.all():
            href = base + item.href.rpartition("/")[2]
            Item.objects.filter(pk=item.pk).update(href=href, key=key_of(href))
        CalendarAccount.objects.update(whole_at=None)
        later(calendar)
        assert any("calendar-multiget" in asked.body for asked in server.asked)
    assert taken(alice) == held
    assert fresh(calendar).token != "new"  # it is asked for again


def reluctant(asked: Asked, names: Sequence[str]) -> Said:
    """List objects of these names, and hand none of them out."""
    responses = "".join(
        f"<response><href>/own/{name}</href><propstat><prop><getetag>new</getetag></prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>"
        for name in names
    )
    body = f"{responses}<sync-token>new</sync-token>" if "sync-collection" in asked.body else ""
    return Said(
        207,
        {"Content-Type": "application/xml"},
        f'<multistatus xmlns="DAV:">{body}</multistatus>'.encode(),
    )


# --- what a review found ------------------------------------------------------------------------


def test_a_calendar_that_is_switched_off_meanwhile_closes_no_time(
    feed: Feed, ics: Calendar, alice: User
) -> None:
    at = NOW + 2 * LATER
    slow = reading.claim(ics.account.pk, condition=reading.due(at), now=at, seconds=60)
    assert slow is not None
    accounts.change_calendar(calendar=ics, blocks=False, now=at)
    feed.show(event("new@example.com", START + timedelta(hours=1)))
    assert not reading.read(slow, now=at)
    assert taken(alice) == []


def test_at_the_limit_what_is_gone_still_goes(
    feed: Feed, ics: Calendar, alice: User, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"calendar_entries": 1}
    feed.show(event("other@example.com", START + timedelta(hours=1)))
    assert later(ics)
    assert taken(alice) == ["03-04 11:00-11:30"]


def test_a_broken_calendar_does_not_hold_up_the_others_of_its_account(
    outside: Outside, calendar: Calendar, alice: User
) -> None:
    outside.put("dentist", event("dentist@example.com", START))
    missing = outside.server.at(f"{outside.path.rstrip('/')}-missing/")
    Calendar.objects.create(account=calendar.account, user=alice, href=missing, blocks=True)
    account = CalendarAccount.objects.select_related("user").get()
    assert not read(account, now=NOW)
    assert taken(alice) == ["03-04 10:00-10:30"]
    for times in (1, 2, 3, 4):
        assert not later(calendar, times)
    account.refresh_from_db()
    assert account.state == "failing"
    assert account.due_at <= NOW + 4 * LATER + timedelta(minutes=6)
    assert fresh(calendar).as_of == NOW + 4 * LATER


def test_a_huge_object_is_told_and_leaves_the_rest(feed: Feed, ics: Calendar, alice: User) -> None:
    feed.show(
        event("huge@example.com", START, "DESCRIPTION:" + "x" * 3_000_000),
        event("huge-dates@example.com", START, "RDATE:" + ",".join(["20260304T120000Z"] * 200_000)),
        event("other@example.com", START + timedelta(hours=1)),
    )
    later(ics)
    assert "03-04 11:00-11:30" in taken(alice)


@pytest.mark.parametrize("token", ["", "t0"])
def test_half_a_reading_is_told_and_not_taken_for_a_fresh_one(
    calendar: Calendar, token: str
) -> None:
    """The server lists an object, and does not hand it out."""
    listing = (
        '<d:multistatus xmlns:d="DAV:"><d:response><d:href>/c/one.ics</d:href><d:propstat><d:prop>'
        "<d:getetag>1</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
        "</d:response><d:sync-token>t1</d:sync-token></d:multistatus>"
    )
    nothing = '<d:multistatus xmlns:d="DAV:"/>'

    def answer(asked: Asked) -> Said:
        body = listing if "sync-collection" in asked.body else nothing
        return Said(207, {"Content-Type": "text/xml"}, body.encode())

    with scripted(answer) as server:
        CalendarAccount.objects.update(whole_at=NOW)
        Calendar.objects.filter(pk=calendar.pk).update(href=f"{server.url}c/", token=token)
        assert not read(fresh(calendar).account, now=NOW)
    assert (fresh(calendar).error, fresh(calendar).as_of) == ("incomplete", None)
    account = CalendarAccount.objects.get()
    assert account.due_at - NOW >= timedelta(minutes=4)

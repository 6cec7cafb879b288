"""Settings, calendars: connected, shown, switched, changed and disconnected."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from calendars.domain import reading
from calendars.models import Calendar, CalendarAccount, Entry, Item, Push
from calendars.rules.expansion import ShownAs
from core.people import access
from scheduling.models import EventType
from tests import factories
from tests.calendars.ics import calendar as text_of
from tests.calendars.ics import entry
from tests.calendars.servers import (
    PASSWORD,
    USERNAME,
    Asked,
    Said,
    Scripted,
    Server,
    radicale_with_password,
    scripted,
)
from tests.pages import NOW, START, Answer, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now", "loopback")]

PAGE = "/settings/calendars"
ICS, CALDAV = f"{PAGE}/new/ics", f"{PAGE}/new/caldav"
HOUR = timedelta(hours=1)


@pytest.fixture
def server() -> Iterator[Scripted]:
    """Run a server with one calendar file, at a secret address."""
    text = text_of(
        "X-WR-CALNAME:Private",
        entry("DTSTART:20260304T100000Z", "DTEND:20260304T110000Z", "SUMMARY:Dentist"),
        entry("DTSTART:20260305T100000Z", "RRULE:FREQ=SECONDLY", uid="2@example.com"),
    )

    def answer(asked: Asked) -> Said:
        return Said(200 if asked.path == "/secret.ics" else 404, body=text.encode())

    with scripted(answer) as server:
        yield server


@pytest.fixture
def own(alice: User) -> Calendar:
    return factories.read_calendar(alice)


def errors(page: Answer) -> list[str]:
    return re.findall(r'<ul class="errorlist[^>]*><li>([^<]*)</li></ul>', main(page))


def read(account: CalendarAccount) -> None:
    claimed = reading.claim(account.pk, condition=reading.due(NOW), now=NOW, seconds=20)
    assert claimed
    reading.read(claimed, now=NOW)


# --- connecting ---------------------------------------------------------------------------------


def test_without_a_calendar_the_page_says_why_and_offers_both_kinds(signed_in: Client) -> None:
    page = signed_in.get(PAGE)
    assert "Parley blocks the times at which your own calendars are busy" in words(page)
    assert re.findall(r'href="(/settings/calendars/[^"]*)"', main(page)) == [ICS, CALDAV]
    assert "Add my bookings to" not in words(page)


def test_a_calendar_address_is_connected_and_read(
    signed_in: Client, alice: User, server: Scripted
) -> None:
    sent = {"url": f" {server.url}secret.ics ", "name": ""}
    page = signed_in.post(ICS, sent, follow=True)
    account = CalendarAccount.objects.get(user=alice)
    assert account.secret == {"url": f"{server.url}secret.ics"}
    assert "Private is connected. Its entries are being read." in words(page)
    assert "Calendar address (ICS) 127.0.0.1 being read" in words(page)
    read(account)
    said = words(signed_in.get(PAGE))
    assert "read just now" in said
    assert (
        "1 entry read only 1 entry could not be read. It closes only time that was known before."
        in said
    )
    assert server.url not in signed_in.get(PAGE).content.decode()
    with time_machine.travel(NOW + 2 * HOUR, tick=False):
        assert "read 2 hours ago" in words(signed_in.get(PAGE))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "This field is required."),
        (
            "ftp://127.0.0.1/",
            "This is no address of a calendar. It begins with https:// and has no user name or"
            " password.",
        ),
        ("https://10.0.0.1/x.ics", "This address is not public."),
        ("{server}wrong.ics", "There is nothing at this address."),
    ],
)
def test_what_is_wrong_stands_beside_the_address(
    signed_in: Client, server: Scripted, url: str, said: str
) -> None:
    page = signed_in.post(ICS, {"url": url.format(server=server.url), "name": ""})
    assert (page.status_code, errors(page)) == (200, [said])
    assert not CalendarAccount.objects.exists()


def test_one_calendar_is_connected_once(signed_in: Client, server: Scripted) -> None:
    for _time in range(2):
        page = signed_in.post(ICS, {"url": f"{server.url}secret.ics", "name": "Home"})
    assert "This calendar is connected already." in words(page)
    assert CalendarAccount.objects.count() == 1


def test_a_limit_is_said_before_and_after(
    signed_in: Client, own: Calendar, server: Scripted, settings: Settings
) -> None:
    settings.LIMITS = {**settings.LIMITS, "calendars": 1}
    reached = "You have reached the limit of 1 calendars. Disconnect one first."
    page = signed_in.get(PAGE)
    assert reached in words(page)
    assert "Connect another calendar" not in words(page)
    assert reached in words(signed_in.get(ICS))
    assert reached in words(signed_in.post(ICS, {"url": f"{server.url}secret.ics"}))


@pytest.mark.parametrize("name", ["new/ics", "new/caldav", "accounts/{}"])
def test_what_opens_calendars_asks_for_a_recent_sign_in(
    signed_in: Client, own: Calendar, name: str
) -> None:
    with time_machine.travel(NOW + HOUR, tick=False):
        answer = signed_in.get(f"{PAGE}/{name.format(own.account_id)}")
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")


@pytest.fixture
def dav(tmp_path: Path) -> Iterator[Server]:
    with radicale_with_password(tmp_path) as server:
        server.make_calendar("work", "<displayname>Work</displayname>")
        yield server


@pytest.mark.look
def test_a_caldav_account_is_connected_by_its_password(
    signed_in: Client, alice: User, dav: Server
) -> None:
    sent = {"url": dav.url, "username": USERNAME, "password": "wrong", "name": "Mine"}
    page = signed_in.post(CALDAV, sent)
    assert errors(page) == ["The server asks for a valid user name and password."]
    assert b"wrong" not in page.content
    signed_in.post(CALDAV, sent | {"password": PASSWORD})
    [calendar] = Calendar.objects.filter(user=alice)
    assert (calendar.name, calendar.blocks, calendar.writes) == ("Work", True, False)
    # Without a password it is not sent to another server.
    edit = f"{PAGE}/accounts/{calendar.account_id}"
    page = signed_in.get(edit)
    assert PASSWORD not in page.content.decode()
    assert 'placeholder="unchanged"' in main(page)
    page = signed_in.post(edit, sent | {"password": "", "url": "https://evil.example/"})
    assert errors(page) == ["Give the password too: the address has changed."]
    signed_in.post(edit, sent | {"password": "", "name": "Yours"})
    account = CalendarAccount.objects.get()
    assert (account.name, account.secret["password"]) == ("Yours", PASSWORD)
    page = signed_in.post(edit, sent)
    assert errors(page) == ["The server asks for a valid user name and password."]
    assert CalendarAccount.objects.get().secret["password"] == PASSWORD


def test_an_address_is_not_shown_again_and_stays(signed_in: Client, server: Scripted) -> None:
    url = f"{server.url}secret.ics"
    signed_in.post(ICS, {"url": url, "name": "Home"})
    account = CalendarAccount.objects.get()
    edit = f"{PAGE}/accounts/{account.pk}"
    assert url not in signed_in.get(edit).content.decode()
    asked = len(server.asked)
    signed_in.post(edit, {"url": "", "name": "Other"})
    account.refresh_from_db()
    assert (account.name, account.secret, len(server.asked)) == ("Other", {"url": url}, asked)
    assert errors(signed_in.post(edit, {"url": "", "name": ""})) == ["This field is required."]


# --- how it stands ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        (
            "revoked",
            "unauthorized",
            "The server asks for a valid user name and password. Edit it and enter the password"
            " again. Many servers want a password made for this app alone.",
        ),
        (
            "failing",
            "not_found",
            "There is nothing at this address. Edit it and enter the address that is valid now.",
        ),
        (
            "failing",
            "timeout",
            "The server did not answer in time. Parley tries again by itself, at least once an"
            " hour.",
        ),
    ],
)
def test_a_calendar_that_cannot_be_read_says_since_when_and_how_to_mend_it(
    signed_in: Client, own: Calendar, state: str, error: str, said: str
) -> None:
    CalendarAccount.objects.update(state=state, error=error, state_since=NOW - HOUR)
    page = words(signed_in.get(PAGE))
    since = "It has not been readable since Mon 03/02/2026, 8:00 AM."
    assert f"{since} {said} Times from its last reading stay blocked." in page


def test_what_cannot_be_written_is_said(signed_in: Client, own: Calendar) -> None:
    Calendar.objects.update(writes=True, write_error="forbidden")
    assert (
        "Your bookings cannot be added to it. The server does not let this account do that. Edit"
        " the account, or add them to another calendar."
    ) in words(signed_in.get(PAGE))


def test_reading_now_makes_it_due(signed_in: Client, own: Calendar) -> None:
    page = signed_in.post(f"{PAGE}/accounts/{own.account_id}/refresh", follow=True)
    assert "Own is being read." in words(page)
    account = CalendarAccount.objects.get()
    assert (account.due_at, account.whole_at) == (NOW, None)


# --- switches -----------------------------------------------------------------------------------


def switches(page: Answer) -> list[tuple[str, str]]:
    found = re.findall(
        r'aria-checked="(\w+)"[^>]*><span class="unseen">Own: ([^<]*)</span>', main(page)
    )
    return [(words, checked) for checked, words in found]


def test_switches_say_which_entries_close_time(signed_in: Client, own: Calendar) -> None:
    end = START + HOUR
    factories.entry(own, start=START, end=end, shown_as=ShownAs.TENTATIVE)

    def turn(switch: str, on: str) -> Answer:
        sent = {"switch": switch, "on": on, "next": f"{PAGE}#calendar-{own.pk}"}
        return signed_in.post(f"{PAGE}/{own.pk}/switch", sent, follow=True)

    assert switches(signed_in.get(PAGE)) == [
        ("Check for conflicts", "true"),
        ("Include tentative entries", "true"),
        ("Include all-day entries", "true"),
    ]
    assert Entry.objects.filter(busy_time__isnull=False).count() == 1
    page = turn("blocks_tentative", "no")
    assert ("Include tentative entries", "false") in switches(page)
    assert Entry.objects.filter(busy_time__isnull=False).count() == 0
    turn("blocks_tentative", "yes")
    assert Entry.objects.filter(busy_time__isnull=False).count() == 1
    page = turn("blocks", "no")
    assert "Own is no longer checked for conflicts." in words(page)
    assert switches(page) == [("Check for conflicts", "false")]
    assert not Item.objects.exists()
    turn("writes", "yes")  # no switch of that name
    own.refresh_from_db()
    assert not own.writes


def test_bookings_are_added_to_one_calendar_or_to_none(
    signed_in: Client, alice: User, own: Calendar
) -> None:
    other = factories.read_calendar(alice, name="Other", host="b.example.com")
    offered: EventType = factories.event_type(alice)
    factories.booking(offered, start=START, now=NOW)

    def chosen() -> list[str]:
        boxes = re.findall(r'name="calendar" value="(\d*)"[^>]*?( checked)?>', main(page))
        return [value for value, checked in boxes if checked]

    page = signed_in.get(PAGE)
    assert chosen() == [""]
    for calendar in (own, other):
        page = signed_in.post(f"{PAGE}/write-to", {"calendar": calendar.pk}, follow=True)
        assert f"Your bookings are added to {calendar.name}." in words(page)
        assert chosen() == [str(calendar.pk)]
        Push.objects.filter(calendar=own).update(href="/Own/1.ics")
    assert Push.objects.get().calendar == own  # what stands there stays there
    page = signed_in.post(f"{PAGE}/write-to", {"calendar": ""}, follow=True)
    assert chosen() == [""]
    Calendar.objects.filter(pk=own.pk).update(is_writable=False)
    page = signed_in.post(f"{PAGE}/write-to", {"calendar": own.pk}, follow=True)
    assert "This calendar cannot be written to." in words(page)


def test_what_still_waits_to_be_written_is_counted(
    signed_in: Client, alice: User, own: Calendar
) -> None:
    offered: EventType = factories.event_type(alice)
    signed_in.post(f"{PAGE}/write-to", {"calendar": own.pk})
    for count, said in ((1, "1 change of your bookings still waits"), (2, "2 changes of your")):
        factories.booking(offered, start=START + count * HOUR, now=NOW)
        assert said in words(signed_in.get(PAGE))
    Push.objects.update(state="sent")
    assert "of your bookings still" not in words(signed_in.get(PAGE))


def test_a_card_is_renewed_while_its_account_is_being_read(
    signed_in: Client, own: Calendar
) -> None:
    def shown() -> tuple[bool, bool]:
        page = signed_in.get(PAGE)
        return "data-reading" in main(page), "being read" in words(page)

    assert shown() == (False, False)
    signed_in.post(f"{PAGE}/accounts/{own.account_id}/refresh")
    signed_in.get(PAGE)  # shows the message
    assert shown() == (True, True)


# --- disconnecting ------------------------------------------------------------------------------


@pytest.mark.parametrize("takes_back", [True, False])
def test_disconnecting_asks_what_becomes_of_written_bookings(
    signed_in: Client, alice: User, own: Calendar, takes_back: bool
) -> None:
    url = f"{PAGE}/accounts/{own.account_id}/disconnect"
    assert "takes_back" not in main(signed_in.get(url))
    factories.booking(factories.event_type(alice), start=START, now=NOW)
    signed_in.post(f"{PAGE}/write-to", {"calendar": own.pk})
    Push.objects.update(href="/own/1.ics", etag="1")
    said = (
        "Parley has added 1 booking to this calendar. It stays there, unless you choose otherwise."
    )
    assert said in words(signed_in.get(url))
    page = signed_in.post(url, {"takes_back": "yes"} if takes_back else {}, follow=True)
    assert "Own is disconnected." in words(page)
    assert "No calendar is connected yet" in words(page)
    # As long as something is to be taken back the account is kept, and hidden.
    kept = CalendarAccount.objects.filter(is_ending=True)
    assert (kept.count(), CalendarAccount.objects.count()) == ((1, 1) if takes_back else (0, 0))
    assert signed_in.get(url).status_code == 404


# --- after a change of the password -------------------------------------------------------------


def test_what_reaches_bookings_is_lasting_access(signed_in: Client, own: Calendar) -> None:
    signed_in.post(f"{PAGE}/write-to", {"calendar": own.pk})
    signed_in.post(f"{PAGE}/feed")

    def found() -> list[tuple[str, str]]:
        every = access.lasting(person_id=own.user_id, now=NOW)
        return [(str(one.kind), one.name) for one in every if one.page == "calendars:accounts"]

    assert found() == [
        ("Calendar feed", "Your bookings"),
        ("Calendar with your bookings", "Own (dav.example.com)"),
    ]
    access.end_all(person_id=own.user_id, now=NOW)
    assert found() == []
    assert Calendar.objects.get().blocks  # it is read as before

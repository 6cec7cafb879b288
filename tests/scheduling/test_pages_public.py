"""Public pages: a host's event types, and the open times of each, for everybody."""

import gzip
import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from core.text.zones import _folded
from scheduling.domain.services import set_hours, set_override
from scheduling.models import EventType
from tests import factories
from tests.pages import NOW, START, Answer, everything, main, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/alice/30-minute-meeting"


def address(**query: object) -> str:
    return f"{PAGE}?{urlencode(query)}"


def open_days(page: Answer) -> dict[str, str]:
    """Return the selectable days and their labels for screen readers."""
    found = re.findall(
        r'name="day" value="([^"]*)" aria-pressed="[a-z]*" aria-label="([^"]*)"', main(page)
    )
    return dict(found)


def chosen_day(page: Answer) -> list[str]:
    return re.findall(r'name="day" value="([^"]*)" aria-pressed="true"', main(page))


def offered(page: Answer) -> dict[datetime, str]:
    """Return the selectable starts, in UTC, and their labels."""
    found = re.findall(r'name="start" value="([0-9]+)">([^<]*)<', main(page))
    return {datetime.fromtimestamp(int(second), UTC): text for second, text in found}


def months_beside(page: Answer) -> list[str]:
    """Return the months to which the buttons beside the shown month lead."""
    return re.findall('name="month" value="([^"]*)" formaction', main(page))


# --- a host -------------------------------------------------------------------------------------


def test_a_host_shows_what_can_be_booked_of_them(client: Client, alice: User) -> None:
    alice.position, alice.company = "Surgeon", "Parley"
    alice.save()
    factories.event_type(alice, name="Coffee", duration=15, location="in_person", sort_order=2)
    factories.event_type(
        alice,
        name="Advice",
        duration=60,
        price="50.00",
        payment_method="invoice",
        requires_approval=True,
        description="About anything.",
        cancellation_notice=120,
        sort_order=1,
    )
    factories.event_type(alice, name="Secret", is_active=False)
    factories.event_type(alice, name="For friends", is_hidden=True)
    page = client.get("/alice")
    assert words(page) == (
        "A Alice Ames Surgeon Parley What would you like to book?"
        " Advice 60 minutes Zoom Call $50.00, by invoice reschedule or cancel until 2 hours before"
        " needs approval About anything."
        " Coffee 15 minutes In Person"
    )
    assert re.findall('href="(/alice/[^"]*)"', main(page)) == ["/alice/advice", "/alice/coffee"]


def test_a_description_has_links_and_lists(client: Client, alice: User) -> None:
    said = "**Bring** your [plan](https://example.com/plan) & <b>tea</b>:\n- one\n- two"
    factories.event_type(alice, name="Advice", description=said, color="#AA0000")
    html = client.get("/alice/advice").content.decode()
    assert (
        'prose"><p><strong>Bring</strong> your <a href="https://example.com/plan"'
        ' rel="nofollow noopener noreferrer">plan</a> &amp; &lt;b&gt;tea&lt;/b&gt;:</p>\n'
        "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n</div>"
    ) in html
    plain = "Bring your plan &amp; &lt;b&gt;tea&lt;/b&gt;:\none\ntwo"
    assert f'<meta name="description" content="{plain}">' in html
    assert html.count('fill="#AA0000"') == 1
    host = client.get("/alice").content.decode()
    assert f'<p class="muted">{plain}</p>' in host
    assert host.count('fill="#AA0000"') == 1


def test_a_hidden_one_is_booked_by_its_own_link(client: Client, alice: User) -> None:
    factories.event_type(alice, name="For friends", is_hidden=True)
    assert "Alice Ames offers no times at present." in words(client.get("/alice"))
    assert offered(client.get("/alice/for-friends"))


def test_a_host_without_event_types_says_so_and_to_themself_what_to_do(
    client: Client, alice: User
) -> None:
    assert "Alice Ames offers no times at present." in words(client.get("/alice"))
    client.force_login(alice)
    assert "Create an event type" in words(client.get("/alice"))


@pytest.mark.parametrize("path", ["/nobody", "/nobody/30-minute-meeting", "/alice/x/y", "/a%00b"])
def test_what_is_not_there_is_404(client: Client, event_type: EventType, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_account_that_is_switched_off_is_not_there(
    client: Client, event_type: EventType, alice: User
) -> None:
    alice.is_active = False
    alice.save()
    assert [client.get(path).status_code for path in ("/alice", PAGE)] == [404, 404]


@pytest.mark.parametrize("path", ["/Alice", "/ALICE/30-minute-meeting"])
def test_usernames_are_read_in_lower_case(client: Client, event_type: EventType, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (301, path.replace("ALICE", "Alice").lower())


def test_what_is_no_longer_offered_leads_to_what_else_there_is(
    client: Client, event_type: EventType
) -> None:
    EventType.objects.update(is_active=False)
    page = client.get(PAGE)
    assert page.status_code == 404
    assert "This cannot be booked any more" in words(page)
    assert 'href="/alice"' in main(page)


# --- the month and the times --------------------------------------------------------------------


def test_it_shows_the_days_and_the_times_of_the_first_that_is_open(
    client: Client, event_type: EventType, alice: User
) -> None:
    set_override(user=alice, day=date(2026, 3, 3), windows=[])
    set_override(user=alice, day=date(2026, 3, 7), windows=[{"start": "10:00", "end": "11:00"}])
    page = client.get(PAGE)
    days = open_days(page)
    weekdays = {date(2026, 3, day).isoformat() for day in range(1, 32)} - {
        f"2026-03-{day:02}" for day in (1, 3, 8, 14, 15, 21, 22, 28, 29)
    }
    assert set(days) == weekdays
    assert days["2026-03-02"] == "Monday, 2 March: 16 times open"
    assert days["2026-03-07"] == "Saturday, 7 March: 2 times open"
    assert chosen_day(page) == ["2026-03-02"]
    times = list(offered(page).items())
    assert times[0] == (NOW, "9:00 AM")
    assert times[-1] == (datetime(2026, 3, 2, 16, 30, tzinfo=UTC), "4:30 PM")
    assert len(times) == 16


def test_a_day_that_is_chosen_shows_its_times(client: Client, event_type: EventType) -> None:
    page = client.get(address(day="2026-03-05", zone="UTC", hours=24))
    assert chosen_day(page) == ["2026-03-05"]
    assert list(offered(page).values())[:2] == ["09:00", "09:30"]
    assert "Thursday, 5 March: 16 times open" in words(page)


def test_what_is_booked_is_not_offered(client: Client, event_type: EventType, book: Book) -> None:
    book()
    assert START not in offered(client.get(address(day="2026-03-04")))


def test_times_and_dates_are_those_of_the_visitors_zone(
    client: Client, event_type: EventType
) -> None:
    page = client.get(address(day="2026-03-05", zone="Asia/Tokyo", hours=24))
    assert next(iter(offered(page).items())) == (datetime(2026, 3, 4, 15, tzinfo=UTC), "00:00")
    assert "It is 18:00 there now (UTC+9)." in words(page)


def test_times_that_a_clock_shows_twice_are_told_apart(client: Client, alice: User) -> None:
    set_hours(
        user=alice,
        days={"7": {"enabled": True, "windows": [{"start": "00:00", "end": "24:00"}]}},
    )
    factories.event_type(alice, duration=60, max_advance_booking=400)
    page = client.get(address(day="2026-10-25", zone="Europe/Berlin", hours=24))
    assert list(offered(page).values())[:3] == ["02:00 CEST", "02:00 CET", "03:00"]


def test_an_hour_that_a_clock_shows_twice_names_its_offset_wherever_it_is_shown(
    client: Client, alice: User
) -> None:
    """The offset is shown even if only one of the two times is open."""
    set_hours(
        user=alice,
        days={"7": {"enabled": True, "windows": [{"start": "01:00", "end": "02:00"}]}},
    )
    factories.event_type(alice, duration=60, max_advance_booking=400)
    query = {"day": "2026-10-25", "zone": "Europe/Berlin", "hours": 12}
    [(start, shown)] = offered(client.get(address(**query))).items()
    assert (start, shown) == (datetime(2026, 10, 25, 1, tzinfo=UTC), "2:00 AM CET")
    form = client.get(address(start=int(start.timestamp()), **query))
    assert "2:00 AM CET – 3:00 AM Berlin" in words(form)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("europe/berlin", "Berlin"),
        ("new york", "New York"),
        ("utc", "UTC"),
        ("GMT+2", "UTC+2"),
        ("UTC -3", "UTC-3"),
        ("Japan", "Tokyo"),
    ],
)
def test_a_zone_is_understood_as_it_is_typed(
    client: Client, event_type: EventType, typed: str, zone: str
) -> None:
    page = client.get(address(zone=typed))
    assert f'name="zone" list="zones" value="{zone}"' in main(page)


def test_a_zone_that_is_none_is_said_to_be_none_and_kept_to_be_mended(
    client: Client, event_type: EventType
) -> None:
    page = client.get(address(zone="Atlantis"))
    assert "There is no time zone “Atlantis”. Times are in UTC." in words(page)
    assert 'value="Atlantis" autocomplete="off"' in main(page)
    assert "zone" not in client.cookies


def test_an_offset_that_is_typed_shows_times_so_much_ahead_of_utc(
    client: Client, event_type: EventType
) -> None:
    page = client.get(address(zone="GMT+2", day="2026-03-05", hours=24))
    assert "It is 11:00 there now (UTC+2)." in words(page)
    assert next(iter(offered(page).values())) == "11:00"
    assert "Etc/" not in words(page)


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("UTC+5:30", "An offset must be in whole hours. Name a city instead, such as Kolkata."),
        ("Spain", "There are several time zones there. Name a city, such as Madrid"),
    ],
)
def test_a_zone_that_is_none_is_answered_with_advice_where_there_is_some(
    client: Client, event_type: EventType, typed: str, advice: str
) -> None:
    said = words(client.get(address(zone=typed)))
    assert f"There is no time zone “{typed}”. Times are in UTC. {advice}" in said


def test_every_zone_can_be_found_in_the_list(client: Client, event_type: EventType) -> None:
    listed = re.findall('<option value="([^"]*)" label', main(client.get(PAGE)))
    assert {"Berlin", "New York", "Kathmandu", "UTC"} <= set(listed)
    assert listed == sorted(listed, key=_folded)


def test_zone_and_hours_are_remembered_for_the_next_page(
    client: Client, event_type: EventType
) -> None:
    client.get(address(zone="Europe/Paris", hours="24", day="2026-03-04"))
    page = client.get(PAGE)
    assert "It is 10:00 there now (UTC+1)." in words(page)
    assert "data-guess" not in main(page)


@pytest.mark.parametrize(
    ("said", "guess"),
    [
        ({}, ' data-guess="zone hours"'),
        ({"zone": "UTC"}, ' data-guess="hours"'),
        ({"hours": "24"}, ' data-guess="zone"'),
        ({"hours": "25", "zone": "Atlantis"}, ' data-guess="zone hours"'),
        ({"zone": "UTC", "hours": "12"}, ""),
    ],
)
def test_what_nobody_has_said_is_a_guess_for_the_browser_to_mend(
    client: Client, event_type: EventType, said: dict[str, object], guess: str
) -> None:
    page = main(client.get(address(**said)))
    assert re.findall('data-hours="[0-9]*"(.*?)>', page) == [guess]


def test_an_account_tells_on_which_clock_its_owner_reads(
    client: Client, event_type: EventType, bob: User
) -> None:
    bob.timezone, bob.time_format = "Europe/London", "HH:mm"
    bob.save()
    client.force_login(bob)
    page = client.get(PAGE)
    assert "It is 09:00 there now (UTC)." in words(page)
    assert "data-guess" not in main(page)


# --- the weeks that matter ----------------------------------------------------------------------


def rows(page: Answer) -> list[str]:
    """Return the weeks of the table as texts. A dot stands for a cell without a date."""
    table = main(page).partition("<tbody>")[2].partition("</tbody>")[0]
    weeks = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")[1:]]
    return [" ".join(re.sub("<[^>]*>", "", cell) or "." for cell in week) for week in weeks]


@pytest.mark.parametrize(
    ("day", "month", "shown"),
    [
        # The middle of a month has weeks enough: those that are past are left out.
        (16, "March 2026", ["15 16 17 18 19 20 21", "22 23 24 25 26 27 28", "29 30 31 . . . ."]),
        # Near its end the next month's weeks follow.
        (
            31,
            "March – April 2026",
            [
                "29 30 31 Apr1 2 3 4",
                "5 6 7 8 9 10 11",
                "12 13 14 15 16 17 18",
                "19 20 21 22 23 24 25",
            ],
        ),
    ],
)
def test_weeks_that_are_past_make_room_for_those_that_follow(
    client: Client, event_type: EventType, day: int, month: str, shown: list[str]
) -> None:
    with time_machine.travel(NOW.replace(day=day), tick=False):
        page = client.get(PAGE)
    assert f'id="month">{month}</p>' in main(page)
    assert rows(page) == shown
    assert months_beside(page) == ["2026-04"]
    assert chosen_day(page) == [f"2026-03-{day}"]


def test_a_day_of_the_month_that_follows_is_chosen_where_it_stands(
    client: Client, event_type: EventType
) -> None:
    with time_machine.travel(NOW.replace(day=31), tick=False):
        page = client.get(address(day="2026-04-02", month="2026-03", zone="UTC"))
        # The month itself is another page, which is whole.
        whole = client.get(address(month="2026-04"))
    assert chosen_day(page) == ["2026-04-02"]
    assert 'id="month">March – April 2026</p>' in main(page)
    assert 'id="month">April 2026</p>' in main(whole)
    assert rows(whole)[0] == ". . . 1 2 3 4"


def test_weeks_beyond_the_booking_window_are_left_out(client: Client, alice: User) -> None:
    factories.event_type(alice, max_advance_booking=10)
    page = client.get(PAGE)
    assert rows(page) == ["1 2 3 4 5 6 7", "8 9 10 11 12 13 14"]
    assert months_beside(page) == []


def test_a_day_without_open_times_leads_to_the_next_that_has_some(
    client: Client, event_type: EventType
) -> None:
    assert chosen_day(client.get(address(day="2026-03-07"))) == ["2026-03-09"]


# --- far and nothing ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "shown", "beside"),
    [
        ({}, "March 2026", ["2026-04"]),
        ({"month": "2026-04"}, "April 2026", ["2026-03", "2026-05"]),
        ({"month": "2026-05"}, "May 2026", ["2026-04"]),  # sixty days ahead ends on 1 May
        ({"month": "1999-01"}, "March 2026", ["2026-04"]),
        ({"month": "9999-12"}, "May 2026", ["2026-04"]),
        ({"month": "0001-01"}, "March 2026", ["2026-04"]),
        ({"month": "soon"}, "March 2026", ["2026-04"]),
        ({"day": "9999-12-31"}, "May 2026", ["2026-04"]),
        ({"day": "2026-02-30"}, "March 2026", ["2026-04"]),
        ({"start": "9" * 30}, "March 2026", ["2026-04"]),
        ({"start": "-1"}, "March 2026", ["2026-04"]),
        ({"start": "x"}, "March 2026", ["2026-04"]),
        ({"hours": "13", "zone": "\0"}, "March 2026", ["2026-04"]),
        ({"zone": "x" * 5000}, "March 2026", ["2026-04"]),
    ],
)
def test_only_months_that_can_be_booked_are_shown_whatever_is_asked_for(
    client: Client,
    event_type: EventType,
    asked: dict[str, object],
    shown: str,
    beside: list[str],
) -> None:
    page = client.get(address(**asked))
    assert page.status_code == 200
    assert f'id="month">{shown}</p>' in main(page)
    assert months_beside(page) == beside


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu"])
@pytest.mark.parametrize("start", [0, 2**37, 2**37 - 1])
def test_a_start_at_the_end_of_time_is_merely_not_open(
    client: Client, event_type: EventType, zone: str, start: int
) -> None:
    page = client.get(address(start=start, zone=zone))
    assert page.status_code == 200
    assert "That time is no longer available. Please choose another one." in words(page)


def test_a_month_without_open_times_leads_to_the_next_that_has_some(
    client: Client, alice: User
) -> None:
    factories.event_type(alice, min_advance_booking=24 * 40)
    page = client.get(PAGE)
    assert 'id="month">April 2026</p>' in main(page)
    assert chosen_day(page) == ["2026-04-13"]
    empty = client.get(address(month="2026-03"))
    assert "No times available this month. Next available: Monday, 13 April" in words(empty)
    assert 'name="day" value="2026-04-13"' in main(empty)


def test_where_nothing_is_open_at_all_it_says_so(client: Client, alice: User) -> None:
    set_hours(user=alice, days={str(day): {"enabled": False} for day in range(1, 8)})
    factories.event_type(alice, max_advance_booking=10)
    assert "No times available at present. Check again in a few days." in words(client.get(PAGE))


def test_a_start_that_was_taken_meanwhile_shows_that_days_other_times(
    client: Client, event_type: EventType, book: Book
) -> None:
    book()
    page = client.get(address(start=int(START.timestamp()), zone="UTC"))
    assert "That time is no longer available. Please choose another one." in words(page)
    assert chosen_day(page) == ["2026-03-04"]


# --- what holds for the page --------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/alice", PAGE, f"{PAGE}?day=2026-03-05", f"{PAGE}?start=1"])
def test_looking_changes_nothing(client: Client, event_type: EventType, path: str) -> None:
    before = everything()
    for method in (client.get, client.head):
        assert method(path).status_code == 200
    assert everything() == before


@pytest.mark.parametrize("booked", [1, 3])
@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ({}, 3),
        ({"day": "2026-03-05"}, 3),
        ({"start": int(START.timestamp()) + 15 * 86_400}, 3),  # the form
        ({"start": 0}, 5),
    ],
)
def test_it_takes_few_queries_however_much_is_booked(
    client: Client,
    event_type: EventType,
    book: Book,
    django_assert_num_queries: DjangoAssertNumQueries,
    booked: int,
    query: dict[str, object],
    queries: int,
) -> None:
    for day in range(booked):
        book(start=START + timedelta(days=7 * day))
    client.get(PAGE)
    with django_assert_num_queries(queries):
        client.get(address(**query))


def test_the_way_to_the_next_open_month_takes_five_queries(
    client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    factories.event_type(alice, min_advance_booking=24 * 40)
    with django_assert_num_queries(5):
        client.get(PAGE)


def test_it_goes_over_the_wire_compressed(client: Client, event_type: EventType) -> None:
    page = client.get(PAGE, headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    assert b"Choose a day and a time" in gzip.decompress(page.content)


def test_whoever_asks_too_often_waits(client: Client, event_type: EventType) -> None:
    answers = [client.get("/alice").status_code for _ in range(601)]
    assert (answers[:600], answers[600]) == ([200] * 600, 429)


def test_the_week_and_the_words_are_those_of_the_browsers_language(
    client: Client, event_type: EventType
) -> None:
    german = client.get(PAGE, headers={"Accept-Language": "de"})
    assert german["Content-Language"] == "de"
    assert re.findall(r'<th scope="col"><span class="unseen">([^<]*)', main(german))[0] == "Montag"
    assert next(iter(offered(german).values())) == "09:00"
    english = client.get(PAGE)
    assert re.findall(r'<th scope="col"><span class="unseen">([^<]*)', main(english))[0] == "Sunday"


def first_weekday(page: Answer) -> str:
    first: str = re.findall(r'<th scope="col"><span class="unseen">([^<]*)', main(page))[0]
    return first


@pytest.mark.parametrize(
    ("accepted", "day"),
    [
        ("en-GB,en;q=0.9", "Monday"),
        ("en-US,en;q=0.9", "Sunday"),
        ("en;q=0.9,en-GB;q=0.5", "Sunday"),
        ("en-AU", "Monday"),
        ("es-MX,es;q=0.9", "Domingo"),
        ("es-419,es;q=0.9", "Lunes"),
        ("de-AT", "Montag"),
        ("fr-CA", "Dimanche"),
        ("pt-BR,en;q=0.5", "Sunday"),  # the page is in English, and nobody knows whose
        ("en-EG", "Saturday"),
        ("en-" + "G" * 40, "Sunday"),
        ("*", "Sunday"),
    ],
)
def test_weeks_begin_as_they_do_where_the_browser_is(
    client: Client, event_type: EventType, accepted: str, day: str
) -> None:
    page = client.get(PAGE, headers={"Accept-Language": accepted})
    assert first_weekday(page).capitalize() == day


@pytest.mark.parametrize(("week_start", "day"), [(1, "Monday"), (6, "Saturday"), (7, "Sunday")])
def test_weeks_of_somebody_with_an_account_begin_on_their_day(
    client: Client, event_type: EventType, bob: User, week_start: int, day: str
) -> None:
    User.objects.filter(pk=bob.pk).update(week_start=week_start)
    client.force_login(bob)
    assert first_weekday(client.get(PAGE)) == day

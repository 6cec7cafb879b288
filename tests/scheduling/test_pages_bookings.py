"""Bookings page: a host's bookings, tab by tab."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, cards, everything, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HALF_AN_HOUR, DAY = timedelta(minutes=30), timedelta(days=1)
TABS = ("upcoming", "pending", "completed", "rejected", "cancelled", "expired")


@pytest.fixture
def one_of_each(
    book: Book, alice: User, event_type: EventType, approved: EventType
) -> dict[str, list[Booking]]:
    """Return Alice's bookings by tab. No sweep has run."""
    before = NOW - 5 * DAY  # a Wednesday
    upcoming, pending = book(), book(approved, start=START + DAY)
    rejected, cancelled = book(approved, start=START + 2 * DAY), book(start=START + 5 * DAY)
    bookings.reject(booking=rejected, actor=bookings.host(alice), now=NOW)
    bookings.cancel(booking=cancelled, actor=bookings.INVITEE, now=NOW)
    completed = factories.booking(event_type, start=before + DAY, now=before)
    expired = factories.booking(approved, start=before + 2 * DAY, now=before)
    return {
        "upcoming": [upcoming],
        "pending": [pending],
        "completed": [completed],
        "rejected": [rejected],
        "cancelled": [cancelled],
        "expired": [expired],
    }


def shown(client: Client, query: str = "") -> list[Booking]:
    return [card.booking for card in cards(client.get(f"/bookings{query}"))]


def test_it_leads_through_the_login(client: Client) -> None:
    page = client.get("/bookings?tab=pending")
    assert page.headers["Location"] == "/accounts/login/?next=/bookings%3Ftab%3Dpending"


def test_each_tab_holds_its_own(
    client: Client, alice: User, one_of_each: dict[str, list[Booking]]
) -> None:
    client.force_login(alice)
    assert {tab: shown(client, f"?tab={tab}") for tab in TABS} == one_of_each


def test_tabs_carry_their_counts_in_their_order(
    client: Client, alice: User, one_of_each: dict[str, list[Booking]], book: Book
) -> None:
    book(start=START + 6 * DAY)
    client.force_login(alice)
    counts = [(tab.name, count) for tab, count in client.get("/bookings").context["tabs"]]
    assert counts == [
        ("upcoming", 2),
        ("pending", 1),
        ("completed", 1),
        ("rejected", 1),
        ("cancelled", 1),
        ("expired", 1),
    ]


def test_the_tab_one_is_on_is_marked(client: Client, alice: User) -> None:
    client.force_login(alice)
    page = client.get("/bookings?tab=rejected").content
    assert page.count(b'aria-current="page"') == 1
    assert b'href="?tab=rejected" aria-current="page"' in page


@pytest.mark.parametrize("query", ["", "?tab=", "?tab=nonsense", "?tab=confirmed"])
def test_an_unknown_tab_is_what_is_ahead(
    client: Client, alice: User, booking: Booking, query: str
) -> None:
    client.force_login(alice)
    assert shown(client, query) == [booking]


def test_a_stranger_finds_nothing(
    client: Client, charlie: User, one_of_each: dict[str, list[Booking]]
) -> None:
    client.force_login(charlie)
    page = client.get("/bookings")
    assert [count for _tab, count in page.context["tabs"]] == [0] * 6
    assert {tab: shown(client, f"?tab={tab}") for tab in TABS} == {tab: [] for tab in TABS}


def test_an_empty_tab_says_what_will_stand_there(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    for tab in TABS:
        page = client.get(f"/bookings?tab={tab}")
        shown_tab = page.context["tab"]
        assert words(page).endswith(
            f"{shown_tab.empty} {shown_tab.hint} Event types Your public page"
        )


def test_a_row_tells_both_clocks_where_they_differ(
    client: Client, alice: User, event_type: EventType
) -> None:
    alice.timezone, alice.date_format, alice.time_format = "Asia/Kathmandu", "dd.MM.yyyy", "HH:mm"
    alice.save()
    factories.booking(event_type, start=START, now=NOW)
    client.force_login(alice)
    said = words(client.get("/bookings")).partition("Wednesday")[2]
    assert said == (
        ", 4 March 15:45 – 16:15 30 Minute Meeting with John Doe"
        " Zoom Call For John Doe: 11:00 – 11:30 (Europe/Berlin)"
        " Reschedule 30 Minute Meeting with John Doe"
        " ⋯ More for 30 Minute Meeting with John Doe Cancel"
        " Times are in Asia/Kathmandu. Export as CSV"
    )


def test_a_row_names_the_invitees_date_if_it_is_another(
    client: Client, alice: User, book: Book
) -> None:
    book(timezone="Pacific/Kiritimati")
    client.force_login(alice)
    said = "For John Doe: Thursday, 5 March 2026, 00:00 – 00:30 (Pacific/Kiritimati)"
    assert said in words(client.get("/bookings"))


def test_rows_stand_under_their_dates(client: Client, alice: User, book: Book) -> None:
    for start in (START, START + DAY, START + DAY + HALF_AN_HOUR, START + 5 * DAY):
        book(start=start)
    client.force_login(alice)
    with time_machine.travel(START - HALF_AN_HOUR, tick=False):
        page = client.get("/bookings")
    days = page.context["days"]
    assert [(day.name, day.written, [time for _row, time in day.rows]) for day in days] == [
        ("Today", "Wednesday, 4 March", ["10:00 AM – 10:30 AM"]),
        ("Tomorrow", "Thursday, 5 March", ["10:00 AM – 10:30 AM", "10:30 AM – 11:00 AM"]),
        ("", "Monday, 9 March", ["10:00 AM – 10:30 AM"]),
    ]
    assert "Zoom Call in 30 minutes" in words(page)


def test_what_is_called_off_is_not_awaited(client: Client, alice: User, booking: Booking) -> None:
    bookings.cancel(booking=booking, actor=bookings.host(alice), now=NOW)
    client.force_login(alice)
    with time_machine.travel(START - HALF_AN_HOUR, tick=False):
        assert "in 30 minutes" not in words(client.get("/bookings?tab=cancelled"))


def test_a_date_of_another_year_names_it(client: Client, alice: User, booking: Booking) -> None:
    with time_machine.travel(START.replace(year=2027), tick=False):
        client.force_login(alice)
        page = client.get("/bookings?tab=completed")
    assert [day.written for day in page.context["days"]] == ["Wednesday, 4 March 2026"]


def test_one_clock_is_told_once(client: Client, alice: User, book: Book) -> None:
    book(timezone="UTC")
    client.force_login(alice)
    assert "For John Doe:" not in words(client.get("/bookings"))


def test_the_actions_are_those_that_are_possible(
    client: Client, alice: User, one_of_each: dict[str, list[Booking]]
) -> None:
    client.force_login(alice)
    possible = {}
    for tab, (booking,) in one_of_each.items():
        page = client.get(f"/bookings?tab={tab}").content.decode()
        actions = ("/confirm", "/reject", "?day=#move", "?cancel=#cancel")
        possible[tab] = [a for a in actions if f'"/bookings/{booking.pk}{a}"' in page]
    assert possible == {
        "upcoming": ["?day=#move", "?cancel=#cancel"],
        "pending": ["/confirm", "/reject"],
        "completed": [],
        "rejected": [],
        "cancelled": [],
        "expired": [],
    }


def test_what_comes_first_stands_first_and_what_is_over_last_first(
    client: Client, alice: User, book: Book
) -> None:
    later, sooner = book(start=START + DAY), book()
    client.force_login(alice)
    assert shown(client) == [sooner, later]
    for booking in (later, sooner):
        bookings.cancel(booking=booking, actor=bookings.host(alice), now=NOW)
    assert shown(client, "?tab=cancelled") == [later, sooner]


def test_twenty_stand_on_a_page(client: Client, alice: User, book: Book) -> None:
    first = START.replace(hour=9)
    booked = [
        book(start=first + day * DAY + n * HALF_AN_HOUR) for day in range(2) for n in range(11)
    ]
    client.force_login(alice)
    assert shown(client) == booked[:20]
    assert shown(client, "?tab=upcoming&page=2") == booked[20:]
    assert shown(client, "?page=99") == booked[20:]
    assert shown(client, "?page=x") == booked[:20]
    page = client.get("/bookings")
    assert "Page 1 of 2" in words(page)
    assert b'href="?tab=upcoming&amp;page=2"' in page.content


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("tab", ["upcoming", "pending"])
def test_queries_do_not_grow_with_the_rows(
    client: Client,
    alice: User,
    book: Book,
    approved: EventType,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
    tab: str,
) -> None:
    for n in range(count):
        book(start=START + n * HALF_AN_HOUR)
        book(approved, start=START + DAY + n * HALF_AN_HOUR)
    client.force_login(alice)
    # Session, person, event types to filter by, counts, bookings.
    with django_assert_num_queries(5):
        assert len(shown(client, f"?tab={tab}")) == count


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(
    client: Client, alice: User, one_of_each: dict[str, list[Booking]], method: str
) -> None:
    client.force_login(alice)
    before = everything()
    for tab in TABS:
        assert getattr(client, method)(f"/bookings?tab={tab}").status_code == 200
    assert everything() == before


def test_time_moves_bookings_without_the_sweep(
    client: Client, alice: User, booking: Booking
) -> None:
    client.force_login(alice)
    with time_machine.travel(START + HALF_AN_HOUR / 2, tick=False):
        assert shown(client) == [booking]
    with time_machine.travel(START + HALF_AN_HOUR, tick=False):
        assert shown(client) == []
        assert shown(client, "?tab=completed") == [booking]

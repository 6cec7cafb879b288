"""Search and filters of the bookings page, and its rows as a file."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest
from django.test import Client

from accounts.models import User
from core.web import csv_files
from scheduling.domain import bookings
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, cards, content, main, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

DAY = timedelta(days=1)
FILE = "/bookings/export.csv"


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def found(client: Client, query: str) -> list[str]:
    return [card.booking.invitee_name for card in cards(client.get(f"/bookings?{query}"))]


def table(client: Client, query: str = "") -> list[list[str]]:
    answer = client.get(f"{FILE}?{query}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = content(answer).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:], newline="")))


GUESTS = ["mary@example.com", "peter@example.com"]


@pytest.fixture
def three(book: Book, event_type: EventType, alice: User) -> list[Booking]:
    """Return bookings of three days, with three people, of two event types."""
    walk = factories.event_type(alice, name="Walk", slug="walk")
    return [
        book(name="Mei Tanaka", email="mei@tea.example"),
        book(start=START + DAY, name="Ada Byron", email="ada@engine.example"),
        book(walk, start=START + 5 * DAY, name="Mei Lin", email="lin@tea.example", guests=GUESTS),
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=mei", ["Mei Tanaka", "Mei Lin"]),
        ("q=ENGINE.example", ["Ada Byron"]),
        ("q=mei+lin", ["Mei Lin"]),
        ("q=tea+tanaka", ["Mei Tanaka"]),
        ("q=%25", []),
        ("q=nobody", []),
        ("q=++", ["Mei Tanaka", "Ada Byron", "Mei Lin"]),
        ("from=2026-03-05", ["Ada Byron", "Mei Lin"]),
        ("to=2026-03-05", ["Mei Tanaka", "Ada Byron"]),
        ("from=2026-03-05&to=2026-03-05", ["Ada Byron"]),
        ("q=mei&to=2026-03-05", ["Mei Tanaka"]),
        ("tab=cancelled&q=mei", []),
    ],
)
@pytest.mark.usefixtures("three")
def test_a_list_is_searched_and_filtered(signed_in: Client, query: str, names: list[str]) -> None:
    assert found(signed_in, query) == names


def test_by_event_type(signed_in: Client, three: list[Booking], bob: User) -> None:
    walk, others = three[2].event_type_id, factories.event_type(bob).pk
    assert found(signed_in, f"event_type={walk}") == ["Mei Lin"]
    page = signed_in.get(f"/bookings?event_type={others}")
    assert list(page.context["form"].errors) == ["event_type"]
    assert [name for _key, name in page.context["form"].fields["event_type"].choices] == [
        "All event types",
        "30 Minute Meeting",
        "Walk",
    ]


def test_dates_are_those_of_the_person(signed_in: Client, alice: User, book: Book) -> None:
    """At 10:00 UTC on 4 March, it is 5 March already on Kiritimati."""
    book()
    User.objects.filter(pk=alice.pk).update(timezone="Pacific/Kiritimati")
    assert found(signed_in, "to=2026-03-04") == []
    assert found(signed_in, "from=2026-03-05&to=2026-03-05") == ["John Doe"]


@pytest.mark.usefixtures("three")
def test_the_counts_and_the_tabs_keep_to_the_search(signed_in: Client, alice: User) -> None:
    last = Booking.objects.get(invitee_name="Mei Lin")
    bookings.cancel(booking=last, actor=bookings.host(alice), now=NOW)
    page = signed_in.get("/bookings?q=mei&from=2026-03-01")
    assert {tab.name: count for tab, count in page.context["tabs"] if count} == {
        "upcoming": 1,
        "cancelled": 1,
    }
    assert 'href="?tab=cancelled&amp;q=mei&amp;from=2026-03-01"' in main(page)
    assert f'href="{FILE}?tab=upcoming&amp;q=mei&amp;from=2026-03-01"' in main(page)
    assert found(signed_in, "tab=cancelled&q=mei&from=2026-03-01") == ["Mei Lin"]


def test_the_pages_keep_to_the_search(signed_in: Client, book: Book) -> None:
    for n in range(21):
        book(start=START.replace(hour=9) + n // 14 * DAY + n % 14 * timedelta(minutes=30))
    page = signed_in.get("/bookings?q=doe")
    assert 'href="?tab=upcoming&amp;q=doe&amp;page=2"' in main(page)
    assert len(found(signed_in, "q=doe&page=2")) == 1


@pytest.mark.usefixtures("three")
def test_nothing_found_offers_the_way_back(signed_in: Client) -> None:
    page = signed_in.get("/bookings?q=nobody")
    assert "Nothing matches" in words(page)
    assert '<a class="button" href="?tab=upcoming">Clear filters</a>' in main(page)
    assert "No booking" not in words(page)


@pytest.mark.parametrize(
    ("query", "field", "error"),
    [
        ("from=x", "from", "Enter a valid date."),
        ("to=0001-01-01", "to", "Ensure this value is greater than or equal to 1970-01-02."),
        ("from=2026-03-05&to=2026-03-04", "to", "This date is before the first one."),
        (f"q={'x' * 101}", "q", "Ensure this value has at most 100 characters (it has 101)."),
    ],
)
def test_a_wrong_value_has_its_error_and_narrows_nothing(
    signed_in: Client, book: Book, query: str, field: str, error: str
) -> None:
    book(start=START + DAY)
    page = signed_in.get(f"/bookings?{query}")
    assert page.context["form"].errors == {field: [error]}
    assert [card.booking.invitee_name for card in cards(page)] == ["John Doe"]
    refused = signed_in.get(f"{FILE}?{query}")
    assert refused.headers["Location"] == f"/bookings?{query}"


# --- the file ------------------------------------------------------------------------------------


def test_the_file_has_the_rows_of_the_list(
    signed_in: Client, alice: User, three: list[Booking]
) -> None:
    User.objects.filter(pk=alice.pk).update(timezone="Asia/Kathmandu")
    heads, row = table(signed_in, "q=lin")
    assert dict(zip(heads, row, strict=True)) == {
        "Number": three[2].uuid,
        "Status": "Confirmed",
        "Event type": "Walk",
        "Name": "Mei Lin",
        "Email": "lin@tea.example",
        "Phone": "",
        "Start": "2026-03-09 15:45+05:45",
        "End": "2026-03-09 16:15+05:45",
        "Invitee's time zone": "Europe/Berlin",
        "Location": "Zoom Call",
        "Link to join": "",
        "Answers": "",
        "Notes": "",
        "Booked": "2026-03-02 14:45+05:45",
        "No-show": "",
        "Guests": "\n".join(GUESTS),
    }
    assert [row[3] for row in table(signed_in)[1:]] == ["Mei Tanaka", "Ada Byron", "Mei Lin"]
    assert table(signed_in, "tab=cancelled") == [heads]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(signed_in: Client, book: Book, begin: str) -> None:
    booking = book()
    Booking.objects.filter(pk=booking.pk).update(notes=f"{begin}1+1", invitee_name="A=1")
    _heads, row = table(signed_in)
    assert (row[3], row[12]) == ("A=1", f"'{begin}1+1")


def test_a_file_has_an_end(
    signed_in: Client, three: list[Booking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_files, "MOST_ROWS", 2)
    rows = table(signed_in)
    assert [row[0] for row in rows[1:]] == [
        three[0].uuid,
        three[1].uuid,
        "Only the first 2 rows are here. Choose fewer days to see the rest.",
    ]
    monkeypatch.setattr(csv_files, "MOST_ROWS", 3)
    assert len(table(signed_in)) == 4


def test_the_file_is_in_the_language_of_its_reader(
    signed_in: Client, alice: User, three: list[Booking]
) -> None:
    User.objects.filter(pk=alice.pk).update(language="de")
    heads, row = table(signed_in, "q=lin")
    assert (heads[1], row[1]) == ("Status", "Bestätigt")


def test_files_are_rationed(signed_in: Client) -> None:
    statuses = []
    for _ in range(31):
        answer = signed_in.get(FILE)
        content(answer)
        statuses.append(answer.status_code)
    assert statuses == [200] * 30 + [429]


def test_the_file_says_what_it_is(signed_in: Client) -> None:
    answer = signed_in.get(f"{FILE}?tab=pending")
    assert content(answer).count(b"\r\n") == 1
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="bookings-pending-{date(2026, 3, 2)}.csv"'
    )
    assert answer.headers["Cache-Control"] == "no-store"

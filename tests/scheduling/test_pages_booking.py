"""The host's page of a booking: GET shows, POST acts."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.domain import bookings
from scheduling.domain.services import set_override
from scheduling.messages import links
from scheduling.models import Booking, EventType
from scheduling.models.enums import Role
from tests import factories
from tests.pages import NOW, START, Answer, everything, main, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HALF_AN_HOUR, DAY = timedelta(minutes=30), timedelta(days=1)
LATER = START + DAY
MOVED_MEANWHILE = (
    "Nothing was changed, because this booking has changed in the meantime. Here is the current"
    " booking."
)


@pytest.fixture
def client(client: Client, alice: User) -> Client:
    """Return Alice's browser."""
    client.force_login(alice)
    return client


@pytest.fixture
def waiting(book: Book, approved: EventType) -> Booking:
    return book(approved)


def page_of(booking: Booking) -> str:
    return f"/bookings/{booking.pk}"


def act(client: Client, booking: Booking, action: str, **fields: object) -> Answer:
    """POST an action for the booking's first version, unless `fields` says otherwise.

    Return the page.
    """
    sent = {"sequence": 0, **fields}
    return client.post(f"{page_of(booking)}/{action}", sent, follow=True)


def history(booking: Booking) -> list[tuple[str, str, str, str]]:
    entries = booking.history.order_by("sequence")
    return list(entries.values_list("change", "to_status", "role", "reason"))


def second(moment: datetime) -> int:
    return int(moment.timestamp())


# --- what it shows ------------------------------------------------------------------------------


def test_the_row_of_a_list_leads_to_the_open_form(
    client: Client, alice: User, booking: Booking
) -> None:
    client.force_login(alice)
    page = client.get(f"/bookings/{booking.pk}?cancel=").content
    assert b'<details class="reveal" id="cancel" open>' in page
    assert b'id="cancel" open' not in client.get(f"/bookings/{booking.pk}").content


def test_it_tells_the_facts_on_both_clocks_the_answers_and_the_price(
    client: Client, alice: User, book: Book
) -> None:
    questions = [
        {"name": "topic", "label": "Topic?", "type": "text", "required": False, "options": []}
    ]
    paid = factories.event_type(
        alice,
        location="custom",
        location_custom="Room 1",
        price="50.00",
        payment_method="on_site",
        custom_fields=questions,
        slug="paid",
    )
    booking = book(paid, notes="I am\nlate.", answers={"topic": "Tea"}, phone="+49 30 1234")
    assert words(client.get(page_of(booking))) == (
        "Upcoming Mar 4 Wed 30 Minute Meeting with John Doe Confirmed"
        " With John Doe john@example.com +49301234"
        " When Wednesday, 4 March 2026, 10:00 AM – 10:30 AM UTC"
        " For John Doe: Wednesday, 4 March 2026, 11:00 – 11:30 Europe/Berlin"
        " Where Room 1 No meeting link yet."
        " Price $50.00, on site Notes I am late. Topic? Tea"
        " Reschedule"
        " Edit the notes Notes (optional) I am late. The invitee sees them too. Save the notes"
        " Cancel the booking John Doe gets an email, and the time can be booked again."
        " Notes for John Doe (optional) Cancel the booking"
        " History John Doe booked it. Mon 03/02/2026, 9:00 AM Times are in UTC."
    )


def test_the_invitees_link_is_not_shown(client: Client, booking: Booking) -> None:
    assert "/bookings/manage/" not in main(client.get(page_of(booking)))


def test_its_history_is_told_to_its_host(
    client: Client, alice: User, book: Book, approved: EventType
) -> None:
    booking, host = book(approved), bookings.host(alice)
    bookings.confirm(booking=booking, actor=host, now=NOW)
    bookings.reschedule(
        booking=booking, start=LATER, actor=bookings.INVITEE, now=NOW, reason="Flu."
    )
    bookings.reschedule(booking=booking, start=START, actor=host, now=NOW)
    staff = bookings.Actor(Role.STAFF, alice)
    bookings.cancel(booking=booking, actor=staff, now=NOW)
    steps = client.get(page_of(booking)).context["steps"]
    assert [(step.sentence, step.reason) for step in steps] == [
        ("John Doe booked it.", ""),
        ("You approved it.", ""),
        (
            "John Doe rescheduled it from Wednesday, 4 March 2026, 10:00 AM to Thursday, 5 March"
            " 2026, 10:00 AM.",
            "Flu.",
        ),
        (
            "You rescheduled it from Thursday, 5 March 2026, 10:00 AM to Wednesday, 4 March 2026,"
            " 10:00 AM.",
            "",
        ),
        ("The organisers cancelled it.", ""),
    ]


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        ("booking", "It has taken place."),
        ("waiting", "It expired without an answer."),
    ],
)
def test_what_time_has_done_is_told(
    client: Client, request: pytest.FixtureRequest, of: str, sentence: str
) -> None:
    booking: Booking = request.getfixturevalue(of)
    bookings.record_overdue(booking=booking, now=START + DAY)
    assert client.get(page_of(booking)).context["steps"][-1].sentence == sentence


@pytest.mark.parametrize("query", ["", "?day="])
def test_what_is_over_offers_nothing_but_its_notes(
    client: Client, booking: Booking, query: str
) -> None:
    with time_machine.travel(START + HALF_AN_HOUR, tick=False):
        page = main(client.get(page_of(booking) + query))
    assert re.findall(r'action="([^"]*)"', page) == [
        f"{page_of(booking)}/no-show",
        f"{page_of(booking)}/notes",
    ]


def test_a_booking_of_another_host_is_not_found(client: Client, bob: User, book: Book) -> None:
    booking = book(factories.event_type(bob))
    before = everything()
    assert client.get(page_of(booking)).status_code == 404
    for action in ("confirm", "reject", "cancel", "move", "notes"):
        sent = {"sequence": 0, "start": second(LATER), "notes": "Mine."}
        assert client.post(f"{page_of(booking)}/{action}", sent).status_code == 404
    assert everything() == before


def test_strangers_are_led_to_the_login(booking: Booking) -> None:
    stranger = Client()
    assert stranger.get(page_of(booking)).headers["Location"] == (
        f"/accounts/login/?next={page_of(booking)}"
    )
    for action in ("confirm", "reject", "cancel", "move", "notes"):
        answer = stranger.post(f"{page_of(booking)}/{action}", {"sequence": 0})
        assert answer.headers["Location"].startswith("/accounts/login/?next=/bookings/")
    assert history(booking) == [("created", "confirmed", "invitee", "")]


def test_looking_changes_nothing(client: Client, waiting: Booking) -> None:
    before = everything()
    for method in (client.get, client.head):
        for query in ("", "?day=", "?day=nonsense", "?month=9999-12", "?start=1"):
            assert method(page_of(waiting) + query).status_code == 200
    for action in ("confirm", "reject", "cancel", "move", "notes"):
        assert client.get(f"{page_of(waiting)}/{action}").status_code == 405
    assert everything() == before


def test_queries_do_not_grow_with_the_history(
    client: Client,
    alice: User,
    booking: Booking,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for start in (LATER, START, LATER):
        bookings.reschedule(booking=booking, start=start, actor=bookings.host(alice), now=NOW)
    # Session, person, booking, its guests, history and how long it is, what the own calendars have.
    with django_assert_num_queries(7):
        client.get(page_of(booking))
    # And the event type with its hours, overrides, what is taken; whether calendars close time.
    with django_assert_num_queries(11):
        client.get(f"{page_of(booking)}?day=")


# --- approving, declining, cancelling -----------------------------------------------------------


def test_a_host_approves(client: Client, waiting: Booking) -> None:
    said = words(act(client, waiting, "confirm"))
    assert said.startswith("Approved. John Doe gets an email. Upcoming")
    assert history(waiting)[1:] == [("confirmed", "confirmed", "host", "")]


def test_a_host_declines_with_a_reason(client: Client, waiting: Booking) -> None:
    said = words(act(client, waiting, "reject", reason="No\r\nroom."))
    assert said.startswith("Declined. John Doe gets an email.")
    assert history(waiting)[1:] == [("rejected", "rejected", "host", "No\nroom.")]


def test_a_host_cancels_with_a_reason(client: Client, booking: Booking) -> None:
    said = words(act(client, booking, "cancel", reason="Flu."))
    assert said.startswith("Cancelled. John Doe gets an email.")
    assert history(booking)[1:] == [("cancelled", "cancelled", "host", "Flu.")]


def test_an_action_goes_back_to_where_it_was_sent_from(client: Client, waiting: Booking) -> None:
    sent = {"sequence": 0, "next": "/bookings?tab=pending"}
    answer = client.post(f"{page_of(waiting)}/confirm", sent)
    assert answer.headers["Location"] == "/bookings?tab=pending"


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", ""])
def test_but_not_to_another_host(client: Client, waiting: Booking, away: str) -> None:
    answer = client.post(f"{page_of(waiting)}/confirm", {"sequence": 0, "next": away})
    assert answer.headers["Location"] == page_of(waiting)


@pytest.mark.parametrize("action", ["confirm", "reject", "cancel", "move"])
def test_what_has_changed_since_it_was_seen_shows_how_it_stands(
    client: Client, waiting: Booking, action: str
) -> None:
    bookings.reschedule(booking=waiting, start=LATER, actor=bookings.INVITEE, now=NOW)
    before = history(waiting)
    fields = {"start": second(LATER + DAY), "next": page_of(waiting)}
    said = words(act(client, waiting, action, **fields))
    assert said.startswith(f"{MOVED_MEANWHILE} Needs your answer Mar 5 Thu Interview with John Doe")
    assert history(waiting) == before


@pytest.mark.parametrize("action", ["confirm", "reject", "cancel"])
def test_what_no_longer_can_be_done_leads_to_the_booking(
    client: Client, waiting: Booking, action: str
) -> None:
    bookings.cancel(booking=waiting, actor=bookings.INVITEE, now=NOW)
    answer = client.post(
        f"{page_of(waiting)}/{action}", {"sequence": 1, "next": "/bookings?tab=pending"}
    )
    assert answer.headers["Location"] == page_of(waiting)
    assert words(client.get(page_of(waiting))).startswith(f"{MOVED_MEANWHILE} Cancelled")


@pytest.mark.parametrize("sequence", ["", "x", "-1", "9" * 30])
def test_a_form_without_what_was_seen_changes_nothing(
    client: Client, waiting: Booking, sequence: str
) -> None:
    for action in ("confirm", "reject", "cancel", "move"):
        client.post(f"{page_of(waiting)}/{action}", {"sequence": sequence, "start": second(LATER)})
    assert history(waiting) == [("created", "pending", "invitee", "")]


def test_a_reason_that_is_too_long_is_told(client: Client, waiting: Booking) -> None:
    said = words(act(client, waiting, "reject", reason="x" * 501))
    assert said.startswith("Ensure this value has at most 500 characters (it has 501).")
    assert history(waiting) == [("created", "pending", "invitee", "")]


# --- moving -------------------------------------------------------------------------------------


def test_the_open_times_of_a_day_stand_on_both_clocks(
    client: Client, alice: User, book: Book
) -> None:
    alice.timezone = "America/New_York"
    alice.save()
    booking = book(timezone="Asia/Tokyo")
    set_override(user=alice, day=LATER.date(), windows=[{"start": "14:30", "end": "15:30"}])  # UTC
    page = client.get(f"{page_of(booking)}?day=2026-03-05")
    said = words(page)
    assert "Below each is the time of John Doe, in Tokyo." in said
    assert "9:30 AM For John Doe: 23:30 10:00 AM For John Doe: Fri 00:00" in said
    page = client.get(f"{page_of(booking)}?start={second(LATER.replace(hour=15))}")
    assert "Thursday, 5 March 10:00 AM – 10:30 AM New York For John Doe: Fri 00:00" in (words(page))


def test_where_both_have_one_clock_it_is_told_once(client: Client, book: Book) -> None:
    page = client.get(f"{page_of(book(timezone='UTC'))}?day=")
    assert "Below each" not in words(page)
    assert {each.theirs for each in page.context["moving"].picker.choices} == {""}


def test_its_own_time_is_not_among_them(client: Client, booking: Booking) -> None:
    page = client.get(f"{page_of(booking)}?day=").content.decode()
    starts = [
        datetime.fromtimestamp(int(text), UTC)
        for text in re.findall(r'name="start" value="([0-9]+)"', page)
    ]
    on_that_day = [start.time() for start in starts if start.date() == START.date()]
    assert START.time() not in on_that_day
    assert len(on_that_day) == 15


def test_a_host_moves_a_booking_which_stays_confirmed(client: Client, booking: Booking) -> None:
    day = f"{page_of(booking)}?day=2026-03-05"
    answer = client.post(
        f"{page_of(booking)}/move",
        {"sequence": 0, "start": second(LATER), "reason": "Flu.", "next": day},
    )
    assert answer.headers["Location"] == page_of(booking)
    assert words(client.get(page_of(booking))).startswith("Rescheduled. John Doe gets an email.")
    booking.refresh_from_db()
    assert booking.start == LATER
    assert history(booking)[1:] == [("rescheduled", "confirmed", "host", "Flu.")]


def test_a_request_that_a_host_moves_still_waits(client: Client, waiting: Booking) -> None:
    act(client, waiting, "move", start=second(LATER))
    assert history(waiting)[1:] == [("rescheduled", "pending", "host", "")]


def test_a_time_that_is_taken_leads_back_to_the_day(
    client: Client, booking: Booking, book: Book
) -> None:
    book(start=LATER)
    day = f"{page_of(booking)}?day=2026-03-05"
    page = act(client, booking, "move", start=second(LATER), next=day)
    assert words(page).startswith(
        "That time is no longer free. Nothing was changed; the times below are still open."
    )
    assert b'id="move"' in page.content
    assert history(booking) == [("created", "confirmed", "invitee", "")]


def test_a_host_is_shown_what_their_own_calendar_has_and_may_move_all_the_same(
    client: Client, alice: User, booking: Booking
) -> None:
    own = factories.read_calendar(alice)
    factories.entry(own, start=LATER, end=LATER + timedelta(hours=1))
    page = client.get(f"{page_of(booking)}?day=2026-03-05")
    clashing = [each.second for each in page.context["moving"].picker.choices if each.remark]
    assert clashing == [second(LATER), second(LATER + HALF_AN_HOUR)]
    assert "Dashed: your own calendar has something then." in words(page)
    # The picker asks, and so does the form of somebody who has not been asked.
    asked = client.get(f"{page_of(booking)}?start={second(LATER)}")
    sent = {"sequence": 0, "start": second(LATER), "reason": "Flu."}
    page = client.post(f"{page_of(booking)}/move", sent)
    for shown in (asked, page):
        assert (
            "Not rescheduled yet: your own calendar has something at that time."
            " Dentist (Own), Thursday, 5 March 2026, 10:00 AM – 11:00 AM UTC"
            " Notes for John Doe (optional)"
        ) in words(shown)
        assert "Reschedule to Thu 5 Mar, 10:00 AM anyway" in words(shown)
        # Other days are not at the address of the form.
        assert f'href="{page_of(booking)}?day=2026-03-05#move"' in main(shown)
    assert ">Flu.</textarea>" in main(page)
    assert history(booking) == [("created", "confirmed", "invitee", "")]
    form = main(page).partition('id="move"')[2].partition("<form")[2]
    carried = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert carried["over_calendar"] == "yes"
    client.post(f"{page_of(booking)}/move", carried | {"reason": "Flu."})
    booking.refresh_from_db()
    assert booking.start == LATER
    assert history(booking)[1:] == [("rescheduled", "confirmed", "host", "Flu.")]


@pytest.mark.parametrize(
    ("is_all_day", "written"),
    [
        (False, "Wednesday, 4 March 2026, 12:00 AM – Thursday, 5 March 2026, 12:00 AM UTC"),
        (True, "Wednesday, 4 March 2026, all day"),
    ],
)
def test_what_came_into_the_own_calendar_later_is_shown(
    client: Client, alice: User, booking: Booking, is_all_day: bool, written: str
) -> None:
    page = f"/bookings/{booking.pk}"
    midnight = booking.start.replace(hour=0, minute=0)
    own = factories.read_calendar(alice)
    assert "Your own calendar" not in words(client.get(page))
    end = midnight + timedelta(days=1)
    factories.entry(own, start=midnight, end=end, is_all_day=is_all_day)
    said = f"Your own calendar has something at that time. Dentist (Own), {written}"
    assert said in words(client.get(page))
    bookings.cancel(booking=booking, actor=bookings.host(alice), now=NOW)
    assert "Your own calendar" not in words(client.get(page))


def test_an_invitee_learns_nothing_of_the_hosts_calendar(
    client: Client, alice: User, booking: Booking
) -> None:
    factories.entry(factories.read_calendar(alice), start=LATER, end=LATER + HALF_AN_HOUR)
    path = urlsplit(links.manage_url(booking)).path
    page = client.get(f"{path}?day=2026-03-05")
    assert f'value="{second(LATER)}"' not in main(page)
    assert "calendar has something" not in words(page)
    sent = {"act": "move", "sequence": 0, "start": second(LATER), "over_calendar": "yes"}
    page = client.post(path, sent, follow=True)
    assert "That time is no longer free." in words(page)
    assert "Dentist" not in words(page)


def test_the_history_says_as_of_when_the_own_calendar_was_known(
    client: Client, booking: Booking
) -> None:
    booking.history.update(calendars_as_of=NOW - timedelta(minutes=3))
    said = "Your calendar could not be read then: it was known as of Mon 03/02/2026, 8:57 AM."
    assert said in words(client.get(page_of(booking)))


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("", "Choose a time first."),
        (second(START.replace(hour=20)), "That time is outside the host's availability."),
        (second(NOW - 3 * DAY), "That time has passed, or is too soon."),
    ],
)
def test_a_time_that_is_never_offered_changes_nothing(
    client: Client, booking: Booking, start: object, why: str
) -> None:
    said = words(act(client, booking, "move", start=start)).replace("’", "'")
    assert said.startswith(why)
    assert history(booking) == [("created", "confirmed", "invitee", "")]


def test_who_moves_too_often_waits(client: Client, booking: Booking) -> None:
    for n in range(30):
        start = second(LATER if n % 2 == 0 else START)
        assert (
            client.post(f"{page_of(booking)}/move", {"sequence": n, "start": start}).status_code
            == 302
        )
    before = everything()
    answer = client.post(f"{page_of(booking)}/move", {"sequence": 30, "start": second(LATER)})
    assert answer.status_code == 429
    assert everything() == before


# --- notes --------------------------------------------------------------------------------------


def test_notes_are_changed_and_taken_away(client: Client, booking: Booking) -> None:
    for notes in ("Bring\r\nthe plans.", ""):
        page = act(client, booking, "notes", notes=notes)
        assert words(page).startswith("The notes are saved.")
        booking.refresh_from_db()
        assert booking.notes == notes.replace("\r\n", "\n")
    assert history(booking) == [("created", "confirmed", "invitee", "")]


def test_notes_that_are_too_long_stay_in_the_form(client: Client, booking: Booking) -> None:
    page = act(client, booking, "notes", notes="x" * 5001)
    assert "Ensure this value has at most 5000 characters (it has 5001)." in words(page)
    assert '<details class="reveal" open>' in main(page)
    assert "x" * 5001 in main(page)
    booking.refresh_from_db()
    assert booking.notes == ""


def test_a_post_wants_the_token_of_the_page(alice: User, waiting: Booking) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(alice)
    for action in ("confirm", "reject", "cancel", "move", "notes"):
        answer = careful.post(f"{page_of(waiting)}/{action}", {"sequence": 0})
        assert answer.status_code == 403
    assert history(waiting) == [("created", "pending", "invitee", "")]

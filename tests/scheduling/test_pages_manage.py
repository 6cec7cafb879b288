"""The invitee's page: GET shows; POST reschedules or cancels the version that its sender saw."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import signing
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from scheduling.domain import bookings
from scheduling.domain.bookings import INVITEE, Actor
from scheduling.domain.links import address_digest
from scheduling.domain.services import set_hours, set_override
from scheduling.messages import links
from scheduling.models import Booking, EventType
from scheduling.models.enums import Role
from tests import factories
from tests.pages import NOW, START, Answer, everything, main
from tests.pages import words as all_words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HALF_AN_HOUR = timedelta(minutes=30)
LATER = START + timedelta(days=1)


def address(booking: Booking) -> str:
    """Return the path of the link in the email."""
    return urlsplit(links.manage_url(booking)).path


def words(page: Answer) -> str:
    """Return the page's words before the part about erasure, which has its own tests."""
    return all_words(page).partition(" Erase my details from this booking")[0]


@pytest.fixture
def link(booking: Booking) -> str:
    return address(booking)


def cancel(sequence: int = 0, reason: str = "") -> dict[str, object]:
    return {"act": "cancel", "sequence": sequence, "reason": reason}


def move(start: datetime = LATER, sequence: int = 0, reason: str = "") -> dict[str, object]:
    second = int(start.timestamp())
    return {"act": "move", "start": second, "sequence": sequence, "reason": reason}


def history(booking: Booking) -> list[tuple[str, str, str, str]]:
    entries = booking.history.order_by("sequence")
    return list(entries.values_list("change", "to_status", "role", "reason"))


def offered(page: Answer) -> list[datetime]:
    """Return the selectable starts, in UTC."""
    seconds = re.findall(r'name="start" value="([0-9]+)"', page.content.decode())
    return [datetime.fromtimestamp(int(second), UTC) for second in seconds]


def days(page: Answer) -> list[str]:
    """Return the days with open times."""
    return re.findall(r'<button [^>]*name="day" value="([^"]*)" aria-pressed', main(page))


def month(page: Answer) -> str:
    """Return the name of the month that is shown."""
    [shown] = re.findall('id="month">([^<]*)</p>', main(page))
    return str(shown)


# --- what it shows ------------------------------------------------------------------------------


def test_it_shows_the_booking_on_the_invitees_clock_and_in_utc(
    client: Client, alice: User, book: Book
) -> None:
    questions = [
        {"name": "topic", "label": "Topic?", "type": "text", "required": False, "options": []},
        {"name": "new", "label": "New here?", "type": "boolean", "required": False, "options": []},
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
    set_hours(user=alice, days={str(day): {"enabled": day == 3} for day in range(1, 8)})
    booking = book(
        paid, notes="I am\nlate.", answers={"new": True, "topic": "Tea"}, phone="+49 30 1234"
    )
    set_override(user=alice, day=START.date(), windows=[{"start": "10:00", "end": "11:30"}])
    before, _month, after = words(client.get(address(booking))).partition(" March 2026 ")
    assert before == (
        "Mar 4 Wed 30 Minute Meeting with Alice Ames Confirmed"
        " When Wednesday, 4 March 2026, 11:00 – 11:30 Europe/Berlin"
        " Where Room 1 You get the meeting link later."
        " Price $50.00, on site"
        " Notes I am late."
        " Topic? Tea"
        " New here? yes"
        " Add to calendar ICS file Google Outlook Microsoft 365"
        " Cancel the booking Notes for Alice (optional) Cancel the booking"
        " Reschedule Was: Wed 4 Mar, 11:00"
    )
    assert after.partition(" 31 ")[2] == (
        "Wednesday, 4 March Wednesday, 4 March: 2 times open 11:30 12:00"
        " Your time zone Change Time format 12 h 24 h"
        " It is 10:00 there now (UTC+1)."
        " This link is for John Doe. Anybody who has it can reschedule or cancel the booking."
    )


def test_while_it_waits_for_approval_it_says_so(
    client: Client, approved: EventType, book: Book
) -> None:
    said = words(client.get(address(book(approved))))
    assert said.startswith(
        "Mar 4 Wed Interview with Alice Ames Awaiting approval"
        " Your request was sent to Alice Ames. You get an email with the answer."
    )
    assert "Withdraw the request" in said
    assert "Was: Wed 4 Mar, 11:00 Alice Ames has to approve the new time." in said


# --- the cancellation notice ----------------------------------------------------------------------


@pytest.fixture
def notice(event_type: EventType) -> datetime:
    """Let invitees cancel until a day before. Return until when for a booking of START."""
    EventType.objects.update(cancellation_notice=24 * 60)
    event_type.refresh_from_db()
    return START - timedelta(days=1)


def test_it_says_until_when_it_can_be_cancelled(
    client: Client, notice: datetime, link: str
) -> None:
    until = "Tuesday, 3 March 2026, 11:00 (Europe/Berlin)"
    with time_machine.travel(notice, tick=False):
        said = words(client.get(link))
    assert f"You can reschedule or cancel until {until}." in said
    assert "Cancel the booking" in said
    with time_machine.travel(notice + timedelta(seconds=1), tick=False):
        page = client.get(link)
        said = words(page)
    assert (
        f"This could be rescheduled or cancelled until {until}. If you cannot come, answer the"
        " confirmation email: your answer goes to Alice Ames."
    ) in said
    assert said.endswith("This link is for John Doe.")
    assert (offered(page), 'name="act" value="cancel"' in main(page)) == ([], False)
    assert "Confirmed" in said  # it stands


@pytest.mark.parametrize("fields", [cancel(), move()])
def test_later_than_that_its_invitee_changes_nothing(
    client: Client, notice: datetime, link: str, fields: dict[str, object]
) -> None:
    before = everything()
    with time_machine.travel(notice + timedelta(seconds=1), tick=False):
        page = client.post(link, fields, follow=True)
    assert words(page).startswith(
        "It is too late to reschedule or cancel this booking. Nothing was changed."
    )
    assert everything() == before


def test_at_the_last_moment_its_invitee_cancels(
    client: Client, notice: datetime, link: str, booking: Booking
) -> None:
    with time_machine.travel(notice, tick=False):
        client.post(link, cancel())
    booking.refresh_from_db()
    assert booking.status == "cancelled"


@pytest.mark.parametrize("role", [Role.HOST, Role.STAFF])
def test_the_notice_does_not_bind_the_host_and_the_staff(
    notice: datetime, booking: Booking, role: Role
) -> None:
    late = notice + timedelta(hours=1)
    actor = Actor(role, booking.host)
    assert bookings.cancel(booking=booking, actor=actor, now=late).status == "cancelled"


def test_an_invitee_is_erased_at_any_time(
    client: Client, notice: datetime, link: str, booking: Booking
) -> None:
    with time_machine.travel(notice + timedelta(hours=1), tick=False):
        client.post(f"{link}/erase")
    booking.refresh_from_db()
    assert (booking.status, booking.invitee_name) == ("cancelled", "")


def test_whatever_a_mail_scanner_does_changes_nothing(client: Client, link: str) -> None:
    before = everything()
    start = int(LATER.timestamp())
    for method in (client.get, client.head, client.options):
        for query in ("", "?act=cancel&sequence=0", f"?act=move&sequence=0&start={start}"):
            assert method(f"{link}{query}").status_code == 200
    for refused in (client.put, client.patch, client.delete):
        assert refused(link, cancel()).status_code == 405
    assert everything() == before


def test_it_is_neither_stored_nor_passed_on_nor_indexed(client: Client, link: str) -> None:
    for page in (client.get(link), client.post(link, cancel()), client.get(f"{link}x")):
        wanted = {"Cache-Control", "Referrer-Policy", "X-Robots-Tag"}
        assert {name: page.headers[name] for name in wanted} == {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex",
        }


def test_what_the_invitee_typed_is_shown_and_not_obeyed(client: Client, book: Book) -> None:
    script = "<script>alert(1)</script>"
    page = client.get(address(book(name=script, notes=script, answers={script: script})))
    assert script.encode() not in page.content
    assert f"Notes {script} {script} {script} Add to calendar" in words(page)
    assert f"This link is for {script}." in words(page)


# --- times to choose from -----------------------------------------------------------------------


def test_it_opens_at_the_day_of_the_booking_with_what_is_open_there(
    client: Client, alice: User, link: str
) -> None:
    set_hours(user=alice, days={"1": {"enabled": False}, "2": {"enabled": False}})
    set_override(user=alice, day=date(2026, 3, 5), windows=[])
    page = client.get(link)
    assert days(page)[:4] == ["2026-03-04", "2026-03-06", "2026-03-11", "2026-03-12"]
    # All of Wednesday but the booking's own start.
    day = [START.replace(hour=9) + HALF_AN_HOUR * number for number in range(16)]
    assert offered(page) == [start for start in day if start != START]
    friday = client.get(f"{link}?day=2026-03-06")
    assert offered(friday) == [start + timedelta(days=2) for start in day]


def test_it_opens_at_the_month_of_the_booking(client: Client, book: Book) -> None:
    later = address(book(start=START + timedelta(days=40)))
    page = client.get(later)
    assert month(page) == "April 2026"
    assert 'value="2026-04-13" aria-pressed="true"' in main(page)
    assert "Was: Mon 13 Apr, 12:00" in words(page)


def test_dates_are_those_of_the_invitees_clock(client: Client, alice: User, book: Book) -> None:
    """Noon in UTC is 1:00 on the next day in Auckland."""
    set_override(user=alice, day=date(2026, 3, 6), windows=[{"start": "10:30", "end": "12:00"}])
    set_hours(user=alice, days={str(day): {"enabled": False} for day in range(1, 4)})
    booking = book(start=datetime(2026, 3, 5, 16, 30, tzinfo=UTC), timezone="Pacific/Auckland")
    link = address(booking)
    said = words(client.get(f"{link}?day=2026-03-06"))
    assert (
        "Friday, 6 March Friday, 6 March: 12 times open"
        " 00:00 00:30 01:00 01:30 02:00 02:30 03:00 03:30 04:00 04:30 05:00 23:30"
    ) in said
    assert "Saturday, 7 March: 2 times open 00:00 00:30" in words(
        client.get(f"{link}?day=2026-03-07")
    )


def test_of_times_that_the_clock_shows_twice_it_is_told_which_is_which(
    client: Client, alice: User, book: Book
) -> None:
    booking = book(timezone="Pacific/Auckland")
    # On 5 April 2026 at 03:00 the clocks of Auckland go back to 02:00.
    saturday = date(2026, 4, 4)
    set_hours(user=alice, days={"6": {"enabled": True}})
    set_override(user=alice, day=saturday, windows=[{"start": "12:30", "end": "15:00"}])
    said = words(client.get(f"{address(booking)}?day=2026-04-05"))
    assert "5 times open 01:30 02:00 NZDT 02:30 NZDT 02:00 NZST 02:30 NZST" in said


def test_another_clock_can_be_looked_at(client: Client, booking: Booking, link: str) -> None:
    said = words(client.get(f"{link}?zone=Asia/Tokyo&hours=12&day=2026-03-05"))
    assert "Was: Wed 4 Mar, 7:00 PM" in said
    assert "16 times open 12:00 AM 12:30 AM" in said
    booking.refresh_from_db()
    assert (booking.timezone, booking.time_format) == ("Europe/Berlin", "HH:mm")
    assert not {"zone", "hours"} & set(client.cookies)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "day=x",
        "day=2026-02-30",
        "day=2026-03-01",
        "day=0001-01-01",
        "month=x",
        "month=0001-01",
        "day=%00",
        "start=x",
        "start=-1",
        "zone=Mars&hours=13",
    ],
)
def test_what_is_out_of_reach_leads_to_the_nearest_month(
    client: Client, link: str, asked: str
) -> None:
    assert month(client.get(f"{link}?{asked}")) == "March 2026"


def test_after_the_booking_window_there_is_nothing(client: Client, alice: User, link: str) -> None:
    assert month(client.get(f"{link}?month=9999-12")) == "May 2026"
    set_hours(user=alice, days={str(day): {"enabled": False} for day in range(1, 8)})
    assert "No times available this month." in words(client.get(link))


def test_a_time_that_is_chosen_is_confirmed_before_anything_is_moved(
    client: Client, booking: Booking, link: str
) -> None:
    before = everything()
    page = client.get(f"{link}?start={int(LATER.timestamp())}")
    assert everything() == before
    assert (
        "Reschedule Was: Wed 4 Mar, 11:00 Thursday, 5 March 11:00 – 11:30 Berlin"
        " Change the time Notes for Alice (optional) Reschedule to Thu 5 Mar, 11:00"
    ) in words(page)
    assert f'href="{link}?day=2026-03-05#move"' in main(page)


@pytest.mark.parametrize("start", [START, START.replace(hour=20), NOW - timedelta(days=3)])
def test_a_time_that_is_not_open_cannot_be_chosen(
    client: Client, link: str, start: datetime
) -> None:
    page = client.get(f"{link}?start={int(start.timestamp())}")
    assert "That time is no longer available. Please choose another one." in words(page)
    assert "Reschedule to" not in words(page)
    assert offered(page)


# --- what it does -------------------------------------------------------------------------------


def test_cancelling_with_a_reason(client: Client, booking: Booking, link: str) -> None:
    assert client.post(link, cancel(reason="Flu.\r\nSorry.")).headers["Location"] == link
    assert history(booking) == [
        ("created", "confirmed", "invitee", ""),
        ("cancelled", "cancelled", "invitee", "Flu.\nSorry."),
    ]
    assert words(client.get(link)) == (
        "Cancelled. Alice Ames gets an email."
        " Mar 4 Wed 30 Minute Meeting with Alice Ames Cancelled"
        " You cancelled this booking. Flu. Sorry."
        " When Wednesday, 4 March 2026, 11:00 – 11:30 Europe/Berlin"
        " Where Zoom Call Choose another time"
        " This link is for John Doe."
    )
    assert 'href="/alice/30-minute-meeting"' in main(client.get(link))


def test_moving(client: Client, booking: Booking, link: str) -> None:
    page = client.get(f"{link}?day=2026-03-05")
    assert LATER in offered(page)
    answer = client.post(f"{link}?day=2026-03-05", move(reason="The train."))
    assert answer.headers["Location"] == link
    assert history(booking) == [
        ("created", "confirmed", "invitee", ""),
        ("rescheduled", "confirmed", "invitee", "The train."),
    ]
    said = words(client.get(link))
    assert said.startswith("Rescheduled. You get an email with the new time. Mar 5 Thu")
    assert "When Thursday, 5 March 2026, 11:00 – 11:30 Europe/Berlin" in said


def test_moving_what_the_host_must_approve_asks_anew(
    client: Client, alice: User, approved: EventType, book: Book
) -> None:
    booking = bookings.confirm(booking=book(approved), actor=bookings.host(alice), now=NOW)
    link = address(booking)
    client.post(link, move(sequence=1))
    assert history(booking)[-1] == ("rescheduled", "pending", "invitee", "")
    assert words(client.get(link)).startswith(
        "Rescheduled. Alice Ames has to approve the new time."
        " Mar 5 Thu Interview with Alice Ames Awaiting approval"
    )


def test_the_forms_carry_what_was_seen(client: Client, booking: Booking, link: str) -> None:
    bookings.reschedule(booking=booking, start=LATER, actor=INVITEE, now=NOW)
    page = client.get(f"{link}?start={int(START.timestamp())}").content.decode()
    assert re.findall(r'name="sequence" value="([0-9]+)"', page) == ["1", "1"]
    client.post(link, move(START, sequence=1))
    assert history(booking)[-1] == ("rescheduled", "confirmed", "invitee", "")


@pytest.mark.parametrize("fields", [cancel(), move(START + HALF_AN_HOUR)])
def test_a_page_that_is_out_of_date_changes_nothing(
    client: Client, alice: User, booking: Booking, link: str, fields: dict[str, object]
) -> None:
    bookings.reschedule(booking=booking, start=LATER, actor=bookings.host(alice), now=NOW)
    before = everything()
    assert client.post(link, fields).headers["Location"] == link
    assert everything() == before
    said = words(client.get(link))
    assert said.startswith(
        "Nothing was changed, because this booking has changed in the meantime. Here is the"
        " current booking."
        " Mar 5 Thu"
    )
    assert "Cancel the booking" in said


def test_cancelling_again_is_fine(client: Client, link: str) -> None:
    client.post(link, cancel())
    before = everything()
    client.post(link, cancel())
    assert everything() == before


def test_a_start_that_is_taken_meanwhile_leaves_the_others(
    client: Client, booking: Booking, link: str, book: Book
) -> None:
    book(start=LATER)
    before = everything()
    answer = client.post(f"{link}?day=2026-03-05", move())
    assert answer.headers["Location"] == f"{link}?day=2026-03-05"
    assert everything() == before
    page = client.get(answer.headers["Location"])
    assert words(page).startswith(
        "That time is no longer free. Nothing was changed; the times below are still open."
        " Mar 4 Wed"
    )
    assert LATER not in offered(page)
    assert LATER + HALF_AN_HOUR in offered(page)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (START.replace(hour=20), "That time is outside the host's availability."),
        (START + timedelta(minutes=7), "No meeting starts at that time."),
        (NOW - timedelta(days=3), "That time has passed, or is too soon."),
        (START + timedelta(days=7 * 52), "That time is too far ahead."),
    ],
)
def test_a_start_that_is_not_offered(client: Client, link: str, start: datetime, said: str) -> None:
    before = everything()
    client.post(link, move(start))
    assert everything() == before
    assert words(client.get(link)).startswith(f"{said} Mar 4 Wed")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Mar 4"),
        ({"act": "confirm", "sequence": 0}, "Mar 4"),
        ({"act": "cancel"}, "This field is required."),
        ({"act": "cancel", "sequence": "x"}, "Enter a whole number."),
        (cancel(reason="x" * 501), "Ensure this value has at most 500 characters"),
        ({"act": "move", "sequence": 0}, "Choose a time first."),
        (move() | {"start": "x"}, "Enter a whole number."),
        (move() | {"start": 2**63}, "Ensure this value is less than or equal to"),
    ],
)
def test_what_is_not_complete_changes_nothing_and_is_told(
    client: Client, link: str, fields: dict[str, object], said: str
) -> None:
    before = everything()
    assert client.post(link, fields).headers["Location"] == link
    assert everything() == before
    assert words(client.get(link)).startswith(said)


# --- once it is over ----------------------------------------------------------------------------


def by_invitee(booking: Booking) -> None:
    bookings.cancel(booking=booking, actor=INVITEE, now=NOW)


def by_host(booking: Booking) -> None:
    actor = bookings.host(booking.host)
    bookings.cancel(booking=booking, actor=actor, now=NOW, reason="Away.")


def by_staff(booking: Booking) -> None:
    staff = factories.user("staff", first_name="Sue")
    bookings.cancel(booking=booking, actor=Actor(Role.STAFF, staff), now=NOW)


def declined(booking: Booking) -> None:
    actor = bookings.host(booking.host)
    bookings.reject(booking=booking, actor=actor, now=NOW, reason="No time.")


@pytest.mark.parametrize(
    ("happened", "outcome"),
    [
        (by_invitee, "Cancelled You cancelled this booking. When"),
        (by_host, "Cancelled Alice Ames cancelled this booking. Away. When"),
        (by_staff, "Cancelled The organisers cancelled this booking. When"),
        (declined, "Declined Alice Ames declined this booking. No time. When"),
    ],
)
def test_once_it_is_over_it_says_how(
    client: Client,
    approved: EventType,
    book: Book,
    happened: Callable[[Booking], None],
    outcome: str,
) -> None:
    booking = book(approved)
    link = address(booking)
    happened(booking)
    before = everything()
    page = client.get(link)
    assert outcome in words(page)
    assert main(page).count("<form") == 1  # to be erased
    client.post(link, move(sequence=1))
    assert words(client.get(link)).startswith("Nothing was changed, because")
    assert everything() == before


@pytest.mark.parametrize(
    ("waiting", "later", "outcome"),
    [
        (True, timedelta(0), "Expired This request expired without an answer."),
        (False, HALF_AN_HOUR, "Completed This booking has taken place."),
    ],
)
def test_time_ends_it_without_waiting_for_anybody(
    client: Client,
    event_type: EventType,
    approved: EventType,
    book: Book,
    waiting: bool,
    later: timedelta,
    outcome: str,
) -> None:
    link = address(book(approved if waiting else event_type))
    before = everything()
    with time_machine.travel(START + later, tick=False):
        page = client.get(link)
        assert outcome in words(page)
        assert main(page).count("<form") == 1  # to be erased
        client.post(link, cancel())
        client.post(link, move())
    assert everything() == before


# --- the link -----------------------------------------------------------------------------------


def test_a_broken_link_is_not_found_in_friendly_words(
    client: Client, booking: Booking, link: str
) -> None:
    value = [booking.pk, address_digest(booking.invitee_email)]
    answering = urlsplit(links.answer_url(booking)).path.rsplit("/", 1)[1]
    forged = signing.dumps(value, salt="scheduling.answer")
    of_another = signing.dumps([booking.pk, "0" * 16], salt="scheduling.manage")
    of_nothing = signing.dumps([0, value[1]], salt="scheduling.manage")
    token = link.rsplit("/", 1)[1]
    before = everything()
    for broken in (
        "x",
        "a:b:c",
        f"{token}x",
        token[:-1],
        answering,
        forged,
        of_another,
        of_nothing,
        "%00",
        "é",
    ):
        for answer in (
            client.get(f"/bookings/manage/{broken}"),
            client.post(f"/bookings/manage/{broken}", cancel()),
        ):
            assert answer.status_code == 404, broken
            assert words(answer).startswith("This link does not work This ")
    assert everything() == before


def test_a_post_wants_the_token_of_the_page(booking: Booking, link: str) -> None:
    client = Client(enforce_csrf_checks=True)
    before = everything()
    assert client.post(link, cancel()).status_code == 403
    client.get(link)
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    # What a browser would send if the policy of the page were `no-referrer`.
    assert client.post(link, cancel() | token, headers={"Origin": "null"}).status_code == 403
    assert everything() == before
    ours = {"Origin": "http://testserver"}
    assert client.post(link, cancel() | token, headers=ours).status_code == 302
    assert history(booking)[-1] == ("cancelled", "cancelled", "invitee", "")


@pytest.mark.parametrize("count", [1, 3])
def test_it_takes_five_queries_however_much_is_booked(
    client: Client,
    link: str,
    book: Book,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for number in range(1, count):
        book(start=START + HALF_AN_HOUR * number)
    # The booking, its guests, the event type with its hours, claims, and dates with other hours.
    with django_assert_num_queries(5):
        client.get(link)


@pytest.mark.parametrize(("method", "limit"), [("post", 60), ("get", 600)])
def test_an_address_that_asks_too_often_waits(
    client: Client, link: str, settings: Settings, method: str, limit: int
) -> None:
    settings.LIMITS = settings.LIMITS | {"public_posts": 60}
    before = everything()
    call = getattr(client, method)
    for _ in range(limit):
        assert call("/bookings/manage/x", REMOTE_ADDR="203.0.113.9").status_code == 404
    page = call(link, REMOTE_ADDR="203.0.113.9")
    assert page.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many requests" in words(page)
    assert everything() == before
    assert call(link, REMOTE_ADDR="203.0.113.10").status_code in (200, 302)

"""Booking page for strangers: the form, its refusals, and the page after a booking."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.core import mail
from django.test import Client
from icalendar import Calendar

from accounts.models import User
from scheduling.domain import bookings, services
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.outbox import address_of, rows
from tests.pages import NOW, START, UNSEEN, Answer, everything, main, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/alice/30-minute-meeting"
SECOND = int(START.timestamp())
JO = {"name": "Jo Stranger", "email": "jo@example.com", "zone": "Asia/Tokyo", "hours": "12"}


def form(**fields: object) -> dict[str, object]:
    return {"start": SECOND, "trap": "", **JO, **fields}


def post(client: Client, page: str = PAGE, **fields: object) -> Any:
    return client.post(page, form(**fields))


def errors(page: Answer) -> dict[str, str]:
    """Return the error message of each field."""
    found = re.findall(
        r'<ul class="errorlist" id="id_([^"]*)_error"><li>(.*?)</li></ul>', main(page)
    )
    return dict(found)


def question(name: str, type_: str, *options: str, required: bool = False) -> dict[str, object]:
    label = f"{name.capitalize()}?"
    return {
        "name": name,
        "label": label,
        "type": type_,
        "required": required,
        "options": list(options),
    }


# --- the form -----------------------------------------------------------------------------------


def test_the_form_says_what_is_about_to_be_booked(client: Client, alice: User) -> None:
    factories.event_type(
        alice, name="Advice", price="50.00", requires_approval=True, location="phone_call"
    )
    query = urlencode({"start": SECOND, "zone": "Asia/Tokyo", "hours": 12})
    page = client.get(f"/alice/advice?{query}")
    said = words(page)
    assert "30 minutes Phone Call $50.00 needs approval" in said
    assert "Alice approves each booking. The time that you choose is held for you" in said
    assert "Wednesday, 4 March 7:00 PM – 7:30 PM Tokyo Change the time" in said
    assert "Price: $50.00. Nothing is charged here. Request this time" in said
    labels = re.findall('<label for="([^"]*)">', main(page))
    assert labels == ["id_name", "id_email", "id_phone", "id_notes", "id_guests", "id_trap"]


def test_someone_with_an_account_need_not_say_who_they_are(
    client: Client, event_type: EventType, bob: User
) -> None:
    client.force_login(bob)
    page = client.get(f"{PAGE}?start={SECOND}")
    assert 'name="name" value="Bob Byrd"' in main(page)
    assert 'name="email" value="bob@example.com"' in main(page)


# --- booked -------------------------------------------------------------------------------------


THANKS = "https://example.com:8443/thanks?a=1#top"


def test_the_browser_goes_to_the_hosts_own_page(client: Client, alice: User) -> None:
    factories.event_type(alice, redirect_url=THANKS)
    answer = post(client)
    assert (answer.status_code, answer["Location"], answer.content) == (303, THANKS, b"")
    assert Booking.objects.get().status == "confirmed"


def form_action(answer: Any) -> str:
    [found] = re.findall(r"form-action [^;]*", answer["Content-Security-Policy"])
    return str(found)


def test_the_policy_lets_the_forms_of_this_page_lead_there(client: Client, alice: User) -> None:
    """The first page of all counts: a script exchanges its parts."""
    factories.event_type(alice, redirect_url=THANKS)
    factories.event_type(alice, slug="other")
    allowed = "form-action 'self' https://example.com:8443"
    pages = [client.get(PAGE), client.get(f"{PAGE}?start={SECOND}"), post(client, name="")]
    assert [form_action(page) for page in pages] == [allowed] * 3
    assert form_action(client.get("/alice/other")) == "form-action 'self'"
    assert form_action(client.get("/alice")) == "form-action 'self'"


def test_a_stranger_books(client: Client, event_type: EventType) -> None:
    answer = client.post(
        PAGE,
        form(notes="Hello\r\nthere", name="  Jo\tStranger "),
        headers={"Accept-Language": "fr"},
    )
    booking = Booking.objects.get()
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"/bookings/booked/{links.manage_token(booking)}",
    )
    assert (
        booking.invitee_name,
        booking.invitee_email,
        booking.timezone,
        booking.start,
        booking.notes,
        booking.status,
        booking.language,
        booking.time_format,
    ) == (
        "Jo Stranger",
        "jo@example.com",
        "Asia/Tokyo",
        START,
        "Hello\nthere",
        "confirmed",
        "fr",
        "hh:mm a",
    )
    assert booking.history.get().role == "invitee"
    told = [address_of(row) for row in rows(kind="booking_confirmed")]
    assert told == ["alice@example.com", "jo@example.com"]
    assert mail.outbox == []  # a worker's to send


def test_what_is_asked_is_kept_as_the_host_has_asked_for_it(client: Client, alice: User) -> None:
    factories.event_type(
        alice,
        custom_fields=[
            question("email", "text"),  # its name is also that of a built-in field
            question("people", "number", required=True),
            question("share", "number"),
            question("new", "boolean"),
            question("size", "select", "S", "M"),
            question("call", "phone"),
            question("story", "textarea"),
            question("reply", "email"),
        ],
    )
    answer = post(
        client,
        **{
            "answer-0": "by post",
            "answer-1": "3",
            "answer-2": "0.5",
            "answer-3": "on",
            "answer-4": "M",
            "answer-5": "+49 30 1234",
            "answer-6": "Once\r\nupon",
            "answer-7": "",
        },
    )
    assert answer.status_code == 302, errors(answer)
    assert Booking.objects.get().custom_field_values == {
        "email": "by post",
        "people": 3,
        "share": 0.5,
        "new": True,
        "size": "M",
        "call": "+49301234",
        "story": "Once\nupon",
    }


def test_where_the_host_must_approve_it_is_asked_for(client: Client, approved: EventType) -> None:
    answer = post(client, page="/alice/interview")
    assert Booking.objects.get().status == "pending"
    page = client.get(answer["Location"])
    said = words(page)
    assert "Request sent Awaiting approval" in said
    assert "The time is held for you until Alice Ames answers" in said
    assert "Add to calendar" not in said


# --- refused ------------------------------------------------------------------------------------


def test_what_is_missing_is_said_beside_its_field_and_nothing_is_lost(
    client: Client, alice: User
) -> None:
    factories.event_type(alice, custom_fields=[question("topic", "text", required=True)])
    before = everything()
    page = post(client, name="", email="jo@", notes="Still here")
    assert page.status_code == 200
    assert errors(page) == {
        "name": "This field is required.",
        "email": "Enter a valid email address.",
        "answer-0": "This field is required.",
    }
    assert "Still here" in main(page)
    assert f'name="start" value="{SECOND}"' in main(page)
    assert everything() == before


def test_what_nobody_can_see_in_a_name_or_an_address_is_refused(
    client: Client, alice: User
) -> None:
    factories.event_type(alice)
    before = everything()
    page = post(client, name="\u202eeoD nhoJ", email="john@exam\u200bple.com")
    assert errors(page) == {
        "name": UNSEEN,
        "email": "Enter a valid email address.",
    }
    assert everything() == before


@pytest.mark.parametrize(
    ("type_", "answer", "said"),
    [
        ("number", "three", "Enter a number."),
        ("number", "nan", "Enter a number."),
        ("number", "9" * 20, "Is too large."),
        ("select", "XL", "Select a valid choice. XL is not one of the available choices."),
        ("phone", "call me", "Must be a phone number."),
        ("email", "jo@", "Enter a valid email address."),
        ("email", '"\x01"@example.com', "Enter a valid email address."),
        (
            "text",
            "x" * 501,
            "Ensure this value has at most 500 characters (it has 501).",
        ),
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_refused_beside_it(
    client: Client, alice: User, type_: str, answer: str, said: str
) -> None:
    options = ["S", "M"] if type_ == "select" else []
    factories.event_type(alice, custom_fields=[question("topic", type_, *options)])
    page = post(client, **{"answer-0": answer})
    assert errors(page) == {"answer-0": said}
    assert not Booking.objects.exists()


def test_a_time_that_is_taken_meanwhile_leaves_what_was_typed_and_offers_others(
    client: Client, event_type: EventType, book: Book
) -> None:
    book()
    page = post(client, notes="Still here")
    said = words(page)
    assert page.status_code == 200
    assert "That time is no longer free. Your entries are kept." in said
    offered = re.findall('type="radio" name="start" value="([0-9]+)"', main(page))
    half = 30 * 60
    # The day begins an hour before.
    assert [int(second) for second in offered] == [
        SECOND + step * half for step in (-2, -1, 1, 2, 3, 4)
    ]
    assert "Still here" in main(page)
    assert f'name="start" value="{SECOND}"' not in main(page)
    answer = post(client, notes="Still here", start=offered[0])
    assert answer.status_code == 302
    assert Booking.objects.filter(notes="Still here").count() == 1


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (SECOND + 60, "No meeting starts at that time."),
        (SECOND + 12 * 3600, "That time is outside the host's availability."),
        (int(NOW.timestamp()) - 3 * 86_400, "That time has passed, or is too soon."),
        (SECOND + 90 * 86_400, "That time is too far ahead."),
    ],
)
def test_a_time_that_is_not_offered_is_refused_with_the_reason(
    client: Client, event_type: EventType, start: int, why: str
) -> None:
    page = post(client, start=start)
    assert why in words(page)
    assert not Booking.objects.exists()


@pytest.mark.parametrize("start", ["", "x", "-1", str(2**60)])
def test_without_a_time_one_chooses_one_first(
    client: Client, event_type: EventType, start: str
) -> None:
    assert "Choose a day and a time" in words(post(client, start=start))
    assert not Booking.objects.exists()


def test_a_machine_that_fills_in_everything_books_nothing(
    client: Client, event_type: EventType
) -> None:
    page = post(client, trap="https://spam.example")
    assert "Leave this empty. It protects against spam." in words(page)
    assert not Booking.objects.exists()


def test_a_trap_that_an_extension_fills_in_is_shown_empty_and_lets_its_owner_out(
    client: Client, event_type: EventType
) -> None:
    hidden = main(client.get(f"{PAGE}?start={SECOND}"))
    assert '<div class="trap" aria-hidden="true">' in hidden
    page = main(post(client, trap="jo@example.com"))
    assert 'class="trap"' not in page
    [trap] = re.findall('<input[^>]*name="trap"[^>]*>', page)
    assert "value" not in trap
    assert "tabindex" not in trap
    assert post(client, trap="").status_code == 302


def test_what_is_no_longer_offered_cannot_be_booked(client: Client, event_type: EventType) -> None:
    services.delete_event_type(event_type=event_type)
    assert post(client).status_code == 404


def test_a_form_of_another_site_is_refused(event_type: EventType) -> None:
    assert post(Client(enforce_csrf_checks=True)).status_code == 403
    assert not Booking.objects.exists()


# --- afterwards ---------------------------------------------------------------------------------


@pytest.fixture
def token(book: Book) -> str:
    return links.manage_token(book())


def test_the_page_afterwards_has_the_calendars_and_the_way_to_change_it(
    client: Client, token: str
) -> None:
    page = client.get(f"/bookings/booked/{token}")
    said = words(page)
    assert "Booking confirmed Invitation sent to john@example.com." in said
    assert "Invitation sent to john@example.com." in said
    assert f'href="/bookings/manage/{token}"' in main(page)
    assert (page["Cache-Control"], page["Referrer-Policy"], page["X-Robots-Tag"]) == (
        "no-store",
        "no-referrer",
        "noindex",
    )
    urls = re.findall('href="(https://[^"]*)"', main(page))
    google, *outlooks = [urlsplit(url.replace("&amp;", "&")) for url in urls]
    asked = parse_qs(google.query)
    assert (google.netloc, asked["dates"], asked["text"], asked["location"]) == (
        "calendar.google.com",
        ["20260304T100000Z/20260304T103000Z"],
        ["30 Minute Meeting with Alice Ames"],
        ["Zoom Call"],
    )
    assert [url.netloc for url in outlooks] == ["outlook.live.com", "outlook.office.com"]
    for url in outlooks:
        asked = parse_qs(url.query)
        assert (asked["startdt"], asked["enddt"]) == (
            ["2026-03-04T10:00:00Z"],
            ["2026-03-04T10:30:00Z"],
        )


def test_the_calendar_file_is_an_entry_and_asks_for_nothing(client: Client, token: str) -> None:
    answer = client.get(f"/bookings/calendar/{token}")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="30-minute-meeting.ics"'
    calendar = Calendar.from_ical(answer.content.decode())
    (entry,) = calendar.walk("VEVENT")
    assert (str(calendar["METHOD"]), entry.decoded("DTSTART"), entry.decoded("DTEND")) == (
        "PUBLISH",
        START,
        START + timedelta(minutes=30),
    )
    assert "ATTENDEE" not in entry


@pytest.mark.parametrize("page", ["booked", "calendar"])
def test_once_it_is_over_both_lead_to_what_became_of_it(
    client: Client, token: str, page: str
) -> None:
    bookings.cancel(booking=Booking.objects.get(), actor=bookings.INVITEE, now=NOW)
    answer = client.get(f"/bookings/{page}/{token}")
    assert (answer.status_code, answer["Location"]) == (302, f"/bookings/manage/{token}")


@pytest.mark.parametrize("page", ["booked", "calendar"])
def test_a_broken_link_says_so(client: Client, token: str, page: str) -> None:
    answer = client.get(f"/bookings/{page}/{token[:-1]}")
    assert answer.status_code == 404
    assert "This link does not work" in words(answer)


def test_the_page_to_manage_it_has_the_calendars_too_while_it_is_certain(
    client: Client, token: str
) -> None:
    assert "Add to calendar" in words(client.get(f"/bookings/manage/{token}"))
    with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC), tick=False):
        assert "Add to calendar" not in words(client.get(f"/bookings/manage/{token}"))

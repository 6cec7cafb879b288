"""Guests of a booking: who can be one, what they hear, and how often one is invited."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from icalendar import Calendar
from pytest_django import Settings

from accounts.models import User
from core.people import privacy
from scheduling.api.events import _EVENTS
from scheduling.domain import bookings, erasure
from scheduling.domain.bookings import INVITEE
from scheduling.messages import links
from scheduling.models import Booking, EventType, Guest
from tests import factories
from tests.outbox import address_of, content_of, rows, sent
from tests.pages import NOW, START, main, words
from tests.scheduling.calls import call
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/alice/30-minute-meeting"
MARY, PETER = "mary@example.com", "peter@example.com"
HOUR = timedelta(hours=1)


def form(guests: str, **fields: str) -> dict[str, str]:
    usual = {"start": str(int(START.timestamp())), "trap": "", "zone": "Asia/Tokyo", "hours": "24"}
    return usual | {"name": "Jo", "email": "jo@example.com", "guests": guests, **fields}


def told(kind: str) -> list[str]:
    return [address_of(row) for row in rows(kind=kind)]


def event_of(row: Any) -> Any:
    [event] = Calendar.from_ical(content_of(row)["ics"]).walk("VEVENT")
    return event


def attendees(row: Any) -> list[str]:
    found = event_of(row)["attendee"]
    return [str(each).removeprefix("mailto:") for each in found]


# --- who can be one -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", [f"{MARY}, {PETER}", f"{MARY}\r\n{PETER}\r\n", f" {MARY};{PETER} {MARY.upper()}"]
)
def test_they_are_typed_with_commas_or_lines(
    client: Client, event_type: EventType, typed: str
) -> None:
    assert client.post(PAGE, form(typed)).status_code == 302
    addresses = list(Guest.objects.values_list("email", flat=True))
    assert [address.lower() for address in addresses] == [MARY, PETER]
    assert told("guest_invited") == addresses


def test_each_wrong_address_is_named_beside_the_field(
    client: Client, event_type: EventType
) -> None:
    page = client.post(PAGE, form(f"mary, JO+1@example.com, {PETER}"))
    assert (page.status_code, Booking.objects.count()) == (200, 0)
    said = words(page)
    assert "“mary” is not an email address. “JO+1@example.com” is the invitee." in said
    assert "mary, JO+1@example.com, peter@example.com" in said


def test_each_mailbox_is_invited_once_and_that_of_the_host_is_nobodys_business(
    client: Client, event_type: EventType
) -> None:
    greek = "a@\u0391\u03a3.example"  # a capital sigma is small in two ways
    typed = f"{MARY} Mary+1@example.com alice@example.com {greek} a@\u03b1\u03c3.example"
    assert client.post(PAGE, form(typed)).status_code == 302
    assert [guest.email for guest in Booking.objects.get().invited] == [MARY, greek]


def test_eleven_are_too_many(client: Client, event_type: EventType) -> None:
    typed = ",".join(f"guest-{number}@example.com" for number in range(11))
    assert "A booking can have 10 guests." in words(client.post(PAGE, form(typed)))
    assert client.post(PAGE, form(typed.rpartition(",")[0])).status_code == 302
    assert Guest.objects.count() == 10


def test_the_database_keeps_each_once(book: Book) -> None:
    booking = book(guests=[MARY])
    with pytest.raises(IntegrityError), transaction.atomic():
        Guest.objects.create(booking=booking, email="Mary@Example.com", created_at=NOW)


@pytest.mark.parametrize(
    ("guests", "status", "errors"),
    [
        ([MARY], 201, None),
        (None, 422, ["guests"]),
        (MARY, 422, ["guests"]),
        (["mary"], 422, ["guests.0"]),
        (["john@example.com"], 422, ["guests"]),
        ([f"guest-{number}@example.com" for number in range(11)], 422, ["guests"]),
    ],
)
def test_the_api_takes_a_list(
    alice: User, event_type: EventType, guests: Any, status: int, errors: list[str] | None
) -> None:
    api = factories.client(alice)
    body = {
        "event_type_id": event_type.pk,
        "start_time": f"{START:%Y-%m-%dT%H:%M:%SZ}",
        "attendee_name": "John Doe",
        "attendee_email": "john@example.com",
        "guests": guests,
    }
    answered, answer = call(api, "POST", "/events", body)
    assert answered == status, answer
    if errors is None:
        assert answer["data"]["guests"] == guests
        assert call(api, "GET", "/events")[1]["data"][0]["guests"] == guests
    else:
        assert [each["field"] for each in answer["details"]] == errors


def test_a_list_of_many_takes_one_query_for_all_guests(
    alice: User, book: Book, django_assert_num_queries: Callable[..., Any]
) -> None:

    for number in range(3):
        book(start=START + number * HOUR, guests=[MARY, f"guest-{number}@example.com"])
    _EVENTS.all(user=alice.pk)
    with django_assert_num_queries(2):
        shown = _EVENTS.all(user=alice.pk)
    assert [each["guests"][1] for each in shown] == [f"guest-{n}@example.com" for n in range(3)]


def test_a_link_fills_them_and_the_phone_in(client: Client, alice: User) -> None:
    factories.event_type(alice, name="Call", location="phone_call")
    start = int(START.timestamp())
    query = f"start={start}&phone=%2B49301234&guests=mary@example.com%0Apeter@example.com"
    page = main(client.get(f"/alice/call?{query}"))
    assert 'name="phone" value="+49301234"' in page
    assert f"{MARY}\n{PETER}</textarea>" in page


# --- what they hear -------------------------------------------------------------------------------


def test_a_guest_has_an_entry_of_their_own(alice: User, book: Book) -> None:
    book(guests=[MARY, PETER], notes="https://evil.example", name="Win a prize", phone="+49 30 12")
    mary, _peter = rows(kind="guest_invited")
    assert attendees(mary) == ["alice@example.com", "john@example.com", MARY]
    guest = event_of(mary)["attendee"][2]
    assert (guest.params["ROLE"], guest.params["PARTSTAT"]) == ("OPT-PARTICIPANT", "NEEDS-ACTION")
    said = str(content_of(mary))
    assert content_of(mary)["subject"] == (
        "Invitation: 30 Minute Meeting with Alice Ames, Wed 4 Mar, 11:00"
    )
    assert "john@example.com invited you to 30 Minute Meeting with Alice Ames." in said
    # Nothing that a stranger typed, no other guest, and no link that acts.
    for typed in ("evil", "prize", PETER, "/bookings/manage/", "/bookings/answer/", "+49"):
        assert typed not in said, typed
    assert content_of(mary)["reply_to"] == "Alice Ames <alice@example.com>"


def test_the_host_reads_all_and_the_invitee_what_they_may(alice: User, book: Book) -> None:
    book(guests=[MARY])
    book(start=START + HOUR, guests=[PETER], actor=bookings.host(alice))
    public_host, public_john, own_host, own_john = rows(kind="booking_confirmed")
    assert attendees(public_host) == ["alice@example.com", "john@example.com", MARY]
    assert "Guests: mary@example.com\n" in content_of(public_host)["text"]
    assert MARY not in str(content_of(public_john))
    assert attendees(own_john) == attendees(own_host)
    assert "Guests: peter@example.com\n" in content_of(own_john)["text"]


def test_both_see_them_on_their_pages(client: Client, book: Book) -> None:
    booking = book(guests=[MARY])
    assert f"Guests {MARY}" in words(client.get(f"/bookings/manage/{links.manage_token(booking)}"))
    client.force_login(booking.host)
    assert f"Guests {MARY}" in words(client.get(f"/bookings/{booking.pk}"))


def test_they_hear_of_a_request_once_it_is_approved(
    alice: User, approved: EventType, book: Book
) -> None:
    host, booking = bookings.host(alice), book(of=approved, guests=[MARY])
    assert rows(kind__startswith="guest") == []
    booking = bookings.confirm(booking=booking, actor=host, now=NOW)
    assert told("guest_invited") == [MARY]
    # Another time that must be approved ends the invitation, and approving it makes another.
    booking = bookings.reschedule(booking=booking, start=START + HOUR, actor=INVITEE, now=NOW)
    [off] = rows(kind="guest_cancelled")
    assert "10:00:00Z" not in str(event_of(off)["dtstart"].dt)
    assert (event_of(off)["dtstart"].dt, event_of(off)["status"]) == (START, "CANCELLED")
    assert content_of(off)["ics_method"] == "CANCEL"
    bookings.confirm(booking=booking, actor=host, now=NOW)
    assert told("guest_invited") == [MARY] * 2


@pytest.mark.parametrize("end", ["reject", "cancel"])
def test_of_what_was_never_confirmed_they_hear_nothing(
    alice: User, approved: EventType, book: Book, end: str
) -> None:
    booking = book(of=approved, guests=[MARY])
    getattr(bookings, end)(booking=booking, actor=bookings.host(alice), now=NOW)
    assert rows(kind__startswith="guest") == []


def test_they_hear_of_another_time_and_link(alice: User, book: Book) -> None:
    booking = book(guests=[MARY])
    moved = bookings.reschedule(booking=booking, start=START + HOUR, actor=INVITEE, now=NOW)
    bookings.update(booking=moved, join_url="https://example.com/room", now=NOW)
    time, link = rows(kind="guest_changed")
    assert "It was on Wednesday" in content_of(time)["text"] or "It was on Wed" in str(
        content_of(time)
    )
    assert event_of(time)["dtstart"].dt == START + HOUR
    assert "https://example.com/room" in content_of(link)["text"]
    assert [event_of(each)["sequence"] for each in (time, link)] == [1, 2]


def test_a_reason_reaches_them_from_the_host_alone(alice: User, book: Book) -> None:
    for number, actor in enumerate((INVITEE, bookings.host(alice))):
        booking = book(start=START + number * HOUR, guests=[MARY])
        bookings.cancel(booking=booking, actor=actor, reason="The flu.", now=NOW)
    by_invitee, by_host = rows(kind="guest_cancelled")
    assert "The flu." not in str(content_of(by_invitee))
    assert "Reason: “The flu.”" in content_of(by_host)["text"]


def test_a_worker_sends_them(book: Book) -> None:
    book(guests=[MARY])
    assert set(sent(NOW)) == {"alice@example.com", "john@example.com", MARY}


# --- how often ------------------------------------------------------------------------------------


def at(number: int) -> dict[str, str]:
    return {"start": str(int((START + number * HOUR).timestamp()))}


def test_an_address_is_a_guest_so_often(
    client: Client, event_type: EventType, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"bookings_hour": 2, "bookings_day": 2}
    for number in range(2):
        typed = form(MARY, email=f"jo-{number}@example.com", **at(number))
        assert client.post(PAGE, typed).status_code == 302
    refused = client.post(PAGE, form(f"{PETER}, Mary+1@example.com", **at(2)))
    assert refused.status_code == 429
    assert "“Mary+1@example.com” can be invited 2 times an hour, and again from" in words(refused)
    # As an invitee the address has a number of its own.
    assert client.post(PAGE, form("", email=MARY, **at(2))).status_code == 302


def test_an_invitee_brings_so_many(
    client: Client, event_type: EventType, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"guests_day": 3}
    assert client.post(PAGE, form(f"{MARY} {PETER}")).status_code == 302
    refused = client.post(PAGE, form("a@example.com b@example.com", **at(1)))
    assert refused.status_code == 429
    assert "With one address you can invite 3 guests a day." in words(refused)
    assert client.post(PAGE, form("a@example.com", **at(1))).status_code == 302
    over = form("a@example.com b@example.com c@example.com d@example.com", email="x@example.com")
    assert client.post(PAGE, over | at(2)).status_code == 429


def test_a_client_address_counts_them(
    client: Client, event_type: EventType, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"bookings_client": 3}
    assert client.post(PAGE, form(f"{MARY} {PETER}")).status_code == 302
    assert client.post(PAGE, form("", **at(1))).status_code == 429


def test_a_host_invites_an_address_so_often(
    alice: User, event_type: EventType, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"bookings_api": 1}
    api = factories.client(alice)
    body = {"event_type_id": event_type.pk, "attendee_name": "John", "guests": [MARY]}
    answers = [
        call(
            api,
            "POST",
            "/events",
            body
            | {
                "attendee_email": f"john-{number}@example.com",
                "start_time": f"{START + number * HOUR:%Y-%m-%dT%H:%M:%SZ}",
            },
        )[0]
        for number in range(2)
    ]
    assert answers == [201, 429]


def test_erasing_makes_no_room_for_a_day(
    client: Client, event_type: EventType, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"bookings_hour": 1}
    client.post(PAGE, form(MARY))
    erasure.erase_invitee(booking=Booking.objects.get(), now=NOW)
    assert Guest.objects.get().email == ""
    assert client.post(PAGE, form(MARY, email="x@example.com")).status_code == 429
    privacy.retain(now=NOW + timedelta(hours=23))
    assert Guest.objects.count() == 1
    privacy.retain(now=NOW + timedelta(days=1))
    assert Guest.objects.count() == 0


# --- erased ---------------------------------------------------------------------------------------


def test_a_guest_who_deletes_their_account_stays_on_bookings_to_come(bob: User, book: Book) -> None:
    past, to_come = (
        book(start=START + number * HOUR, guests=["Bob@example.com", MARY]) for number in range(2)
    )
    Booking.objects.filter(pk=past.pk).update(start=NOW - HOUR, end=NOW)
    privacy.erase(person_id=bob.pk, now=NOW)
    left = {(guest.booking_id, guest.email) for guest in Guest.objects.exclude(email="")}
    assert left == {
        (past.pk, MARY),
        (to_come.pk, "Bob@example.com"),
        (to_come.pk, MARY),
    }


def test_a_host_who_deletes_their_account_keeps_none(alice: User, book: Book) -> None:
    book(guests=[MARY])
    privacy.erase(person_id=alice.pk, now=NOW)
    assert list(Guest.objects.values_list("email", flat=True)) == [""]
    assert MARY in sent(NOW)  # it is off

"""The link to join: both people of a confirmed booking see it until that is over."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from scheduling.domain import bookings
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, Answer, main, stand_alone, words

pytestmark = pytest.mark.django_db

SHARED, OWN = "https://zoom.us/j/1?pwd=a&b=c", "https://meet.example/own"
COMES = "The link to join comes with the confirmation."
FOLLOWS = "You get the meeting link later."
UNSET = "No meeting link yet."


@pytest.fixture(autouse=True)
def clock(settings: Settings) -> Iterator[time_machine.Traveller]:
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def online(alice: User) -> EventType:
    return factories.event_type(alice, location_link=SHARED)


def joined(page: Answer) -> list[str]:
    """Return the addresses of the buttons to join on a page."""
    pattern = r'<a class="button button-primary" href="([^"]*)" rel="noopener noreferrer">Join<'
    return [url.replace("&amp;", "&") for url in re.findall(pattern, main(page))]


def pages_of(booking: Booking) -> dict[str, Any]:
    """Return the pages that show a booking: of its host, and of its invitee."""
    host, invitee = Client(), Client()
    host.force_login(booking.host)
    token = links.manage_token(booking)
    status = booking.status_at(NOW)
    return {
        "page": host.get(f"/bookings/{booking.pk}"),
        "list": host.get(f"/bookings?tab={status}"),
        "home": host.get("/"),
        "manage": invitee.get(reverse("scheduling:manage", args=[token])),
        "booked": invitee.get(reverse("scheduling:booked", args=[token])),
    }


def book(event_type: EventType, **fields: Any) -> Booking:
    return factories.booking(event_type, start=START, now=NOW, **fields)


def test_both_people_join_a_confirmed_booking(online: EventType) -> None:
    for name, page in pages_of(book(online)).items():
        assert joined(page) == [SHARED], name


def test_its_own_link_stands_in_place_of_the_event_types(online: EventType) -> None:
    for name, page in pages_of(book(online, join_url=OWN)).items():
        assert joined(page) == [OWN], name
        assert "zoom.us" not in page.content.decode()


def test_a_booking_can_have_a_link_where_its_event_type_has_none(alice: User) -> None:
    there = factories.event_type(alice, location="in_person")
    for name, page in pages_of(book(there, join_url=OWN)).items():
        assert joined(page) == [OWN], name


def test_nobody_sees_the_link_before_the_booking_is_confirmed(alice: User) -> None:
    approved = factories.event_type(alice, location_link=SHARED, requires_approval=True)
    booking = book(approved)
    for name, page in pages_of(booking).items():
        assert "zoom.us" not in page.content.decode(), name
        assert (COMES in words(page)) == (name in ("manage", "booked")), name
    bookings.confirm(booking=booking, actor=bookings.host(alice), now=NOW)
    booking.refresh_from_db()
    assert joined(pages_of(booking)["manage"]) == [SHARED]


@pytest.mark.parametrize("location", ["zoom_meeting", "google_meet", "custom"])
def test_a_link_that_is_not_there_follows_and_its_host_can_set_it(
    alice: User, location: str
) -> None:
    later = factories.event_type(alice, location=location, location_custom="Jitsi")
    for name, page in pages_of(book(later)).items():
        assert joined(page) == [], name
        assert (FOLLOWS in words(page)) == (name in ("manage", "booked")), name
        assert (UNSET in words(page)) == (name == "page"), name


@pytest.mark.parametrize("location", ["phone_call", "in_person"])
def test_where_people_do_not_meet_by_a_link_none_is_spoken_of(alice: User, location: str) -> None:
    there = factories.event_type(alice, location=location)
    for page in pages_of(book(there, phone="+49 30 1234")).values():
        assert "link to join" not in words(page)


def test_what_is_over_is_not_joined(
    alice: User, online: EventType, clock: time_machine.Traveller
) -> None:
    cancelled = book(online)
    bookings.cancel(booking=cancelled, actor=bookings.INVITEE, now=NOW)
    cancelled.refresh_from_db()
    past = book(online)
    for page in pages_of(cancelled).values():
        assert joined(page) in ([], [SHARED])  # that of the other, at home
    assert joined(pages_of(cancelled)["page"]) == joined(pages_of(cancelled)["manage"]) == []
    clock.move_to(past.end - timedelta(seconds=1))
    assert joined(pages_of(past)["manage"]) == [SHARED]
    clock.move_to(past.end)
    for name, page in pages_of(past).items():
        assert joined(page) == [], name


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"location_link": SHARED}, COMES),
        ({}, FOLLOWS),
        ({"location": "phone_call"}, ""),
    ],
)
def test_the_public_page_says_that_there_is_a_link_and_not_which(
    client: Client, alice: User, fields: dict[str, Any], said: str
) -> None:
    event_type = factories.event_type(alice, **fields)
    address = f"/alice/{event_type.slug}"
    start = int(START.timestamp())
    for path in ("/alice", address, f"{address}?start={start}"):
        page: Any = client.get(path)
        assert page.status_code == 200
        assert "zoom.us" not in page.content.decode()
        told = [each for each in (COMES, FOLLOWS) if each in words(page)]
        assert told == ([said] if said and path != "/alice" else [])


def test_a_new_link_asks_nobody_to_agree_anew(online: EventType) -> None:
    before = online.terms_digest
    online.location_link = OWN
    assert online.terms_digest == before


def test_web_calendars_get_the_link_as_the_place(online: EventType) -> None:
    page = pages_of(book(online))["booked"]
    assert {calendar.url.count("zoom.us") for calendar in page.context["calendars"]} == {1}

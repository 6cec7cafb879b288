"""Outdated booking page: nothing is booked on terms that its reader has not seen."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core.errors import Invalid
from core.text.lines import validate_address
from scheduling.domain import bookings, services
from scheduling.messages import links
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, Answer, everything, main, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/alice/30-minute-meeting"
SECOND = int(START.timestamp())
CHANGED = "The terms have changed since you opened this page. These hold now:"
TYPED = {"name": "Jo", "email": "jo@example.com", "notes": "Still here", "zone": "UTC"}


def hidden(page: Answer) -> dict[str, str]:
    """Return the hidden inputs of the page's form."""
    form = re.findall(r'<form [^>]*method="post".*?</form>', main(page), re.S)[-1]
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form))


def open_page(client: Client) -> dict[str, Any]:
    """Open the page now and return the fields that its form sends."""
    return hidden(client.get(f"{PAGE}?start={SECOND}&zone=UTC")) | TYPED


def test_what_has_not_changed_is_booked_at_once(client: Client, event_type: EventType) -> None:
    sent = open_page(client)
    services.update_event_type(event_type=event_type, name="Other", description="About it.")
    assert client.post(PAGE, sent).status_code == 302


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"duration": 60}, "60 minutes Zoom Call"),
        ({"price": "80.00"}, "30 minutes Zoom Call $80.00"),
        ({"location": "in_person"}, "30 minutes In Person"),
        ({"requires_approval": True}, "30 minutes Zoom Call needs approval"),
    ],
)
def test_other_terms_are_shown_and_asked_about_before_anything_is_booked(
    client: Client, event_type: EventType, changes: dict[str, Any], said: str
) -> None:
    sent = open_page(client)
    services.update_event_type(event_type=event_type, **changes)
    before = everything()
    page = client.post(PAGE, sent)
    assert page.status_code == 200
    assert f"{CHANGED} {said} Your entries are kept." in words(page)
    assert "Still here" in main(page)
    assert 'value="jo@example.com"' in main(page)
    assert everything() == before
    assert client.post(PAGE, hidden(page) | TYPED).status_code == 302
    booking = Booking.objects.get()
    assert (booking.end - booking.start).total_seconds() == 60 * changes.get("duration", 30)


def test_another_currency_counts_where_there_is_a_price(client: Client, alice: User) -> None:
    paid = factories.event_type(alice, price="50.00")
    sent = open_page(client)
    services.update_event_type(event_type=paid, currency="EUR")
    assert CHANGED in words(client.post(PAGE, sent))
    sent = open_page(client)
    services.update_event_type(event_type=paid, payment_method="invoice")
    assert CHANGED in words(client.post(PAGE, sent))
    services.update_event_type(event_type=paid, price=None)
    sent = open_page(client)
    services.update_event_type(event_type=paid, currency="USD")
    assert client.post(PAGE, sent).status_code == 302


def test_a_call_by_phone_meanwhile_asks_for_the_number_too(
    client: Client, event_type: EventType
) -> None:
    sent = open_page(client)
    services.update_event_type(event_type=event_type, location="phone_call")
    page = client.post(PAGE, sent)
    assert 'name="phone"' in main(page)
    sent = hidden(page) | TYPED
    assert client.post(PAGE, sent | {"phone": "+49 30 1234"}).status_code == 302


def test_where_the_time_is_none_at_the_new_length_others_are_offered(
    client: Client, event_type: EventType
) -> None:
    sent = open_page(client)
    services.update_event_type(event_type=event_type, duration=240)
    page = client.post(PAGE, sent)
    assert f"{CHANGED} 240 minutes Zoom Call Your entries are kept." in words(page)
    offered = re.findall('type="radio" name="start" value="([0-9]+)"', main(page))
    assert client.post(PAGE, hidden(page) | TYPED | {"start": offered[0]}).status_code == 302


def test_terms_that_change_in_the_very_moment_are_found_under_the_lock(
    event_type: EventType,
) -> None:
    seen = event_type.terms_digest
    services.update_event_type(event_type=event_type, duration=60)
    invitee = bookings.Invitee(name="Jo", email="jo@example.com", timezone="UTC")
    with pytest.raises(Invalid) as refused:
        bookings.book(
            event_type=event_type,
            start=START,
            invitee=invitee,
            actor=bookings.INVITEE,
            now=NOW,
            seen=seen,
        )
    assert refused.value.field == "terms"


def test_a_change_while_it_is_booked_is_asked_about_as_well(
    client: Client, event_type: EventType, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = open_page(client)

    def change_then_check(email: str) -> None:
        services.update_event_type(event_type=event_type, duration=60)
        validate_address(email)

    monkeypatch.setattr(bookings, "validate_address", change_then_check)
    page = client.post(PAGE, sent)
    assert f"{CHANGED} 60 minutes" in words(page)
    assert not Booking.objects.exists()


# --- moving a booking -----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["invitee", "host"])
def test_nor_is_anything_moved_on_other_terms(
    client: Client, event_type: EventType, alice: User, book: Book, who: str
) -> None:
    booking = book()
    page = post_to = f"/bookings/manage/{links.manage_token(booking)}"
    if who == "host":
        client.force_login(alice)
        page, post_to = f"/bookings/{booking.pk}", f"/bookings/{booking.pk}/move"
    query = f"?start={SECOND + 7 * 86_400}"
    moved = {"act": "move", "reason": "", "start": SECOND + 7 * 86_400}
    form = re.findall(r'<form [^>]*method="post".*?</form>', main(client.get(page + query)), re.S)
    [carried] = [each for each in form if 'name="terms"' in each]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', carried))
    services.update_event_type(event_type=event_type, duration=60, price="99.00")
    answer = client.post(post_to, fields | moved)
    booking.refresh_from_db()
    assert booking.start == START
    shown = client.get(answer["Location"])
    assert "The terms have changed since this page was opened." in words(shown)
    shown = client.get(page + query)
    assert "$99.00" in words(shown)
    [terms] = re.findall('name="terms" value="([^"]*)"', main(shown))
    client.post(post_to, fields | moved | {"terms": terms})
    booking.refresh_from_db()
    assert booking.start == START + timedelta(days=7)
    assert (booking.end - booking.start).total_seconds() == 30 * 60  # its length stays

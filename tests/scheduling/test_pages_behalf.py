"""A host books one of their own event types for somebody."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from scheduling.models import Booking, EventType
from tests import factories
from tests.outbox import address_of, content_of, rows
from tests.pages import NOW, START, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

SECOND = int(START.timestamp())


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def form(**fields: object) -> dict[str, object]:
    usual = {"start": SECOND, "trap": "", "zone": "Asia/Tokyo", "hours": "24", "notes": "Hello"}
    invitee = {"name": "Jo", "email": "jo@example.com", "zone_of_invitee": "new york"}
    return usual | invitee | fields


def post(signed_in: Client, event_type: EventType, **fields: object) -> Any:
    return signed_in.post(f"/event-types/{event_type.pk}/book", form(**fields), follow=True)


def test_the_list_leads_there(signed_in: Client, event_type: EventType) -> None:
    page = f"/event-types/{event_type.pk}/book"
    assert f'href="{page}"' in main(signed_in.get("/event-types"))
    times = signed_in.get(page)
    assert "Choose a day and a time" in words(times)
    assert f'action="{page}#day"' in main(times)


def test_the_form_asks_for_the_invitee(signed_in: Client, approved: EventType) -> None:
    query = f"start={SECOND}&zone=Asia/Tokyo&hours=24"
    page = signed_in.get(f"/event-types/{approved.pk}/book?{query}")
    said = words(page)
    for text in ("Invitee's details", "Invitee's name", "Invitee's email", "Invitee's time zone"):
        assert text in said
    assert "alice@example.com" not in said
    assert ("Confirm booking" in said, "Book anyway" in said) == (True, False)
    assert 'name="zone_of_invitee" value="Asia/Tokyo"' in main(page)


def test_the_invitee_is_confirmed_and_approval_is_not_asked(
    signed_in: Client, approved: EventType
) -> None:
    page = post(signed_in, approved, guests="mary@example.com")
    booking = Booking.objects.get()
    assert page.redirect_chain == [(f"/bookings/{booking.pk}", 302)]
    assert "Booked: Jo gets an email." in page.content.decode()
    assert (booking.status, booking.made_by, booking.timezone, booking.language) == (
        "confirmed",
        "host",
        "America/New_York",
        "",
    )
    entry = booking.history.get()
    assert (entry.role, entry.actor, entry.to_status) == ("host", booking.host, "confirmed")
    told = rows("email", kind__in=["booking_confirmed", "booking_requested", "guest_invited"])
    assert sorted(map(address_of, told)) == [
        "alice@example.com",
        "jo@example.com",
        "mary@example.com",
    ]
    [to_jo] = [row for row in told if address_of(row) == "jo@example.com"]
    assert "5:00" in content_of(to_jo)["text"] or "05:00" in content_of(to_jo)["text"]
    assert "Hello" in content_of(to_jo)["text"]


def test_a_zone_that_is_none_has_its_error(signed_in: Client, event_type: EventType) -> None:
    page = post(signed_in, event_type, zone_of_invitee="Atlantis")
    assert (page.status_code, Booking.objects.count()) == (200, 0)
    assert 'id="id_zone_of_invitee_error"' in main(page)
    assert 'value="Atlantis"' in main(page)


def test_what_is_taken_offers_other_times(signed_in: Client, event_type: EventType) -> None:
    factories.booking(event_type, start=START, now=NOW)
    said = words(post(signed_in, event_type))
    assert "That time is no longer free." in said
    assert Booking.objects.count() == 1


def test_the_own_calendar_is_asked_about(
    signed_in: Client, alice: User, event_type: EventType
) -> None:
    calendar = factories.read_calendar(alice)
    factories.entry(calendar, start=START, end=START + timedelta(hours=1))
    asked = post(signed_in, event_type)
    assert "Your own calendar has something at that time." in words(asked)
    assert 'name="over_calendar"' in main(asked)
    assert Booking.objects.count() == 0
    assert post(signed_in, event_type, over_calendar="on").status_code == 200
    assert Booking.objects.count() == 1


def test_it_is_limited_as_by_the_api(
    signed_in: Client, event_type: EventType, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"bookings_api": 1}
    post(signed_in, event_type)
    later = int((START + timedelta(hours=1)).timestamp())
    assert post(signed_in, event_type, start=later).status_code == 429
    assert Booking.objects.count() == 1


def test_what_is_off_or_another_hosts_is_not_there(
    signed_in: Client, alice: User, bob: User
) -> None:
    off = factories.event_type(alice, name="Off", is_active=False)
    for each in (off, factories.event_type(bob)):
        assert signed_in.get(f"/event-types/{each.pk}/book").status_code == 404
        assert post(signed_in, each).status_code == 404
    assert Booking.objects.count() == 0
